"""Budgets: how they are read, what they choose, and that the choice can be repeated."""

import dataclasses
import shlex
from types import SimpleNamespace

import numpy as np
import pytest

import clearcnn
from clearcnn.cli.main import main
from clearcnn.errors import SpecError
from clearcnn.evaluation import make_random_folds
from clearcnn.training import Pace
from clearcnn.workflows.evaluate.evaluate import EvaluateListener
from clearcnn.workflows.evaluate.protocol import ProtocolRun
from clearcnn.workflows.evaluate.work import Cost, Work, choose_epochs, describe_work
from clearcnn.workflows.fitting import budget as budgets
from clearcnn.workflows.fitting.budget import read_seconds
from clearcnn.workflows.fitting.costs import SECONDS_TO_KEEP
from clearcnn.workflows.fitting.repro_command import replace_budget
from clearcnn.workflows.train.train import TrainListener

DIGITS = clearcnn.load("digits")
FEW = dataclasses.replace(DIGITS.take(np.arange(0, 1797, 6)), groups=None)
RUN = ProtocolRun("random", FEW, make_random_folds(FEW.labels, num_folds=2, repeat=0, seed=1))


class Listener(EvaluateListener, TrainListener):
    """Keeps the lines that say how much is to do."""

    def __init__(self):
        self.work = []

    def on_work(self, sentence):
        self.work.append(sentence)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60s", 60), ("90", 90), (1.5, 1.5), ("1.5m", 90), ("5 min", 300), ("1h", 3600), (None, None)],
)
def test_a_time_has_a_unit_or_is_in_seconds(text, seconds):
    assert read_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "0s", "-3s", "5 days", "nan", "1e3", "60S"])
def test_other_texts_raise(text):
    with pytest.raises(SpecError, match="is not a time"):
        clearcnn.train("digits", budget=text)


@pytest.fixture
def slow(monkeypatch):
    """A machine on which each epoch takes two seconds, and compiling one."""
    pace = lambda _: Pace(1.0, 2.0)  # noqa: E731
    monkeypatch.setattr(budgets, "measure_pace", pace)
    monkeypatch.setattr("clearcnn.workflows.evaluate.schedule.measure_pace", pace)
    monkeypatch.setattr("clearcnn.workflows.check.label_issues.measure_pace", pace)
    clock = SimpleNamespace(perf_counter=lambda: 0.0)
    measuring = ("fitting.budget", "evaluate.schedule", "check.label_issues")
    for name in (*measuring, "train.train", "evaluate.evaluate", "check.check"):
        monkeypatch.setattr(f"clearcnn.workflows.{name}.time", clock)


def test_the_epochs_of_a_training_follow_from_pace_and_budget(slow, tmp_path):
    """Of 60 s, 5 go to compiling and keeping, and 17 to predicting: there are 168 images."""
    listener = Listener()
    result = clearcnn.train(
        FEW, recipe="tutorial", budget="60s", out=tmp_path / "a", listener=listener
    )
    predicted = result.data.validation + result.data.test + 5000
    wanted = int((60 - 5 - 2 / 3 * predicted / result.data.train) / 2)
    assert result.train.epochs == result.history.num_epochs == wanted
    assert listener.work == [f"{wanted} epochs of {result.data.train} images, about {2 * wanted} s"]


def test_without_the_budget_the_choice_gives_the_same_bits(slow, tmp_path):
    first = clearcnn.train(FEW, recipe="tutorial", budget="60s", out=tmp_path / "a")
    again = clearcnn.train(FEW, recipe="tutorial", epochs=first.train.epochs, out=tmp_path / "b")
    assert again.history == first.history
    one, other = ((tmp_path / name / "predictions.csv").read_bytes() for name in "ab")
    assert one == other


def test_the_epochs_never_exceed_the_recipes(slow, tmp_path):
    words = ["--recipe", "tutorial", "--budget", "10h", "--quiet", "--out", str(tmp_path / "a")]
    assert main(["train", *words]) == 0
    page = (tmp_path / "a" / "report.html").read_text(encoding="utf-8")
    assert "--epochs 100" in page
    assert "--budget" not in page


def test_too_small_a_budget_says_the_least(slow, tmp_path):
    with pytest.raises(
        SpecError, match="too small on this machine: 2 epochs of 168 images"
    ) as told:
        clearcnn.train(FEW, recipe="tutorial", budget="10s", out=tmp_path / "a")
    least = shlex.split(told.value.remedy)[2]
    clearcnn.train(FEW, recipe="tutorial", budget=least, out=tmp_path / "a")


def test_a_budget_is_not_combined_with_what_it_chooses():
    for verb in (clearcnn.train, clearcnn.evaluate, clearcnn.check):
        with pytest.raises(SpecError, match="budget was given together with epochs"):
            verb("digits", budget="60s", epochs=3)


