"""Each verb that writes, told to write into one folder, and quick: nothing is computed twice."""

import functools
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from PIL import Image

from clearcnn.results.check import Suspect
from clearcnn.workflows.check.label_issues import LabelIssues

MODEL = """\
name = "small"
[[layers]]
layer = "Conv2D"
filters = 2
kernel_size = 3
activation = "relu"
[[layers]]
layer = "MaxPooling2D"
[[layers]]
layer = "Flatten"
[[layers]]
layer = "Dense"
units = 3
activation = "softmax"
"""

# What computes and writes nothing: each is done once and remembered.
COMPUTED = (
    "clearcnn.workflows.train.pipeline.score_plan",
    "clearcnn.workflows.train.pipeline.fit_confidence",
    "clearcnn.workflows.evaluate.finished_run.load_keras_model",
    "clearcnn.workflows.evaluate.finished_run.predict_probabilities",
    "clearcnn.workflows.evaluate.finished_run._assess",
    "clearcnn.workflows.explain.explain.load_keras_model",
    "clearcnn.workflows.explain.explain.make_saliency_maps",
    "clearcnn.workflows.explain.explain.find_neighbours",
    "clearcnn.workflows.export.load_keras_model",
)
# What executes networks, which a process that has forked cannot.
EXECUTED = (
    "clearcnn.explanation.convolve_once",
    "clearcnn.explanation.follow",
    "clearcnn.explanation.pool_once",
    "clearcnn.export.run_onnx",
    "clearcnn.workflows.explain.explain._rank_classes",
    "keras.Model.predict",
    "keras.saving.load_model",
)


@dataclass(frozen=True)
class Verb:
    """A command line whose `{out}` is a place below the folder that is watched."""

    words: tuple[str, ...]
    keeps_at_ctrl_c: bool = False
    keeps_rows: bool = False


VERBS = {
    "train": Verb(
        (
            *("train", "{home}/a.npz", "--model", "{home}/m.toml", "--epochs", "1", "--quiet"),
            *("--out", "{out}/new/run"),
        ),
        keeps_at_ctrl_c=True,
    ),
    "check": Verb(("check", "{home}/a.npz", "--out", "{out}/new/check")),
    "evaluate": Verb(("evaluate", "{home}/run", "--quiet", "--out", "{out}/new/evaluation")),
    "explain": Verb(("explain", "{home}/run", "0", "--out", "{out}/new/page")),
    "export onnx": Verb(("export", "{home}/run", "--to", "onnx", "--out", "{out}/new/m.onnx")),
    "export keras": Verb(("export", "{home}/run", "--to", "keras", "--out", "{out}/new/m.keras")),
    "export triton": Verb(("export", "{home}/run", "--to", "triton", "--out", "{out}/new/triton")),
    "predict": Verb(
        ("predict", "{home}/run", "{home}/pictures", "--csv", "{out}/a.csv"), keeps_rows=True
    ),
}


def prepare(home: Path) -> None:
    """Put into a folder what the verbs read: images, a model, a run, and pictures."""
    import clearcnn

    random = np.random.default_rng(0)
    y = np.repeat(np.arange(3), 40)
    x = random.integers(0, 200, (120, 8, 8)).astype(np.uint8)
    x[np.arange(120), 2 * y] += 55
    # Wrong labels, so that `check` finds suspects and writes their picture.
    y[:2] = 2
    np.savez(home / "a.npz", x=x, y=y)
    (home / "m.toml").write_text(MODEL, encoding="utf-8")
    clearcnn.train(home / "a.npz", model=home / "m.toml", epochs=1, out=home / "run")
    (home / "pictures").mkdir()
    for number in range(5):
        Image.fromarray(x[number]).save(home / "pictures" / f"{number}.png")


def remember(patch: Callable[[Any], Any], more: tuple[str, ...] = ()) -> None:
    """Have each of the computed functions compute once.

    Args:
      patch: enters a context that puts the remembering one in its place.
      more: other functions, by their places.
    """
    for place in (*COMPUTED, *more):
        home, _, name = place.rpartition(".")
        function = getattr(pkgutil.resolve_name(home), name)
        patch(mock.patch(place, _once(function)))
    place = "clearcnn.workflows.train.pipeline.fit_plan"
    patch(mock.patch(place, _trained_once(pkgutil.resolve_name(place))))
    # To find them takes trainings; their picture is one more file to write.
    suspect = Suspect(0, "row 0", "2", "0", 0.1, 0.9)
    check = "clearcnn.workflows.check.examine"
    patch(mock.patch(f"{check}.plan_label_check", lambda *_, **__: mock.Mock(folds=[], epochs=1)))
    patch(mock.patch(f"{check}.fit_label_check", lambda planned, *_: (planned, "")))
    patch(mock.patch(f"{check}.find_suspects", lambda *_: LabelIssues((suspect,), 100, 1)))


def _once(function: Callable[..., Any]) -> Callable[..., Any]:
    results: dict[Any, Any] = {}

    @functools.wraps(function)
    def give(*words: Any, **options: Any) -> Any:
        shapes = tuple(getattr(word, "shape", None) for word in words)
        if shapes not in results:
            results[shapes] = function(*words, **options)
        return results[shapes]

    return give


def _trained_once(function: Callable[..., Any]) -> Callable[..., Any]:
    """As `_once`; the last checkpoint is remembered, too."""
    results: list[Any] = []

    def give(plan: Any, listener: Any, clock: Any, checkpoint: Any, **options: Any) -> Any:
        unfinished = checkpoint.store
        if not results:
            outcome = function(plan, listener, clock, checkpoint, **options)
            results.append((outcome, unfinished.last))
        outcome, unfinished.last = results[0]
        return outcome

    return give


def command(verb: Verb, home: Path, out: Path) -> list[str]:
    """Give the words of a verb."""
    return [word.format(home=home, out=out) for word in verb.words]
