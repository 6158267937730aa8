"""Ctrl-C during an evaluation or a check keeps what is finished."""

import dataclasses
import json
import os
import signal

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

import clearcnn
from clearcnn.cli.main import main
from clearcnn.workflows.evaluate.evaluate import EvaluateListener

DIGITS = clearcnn.load("digits")
FEW = DIGITS.take(np.arange(0, 1797, 6))
UNGROUPED = dataclasses.replace(FEW, groups=None)
QUICK = {"recipe": "tutorial", "epochs": 2, "folds": 5}


class PressCtrlC(EvaluateListener):
    """Interrupts after so many steps of a phase."""

    def __init__(self, phase, steps):
        self.phase, self.steps, self.running = phase, steps, ""

    def on_phase(self, name, steps):
        self.running = name

    def on_step(self):
        if self.running == self.phase:
            self.steps -= 1
            if self.steps == 0:
                os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("images", [FEW, UNGROUPED], ids=["groups", "random"])
def test_the_finished_folds_are_scored_with_the_baselines_on_the_same_images(images, tmp_path):
    listener = PressCtrlC("training on folds", 3)
    result = clearcnn.evaluate(images, **QUICK, out=tmp_path / "e", listener=listener)
    assert result.interrupted
    (protocol,) = result.protocols
    ours = result.headline
    assert len(ours.folds) == 3
    lines = (result.folder / "predictions.csv").read_text(encoding="utf-8").splitlines()[1:]
    answers = [line.split(",") for line in lines]
    assert len(answers) == result.num_images == sum(fold.total for fold in ours.folds)
    scored = accuracy_score([row[2] for row in answers], [row[3] for row in answers])
    assert ours.score.accuracy == pytest.approx(scored)
    assert ours.score.interval.low < ours.score.accuracy < ours.score.interval.high
    for baseline in protocol.models[1:]:
        assert sorted(f.name for f in baseline.folds) == sorted(f.name for f in ours.folds)
    of = 14 if images is FEW else 5
    assert result.notes[0].startswith(f"Partial: the evaluation was stopped after 3 of {of} folds")
    assert result.learning_curve is None
    written = json.loads((result.folder / "evaluation.json").read_text(encoding="utf-8"))
    assert written["interrupted"]
    page = (result.folder / "report.html").read_text(encoding="utf-8")
    assert f"stopped after 3 of {of} folds" in page


def test_an_unfinished_learning_curve_leaves_all_folds(tmp_path):
    listener = PressCtrlC("tracing the learning curve", 1)
    result = clearcnn.evaluate(UNGROUPED, **QUICK, out=tmp_path / "e", listener=listener)
    assert result.interrupted
    assert len(result.headline.folds) == 5
    assert result.headline.score.total == len(UNGROUPED)


def test_an_unfinished_repeat_does_not_count(tmp_path):
    listener = PressCtrlC("repeat 1", 2)
    more = {"repeats": 3, "baselines": False}
    result = clearcnn.evaluate(UNGROUPED, **QUICK, **more, out=tmp_path / "e", listener=listener)
    assert result.interrupted
    assert len(result.headline.folds) == 5
    assert "once" in result.protocols[0].sentence


def test_one_fold_is_too_few(tmp_path):
    listener = PressCtrlC("training on folds", 1)
    with pytest.raises(KeyboardInterrupt):
        clearcnn.evaluate(UNGROUPED, **QUICK, out=tmp_path / "e", listener=listener)
    assert list(tmp_path.iterdir()) == []


def test_a_check_keeps_what_it_found_before_the_trainings(tmp_path):
    spoilt = UNGROUPED.images.copy()
    spoilt[5] = spoilt[3]
    images = dataclasses.replace(UNGROUPED, images=spoilt)
    listener = PressCtrlC("training to find suspect labels", 1)
    result = clearcnn.check(images, epochs=1, out=tmp_path / "c", listener=listener)
    assert result.interrupted
    kinds = [finding.kind for finding in result.findings]
    assert any(kind.startswith("duplicates") for kind in kinds)
    assert kinds[-1] == "label check stopped"
    assert (tmp_path / "c" / "use.csv").is_file()


def test_the_exit_status_is_that_of_other_interruptions(tmp_path, monkeypatch, capsys):
    from clearcnn.cli.evaluate_view import EvaluateDisplay

    monkeypatch.chdir(tmp_path)
    listener = PressCtrlC("training on folds", 2)
    for name in ("on_phase", "on_step"):
        method = getattr(listener, name)
        monkeypatch.setattr(EvaluateDisplay, name, lambda _, *words, call=method: call(*words))
    words = ["--recipe", "tutorial", "--epochs", "1", "--no-baselines", "--out", "e"]
    assert main(["evaluate", "digits", *words]) == 130
    assert "stopped after 2 of 14 folds" in " ".join(capsys.readouterr().out.split())
