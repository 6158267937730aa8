"""One small set of pictures, written in every way that people keep pictures in."""

import csv
import gzip
import io
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clearcnn.models import RECIPES

# Of each class so many for training, validation and test; the default fractions give the same.
SPLIT_NAMES = {"train": 11, "val": 3, "test": 6}
KOREAN = ("강아지", "고양이", "토끼 2", "토끼 10")


@dataclass
class Written:
    """A source as it was written, and what must be known of it at the end.

    Attributes:
      source: what `train` is given.
      pixels, labels: of each picture by the name that clearcnn gives it.
      tested: names of the pictures that must be the test part, where the source says so.
      options: of `train`.
    """

    source: str
    pixels: dict[str, np.ndarray]
    labels: dict[str, str]
    dtype: str
    value_range: tuple[float, float]
    class_names: tuple[str, ...]
    polarity: str = "light_on_dark"
    tested: set[str] | None = None
    options: dict[str, Any] = field(default_factory=dict)


def draw(num_classes: int = 3, channels: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """(images, labels): light bars on dark noise, a place for each class; classes in turn."""
    random = np.random.default_rng(0)
    labels = np.arange(sum(SPLIT_NAMES.values()) * num_classes) % num_classes
    images = random.integers(0, 40, (len(labels), 8, 8, channels), np.uint8)
    for image, label in zip(images, labels, strict=True):
        y, x = divmod(int(label), 2)
        image[1 + 3 * y : 4 + 3 * y, 1 + 3 * x : 4 + 3 * x] += np.uint8(200)
    return images, labels


def parted(num_classes: int = 3) -> list[tuple[str, slice]]:
    """Each part and its rows of what `draw` gives, in which classes take turns."""
    bounds = np.cumsum([0, *SPLIT_NAMES.values()]) * num_classes
    return [(part, slice(*bounds[k : k + 2])) for k, part in enumerate(SPLIT_NAMES)]


def encode(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(buffer, "PNG")
    return buffer.getvalue()


def in_rows(images: np.ndarray, labels: np.ndarray, names: list[str], **known: Any) -> Written:
    words = [str(label) for label in labels]
    known = {"dtype": "uint8", "value_range": (0.0, 255.0), "class_names": ("0", "1", "2")} | known
    return Written(
        pixels=dict(zip(names, images, strict=True)),
        labels=dict(zip(names, words, strict=True)),
        **known,
    )


def write_digits(folder: Path) -> Written:
    from sklearn.datasets import load_digits

    digits = load_digits()
    return in_rows(
        digits.images[..., np.newaxis],
        digits.target,
        [f"row {k}" for k in range(1797)],
        source="digits",
        value_range=(0.0, 16.0),
        class_names=tuple("0123456789"),
    )


def write_class_folder(folder: Path) -> Written:
    images, labels = draw()
    classes = ("zebra", "ant", "bee")
    written = in_rows(
        images,
        np.array(classes)[labels],
        [f"{classes[label]}/{k}.png" for k, label in enumerate(labels)],
        source=str(folder),
        class_names=("ant", "bee", "zebra"),
    )
    return save(written, folder)


def write_korean_parts(folder: Path) -> Written:
    images, labels = draw(4, 3)
    images = 255 - images
    names = [""] * len(labels)
    for part, rows in parted(4):
        for k in range(*rows.indices(len(labels))):
            names[k] = f"{part}/{KOREAN[labels[k]]}/그림 {k}.png"
    written = in_rows(
        images,
        np.array(KOREAN)[labels],
        names,
        source=str(folder),
        class_names=KOREAN,
        polarity="dark_on_light",
        tested={name for name in names if name.startswith("test/")},
    )
    return save(written, folder)


def write_deep_greys(folder: Path) -> Written:
    images, labels = draw()
    written = in_rows(
        images.astype(np.uint16) * 255 + 7,
        labels,
        [f"{label}/{k}.png" for k, label in enumerate(labels)],
        source=f"folder:{folder}",
        dtype="uint16",
        value_range=(0.0, 65535.0),
    )
    return save(written, folder)


def write_metadata(folder: Path) -> Written:
    images, labels = draw()
    names = [f"all/{k}.png" for k in range(len(labels))]
    # Each "hand" wrote a picture of every class; whole hands go to the test.
    hands = {name: f"hand {k // 3}" for k, name in enumerate(names)}
    written = in_rows(images, labels, names, source=str(folder), options={"split": "group"})
    save(written, folder)
    with (folder / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file_name", "label", "group"])
        writer.writerows((name, written.labels[name], hands[name]) for name in names)
    return written


def write_idx(folder: Path) -> Written:
    images, labels = draw()
    names = [""] * len(labels)
    both = {"train": slice(0, 42), "t10k": slice(42, None)}
    for stem, rows in both.items():
        some, theirs = images[rows, ..., 0], labels[rows].astype(np.uint8)
        part = "test" if stem == "t10k" else "train"
        names[rows] = [f"{part} row {k}" for k in range(len(theirs))]
        for what, magic, array in (("images-idx3", 3, some), ("labels-idx1", 1, theirs)):
            head = bytes([0, 0, 8, magic]) + struct.pack(f">{magic}I", *array.shape)
            content = gzip.compress(head + array.tobytes())
            (folder / f"{stem}-{what}-ubyte.gz").write_bytes(content)
    return in_rows(images, labels, names, source=str(folder), tested=set(names[42:]))


def write_npz(folder: Path) -> Written:
    images, labels = draw()
    images = (images / np.float32(255)).astype(np.float32)
    arrays: dict[str, np.ndarray] = {}
    names: list[str] = []
    for part, rows in parted():
        arrays |= {f"x_{part}": images[rows], f"y_{part}": labels[rows]}
        called = "validation" if part == "val" else part
        names += [f"{called} row {k}" for k in range(len(labels[rows]))]
    np.savez_compressed(folder / "bars.npz", **arrays)
    return in_rows(
        images,
        labels,
        names,
        source=str(folder / "bars.npz"),
        dtype="float32",
        value_range=(0.0, 1.0),
        tested={name for name in names if name.startswith("test")},
    )


def write_pixels(folder: Path) -> Written:
    images, labels = draw()
    with (folder / "bars.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["label", *(f"pixel{k}" for k in range(64))])
        writer.writerows(
            [label, *image.ravel()] for label, image in zip(labels, images, strict=True)
        )
    names = [f"row {k}" for k in range(len(labels))]
    return in_rows(images, labels, names, source=str(folder / "bars.csv"))


def write_parquet(folder: Path) -> Written:
    import pyarrow
    from pyarrow import parquet

    images, labels = draw()
    classes = ("low", "high", "wide")
    names = [f"{k}.png" for k in range(len(labels))]
    cells = [
        {"bytes": encode(image), "path": name} for image, name in zip(images, names, strict=True)
    ]
    features = {"image": {"_type": "Image"}, "label": {"names": classes, "_type": "ClassLabel"}}
    note = json.dumps({"info": {"features": features}})
    table = pyarrow.table({"image": cells, "label": labels})
    for part, rows in (("train", slice(0, 42)), ("test", slice(42, None))):
        some = table.slice(rows.start, len(labels[rows])).replace_schema_metadata(
            {"huggingface": note}
        )
        parquet.write_table(some, folder / f"{part}-00000-of-00001.parquet")
    return in_rows(
        images,
        np.array(classes)[labels],
        names,
        source=str(folder),
        class_names=classes,
        tested=set(names[42:]),
    )


def save(written: Written, folder: Path) -> Written:
    for name, pixels in written.pixels.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(pixels))
    return written


WRITERS: dict[str, Callable[[Path], Written]] = {
    "digits": write_digits,
    "class folder": write_class_folder,
    "Korean colour parts": write_korean_parts,
    "16-bit greys": write_deep_greys,
    "metadata with groups": write_metadata,
    "IDX": write_idx,
    "NPZ of floats": write_npz,
    "CSV of pixels": write_pixels,
    "Parquet": write_parquet,
}


# The tutorial's program is compiled in no time. The others see every kind of array, and parts
# given and not; sources that differ in their files only are left to the tutorial.
FILES_ONLY = {"class folder", "metadata with groups", "CSV of pixels"}
JOURNEYS = [
    pytest.param(
        (recipe, source),
        id=f"{recipe}, {source}",
        marks=[] if recipe == "tutorial" or source == "digits" else [pytest.mark.release],
    )
    for recipe in RECIPES
    for source in WRITERS
    if recipe == "tutorial" or source not in FILES_ONLY
]


@pytest.fixture(params=JOURNEYS)
def journey(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Written]:
    """A recipe and a source, written where it can be read."""
    recipe, source = request.param
    folder = tmp_path / "source"
    folder.mkdir()
    return recipe, WRITERS[source](folder)
