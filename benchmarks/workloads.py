"""The data of each workload, written to a file that every contender reads."""

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.environments import ROOT
from benchmarks.networks import Network

FOLDER = ROOT / ".cache" / "benchmarks" / "data"
_MNIST = ROOT.parent / "shared" / "data" / "mnist"
_QUICK_BATCH = 16
PICTURES = ROOT.parent / "shared" / "data" / "pictures"

Array = NDArray[Any]
Arrays = dict[str, Array]


@dataclass(frozen=True)
class Workload:
    """The model, the data and the length of a training.

    Attributes:
      model: "digits", "mnist", "colour", "growth", "layers" or "pictures", built by the contender.
      source: where the images come from, in words.
      data: an .npz file with uint8 x_train, x_test and integer y_train, y_test, and perhaps
        x_validation and y_validation.
      scale: the factor for pixels.
      batch_size, epochs: as for `fit`.
      filters: of the first convolution of "growth".
      layers: of "layers": pairs of Keras's class name and its arguments.
    """

    model: str
    source: str
    data: str
    scale: float
    batch_size: int
    epochs: int
    filters: int = 0
    layers: tuple[tuple[str, Mapping[str, Any]], ...] = ()

    def to_json(self) -> str:
        """Return the arguments of a contender's command line."""
        return json.dumps(dataclasses.asdict(self))


def digits(quick: bool) -> Workload:
    """A, the tutorial exactly: 1,005 + 252 + 540 digits, batches of 50, 100 epochs."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    x, y = load_digits(return_X_y=True)
    x = x.astype(np.uint8).reshape(-1, 8, 8, 1)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, random_state=777)
    at = int(len(x_train) * 0.8)
    arrays = {
        "x_train": x_train[:at],
        "y_train": y_train[:at],
        "x_validation": x_train[at:],
        "y_validation": y_train[at:],
        "x_test": x_test,
        "y_test": y_test,
    }
    return Workload(
        "digits", "scikit-learn's digits", _write("digits", arrays), 1.0, 50, 3 if quick else 100
    )


def mnist(quick: bool) -> Workload:
    """B: one epoch of MNIST, batches of 128; of synthetic images if MNIST is not available."""
    arrays = _read_mnist() if has_mnist() else make_images(60_000, 10_000, (28, 28, 1))
    source = "MNIST" if has_mnist() else "synthetic: MNIST was not available"
    if quick:
        arrays = {name: array[:512] for name, array in arrays.items()}
    path = _write(f"mnist-{len(arrays['x_train'])}", arrays)
    return Workload("mnist", source, path, 1 / 255, 128, 1)


def colour(quick: bool) -> Workload:
    """10,000 synthetic colour images of 32×32 pixels, batches of 128, two epochs."""
    counts = (256, 128) if quick else (10_000, 2_000)
    arrays = make_images(*counts, (32, 32, 3))
    path = _write(f"colour-{counts[0]}", arrays)
    return Workload("colour", "synthetic", path, 1 / 255, 128, 2)


def pictures(archive: str | Path, quick: bool) -> Workload:
    """Pictures of an archive, split as `train` splits them; synthetic ones if it is not available.

    The training images are all those outside the test set.

    Args:
      archive: its name in the folder of pictures beside the repository, or its whole path.
      quick: makes few images, synthetic ones.
    """
    path = PICTURES / archive
    is_there = path.is_file()
    if is_there and not quick:
        arrays = _read_split(str(path))
    else:
        arrays = make_images(*((512, 128) if quick else (5_000, 1_000)), (32, 32, 3))
    source = path.name if is_there else f"synthetic: {path.name} was not available"
    stored = _write(f"{path.stem}-{len(arrays['x_train'])}", arrays)
    return Workload("pictures", source, stored, 1 / 255, 128, 1)


def stratified_digits(quick: bool) -> Workload:
    """The digits, split as `train` splits them; values up to 16."""
    arrays = _read_split("digits")
    if quick:
        arrays = {name: array[:256] for name, array in arrays.items()}
    stored = _write(f"stratified-digits-{len(arrays['x_train'])}", arrays)
    return Workload("pictures", "scikit-learn's digits", stored, 1 / 16, 128, 1)


def growth(side: int, filters: int, samples: int, epochs: int) -> Workload:
    """Synthetic grey images of any size and number, batches of 64."""
    arrays = make_images(samples, 100, (side, side, 1))
    path = _write(f"growth-{side}-{samples}", arrays)
    return Workload("growth", "synthetic", path, 1 / 255, 64, epochs, filters)


def network(chosen: Network, quick: bool) -> Workload:
    """Synthetic images of the network's shape, two epochs."""
    count = 2 * _QUICK_BATCH if quick else chosen.samples
    batch_size = _QUICK_BATCH if quick else chosen.batch_size
    arrays = make_images(count, 100, chosen.shape)
    path = _write(f"network-{'-'.join(map(str, chosen.shape))}-{count}", arrays)
    layers = tuple((layer.layer, layer.arguments) for layer in chosen.layers)
    return Workload("layers", "synthetic", path, 1 / 255, batch_size, 2, layers=layers)