@pytest.mark.parametrize(("seconds", "folds", "curve"), [(9000, 10, True), (220, 3, False)])
def test_an_evaluation_does_less_for_a_small_budget_and_can_be_repeated(
    slow, tmp_path, seconds, folds, curve
):
    options = {"recipe": "tutorial", "baselines": False, "batch_size": 32}
    listener = Listener()
    first = clearcnn.evaluate(FEW, **options, budget=seconds, out=tmp_path / "a", listener=listener)
    repeats = len(first.headline.folds) // folds
    assert (first.learning_curve is not None) == curve
    assert listener.work[0].startswith(f"{folds} folds × ")
    epochs = int(listener.work[0].split(" × ")[1].split()[0])
    assert epochs == 100 if curve else 25 <= epochs < 100
    page = (tmp_path / "a" / "report.html").read_text(encoding="utf-8")
    assert f"epochs={epochs}" in page.replace("&#39;", "'")
    again = clearcnn.evaluate(
        FEW,
        **options,
        folds=folds,
        epochs=epochs,
        repeats=repeats,
        learning_curve=curve,
        out=tmp_path / "b",
    )
    assert again.protocols == first.protocols
    with pytest.raises(SpecError, match="too small on this machine: 3 trainings of 25 epochs"):
        clearcnn.evaluate(FEW, **options, budget=50, out=tmp_path / "c")


ONE_PASS = Work(folds=2, epochs=None, baselines=False, learning_curve=False)


def make_cost(*paces, epochs):
    return Cost(tuple(Pace(*pace) for pace in paces), epochs, len(RUN.folds[0].train), 0.0, 0.0)


def test_each_compared_model_is_estimated_by_its_own_pace_and_epochs():
    small = make_cost((1.0, 0.5), epochs=(10,)).estimate(ONE_PASS, [RUN])
    large = make_cost((3.0, 8.0), epochs=(30,)).estimate(ONE_PASS, [RUN])
    both = make_cost((1.0, 0.5), (3.0, 8.0), epochs=(10, 30)).estimate(ONE_PASS, [RUN])
    # The second is not tested on the 13 distorted variants of the 300 images, at 150 an epoch.
    assert both == pytest.approx(small + large - SECONDS_TO_KEEP - 13 * 2 * 8.0 / 3)


def test_compared_models_keep_their_epochs_or_share_the_same():
    cost = make_cost((1.0, 1.0), (1.0, 1.0), epochs=(10, 30))
    whole = cost.estimate(ONE_PASS, [RUN])
    assert choose_epochs(cost, ONE_PASS, [RUN], whole + 0.01).epochs is None
    assert choose_epochs(cost, ONE_PASS, [RUN], whole - 0.01).epochs == 10
    assert "10, 30 epochs" in describe_work(cost, ONE_PASS, [RUN])
    less = choose_epochs(cost, ONE_PASS, [RUN], whole / 2)
    assert 2 <= less.epochs < 10
    assert cost.estimate(less, [RUN]) <= whole / 2


def test_a_check_reduces_its_epochs(slow, tmp_path):
    result = clearcnn.check(FEW, budget="40s", out=tmp_path / "a")
    assert result.epochs is not None
    assert 2 <= result.epochs <= 4
    again = clearcnn.check(FEW, epochs=result.epochs, out=tmp_path / "b")
    assert again.suspects == result.suspects
    with pytest.raises(SpecError, match="too small"):
        clearcnn.check(FEW, budget="5s", out=tmp_path / "c")


def test_commands_name_what_was_chosen():
    chosen = {"epochs": 7, "folds": 3, "baselines": True, "learning_curve": False}
    shown = replace_budget("clearcnn evaluate 'my photos' --budget 60s --seed 1", chosen)
    assert shown == (
        "clearcnn evaluate 'my photos' --seed 1 --epochs 7 --folds 3 --no-learning-curve"
    )
    twice = "clearcnn evaluate a --folds 5 --budget 60s --no-learning-curve --epochs=9 -- -b"
    assert replace_budget(twice, chosen) == (
        "clearcnn evaluate a --epochs 7 --folds 3 --no-learning-curve -- -b"
    )
    assert replace_budget("clearcnn evaluate --budget 9s", {"epochs": None}) == "clearcnn evaluate"
    assert replace_budget("clearcnn train a --budget=5min", {"epochs": 7}) == (
        "clearcnn train a --epochs 7"
    )
    assert replace_budget("clearcnn.train('a', seed=7)", {"epochs": 7}) == (
        "clearcnn.train('a', seed=7, epochs=7)"
    )
    call = "clearcnn.evaluate('a (1)', folds=5, budget='60s', learning_curve=True, seed=1)"
    assert replace_budget(call, chosen) == (
        "clearcnn.evaluate('a (1)', seed=1, epochs=7, folds=3, baselines=True, "
        "learning_curve=False)"
    )
    line = replace_budget("clearcnn train a(1)", {"epochs": 7})
    assert line == "clearcnn train 'a(1)' --epochs 7"


# The network's first layers reduce 96 pixels to the same maps as 48.
@pytest.mark.parametrize(("side", "is_said"), [(28, False), (60, True), (96, False)])
def test_for_large_images_the_effect_of_their_size_is_said(slow, noise, tmp_path, side, is_said):
    pixels = np.random.default_rng(0).integers(0, 256, (60, side, side, 1), np.uint8)
    images = dataclasses.replace(noise(), images=pixels)
    listener = Listener()
    clearcnn.train(images, budget="700s", out=tmp_path / "a", listener=listener)
    (line,) = listener.work
    assert ("--size 30 would take about 5" in line) == is_said
