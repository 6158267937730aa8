"""What the workflow tests share: an ear, a spy before `fit`, and images that train in no time."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clearcnn import bundle
from clearcnn.data import LabelledImages
from clearcnn.specs import LayerSpec, ModelSpec
from clearcnn.workflows.train.train import TrainListener


class Ear(TrainListener):
    """Notes what it hears; may interrupt after an epoch, once, as Ctrl-C does or as code does."""

    def __init__(self, interrupt_after: int | None = None, way: str = "exception") -> None:
        self.heard: list[tuple[Any, ...]] = []
        self.interrupt_after = interrupt_after
        self.way = way

    def on_data(self, summary: Any, sheet: Any) -> None:
        self.heard.append(("data", summary, sheet))

    def on_model(self, summary: Any) -> None:
        self.heard.append(("model", summary))

    def on_warning(self, sentence: str) -> None:
        self.heard.append(("warning", sentence))

    def on_train_begin(self, epochs: int) -> None:
        self.heard.append(("begin", epochs))

    def on_epoch_end(self, epoch: int, metrics: dict[str, float]) -> None:
        self.heard.append(("epoch", epoch, metrics))
        if epoch + 1 == self.interrupt_after:
            if self.way == "exception":
                raise KeyboardInterrupt
            for _ in range(2 if self.way == "signal, twice" else 1):
                signal.raise_signal(signal.SIGINT)

    def on_train_end(self, history: Any, interrupted: bool) -> None:
        self.heard.append(("end", history, interrupted))

    def on_late_interrupt(self) -> None:
        self.heard.append(("late interrupt",))

    @property
    def names(self) -> list[str]:
        return [event[0] for event in self.heard]


class FitSpy:
    """Stands before `clearcnn.training.fit`: notes what it receives, and lets it through."""

    def __init__(self, fit: Callable[..., Any]) -> None:
        self.fit = fit
        self.calls: list[dict[str, Any]] = []

    def __call__(self, model: Any, x: Any, y: Any, **options: Any) -> Any:
        self.calls.append({"model": model, "x": x, "y": y, **options})
        return self.fit(model, x, y, **options)


@contextmanager
def spy_on_fit() -> Iterator[FitSpy]:
    from clearcnn import training

    with pytest.MonkeyPatch.context() as patch:
        spy = FitSpy(training.fit)
        patch.setattr(training, "fit", spy)
        yield spy


@pytest.fixture(scope="session")
def make_ear() -> type[Ear]:
    return Ear


@pytest.fixture(scope="session")
def spying() -> Callable[[], Any]:
    return spy_on_fit


@pytest.fixture
def fit_spy() -> Iterator[FitSpy]:
    with spy_on_fit() as spy:
        yield spy


FLAT = ModelSpec(
    "flat", (LayerSpec("Flatten"), LayerSpec("Dense", {"units": 3, "activation": "softmax"}))
)


@pytest.fixture(scope="session")
def flat() -> ModelSpec:
    """The smallest model there is, compiled in no time."""
    return FLAT


@pytest.fixture(scope="session")
def noise() -> Callable[..., LabelledImages]:
    """Random images with random labels of three classes: nothing in them to learn."""

    def make(n: int = 60, parts: tuple[int, int, int] | None = None) -> LabelledImages:
        random = np.random.default_rng(0)
        named = ("train", "validation", "test")
        return LabelledImages(
            images=random.integers(0, 256, (n, 5, 4, 1), np.uint8),
            labels=random.permutation(np.arange(n, dtype=np.int64) % 3),
            class_names=("1", "2", "10"),
            source="noise",
            value_range=(0.0, 255.0),
            names=tuple(f"row {row}" for row in range(n)),
            split_names=None if parts is None else np.repeat(named, parts),
        )

    return make


@pytest.fixture(scope="session")
def reseal() -> Callable[..., Path]:
    """Copy a run folder with changed files (None: without them), and hashes that fit again."""

    def copy(run_folder: Path, folder: Path, changed: dict[str, bytes | None]) -> Path:
        folder.mkdir()
        manifest = bundle.read_bundle(run_folder).manifest
        for name in manifest.files:
            content = changed.get(name, (run_folder / name).read_bytes())
            (folder / name).parent.mkdir(exist_ok=True)
            if content is not None:
                (folder / name).write_bytes(content)
        bundle.write_manifest(folder, manifest)
        return folder

    return copy