def has_mnist() -> bool:
    """Whether MNIST is in the folder beside the repository."""
    return (_MNIST / "train-images-idx3-ubyte.gz").is_file()


def make_images(num_train: int, num_test: int, shape: tuple[int, int, int]) -> Arrays:
    """Generate ten classes, each a smooth pattern that is shifted, dimmed and covered with noise.

    Returns:
      uint8 images and labels; the same for the same arguments.
    """
    rng = np.random.default_rng(777)
    height, width, channels = shape
    coarse = rng.uniform(size=(10, 4, 4, channels))
    patterns = coarse.repeat(-(-height // 4), axis=1).repeat(-(-width // 4), axis=2)
    patterns = patterns[:, :height, :width].astype(np.float32)
    count = num_train + num_test
    y = rng.integers(10, size=count)
    shifts = rng.integers(-(height // 4), height // 4 + 1, size=(count, 2))
    strengths = rng.uniform(0.05, 0.4, size=count)
    x = np.empty((count, *shape), np.uint8)
    for i in range(count):
        moved = np.roll(patterns[y[i]], shifts[i], axis=(0, 1))
        noise = rng.standard_normal(shape, np.float32) * 0.25
        x[i] = np.clip(255 * (0.5 + strengths[i] * (moved - 0.5) + noise), 0, 255)
    return {
        "x_train": x[:num_train],
        "y_train": y[:num_train],
        "x_test": x[num_train:],
        "y_test": y[num_train:],
    }


@cache
def _read_mnist() -> Arrays:
    import clearcnn

    images = clearcnn.load(f"idx:{_MNIST}")
    assert images.split_names is not None
    is_test = images.split_names == "test"
    return {
        "x_train": images.images[~is_test],
        "y_train": images.labels[~is_test],
        "x_test": images.images[is_test],
        "y_test": images.labels[is_test],
    }


def _read_split(source: str) -> Arrays:
    from clearcnn import data
    from clearcnn.specs import DataSpec

    images = data.load(DataSpec(source))
    parts = data.split(images)
    rows = {"train": np.concatenate([parts.train, parts.validation]), "test": parts.test}
    return {
        f"{kind}_{part}": array[rows[part]]
        for part in rows
        for kind, array in (("x", images.images), ("y", images.labels))
    }


def _write(name: str, arrays: Arrays) -> str:
    FOLDER.mkdir(parents=True, exist_ok=True)
    path, unfinished = FOLDER / f"{name}.npz", FOLDER / f"{name}.{os.getpid()}.npz"
    np.savez(unfinished, allow_pickle=False, **arrays)
    unfinished.replace(path)
    return str(path)
