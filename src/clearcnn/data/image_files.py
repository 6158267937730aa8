"""Picture files, read side by side into one array.

Pictures of up to `LARGEST_KEPT_SIDE` pixels are read once; larger ones are measured first and
read when the size to resize to is known, so that memory holds no more than the result.
"""

import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clearcnn.data.classes import quote
from clearcnn.data.color import to_grayscale, to_rgb
from clearcnn.data.decode_image import NOTES, Picture, decode, unfolded
from clearcnn.data.labelled_images import Images
from clearcnn.data.resize import (
    LARGEST_KEPT_SIDE,
    Size,
    choose_size,
    describe_resizing,
    resize,
)
from clearcnn.errors import DataError
from clearcnn.results.train import SkippedFile
from clearcnn.specs import ColorMode, DataSpec

_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True)
class Entry:
    """One labelled picture, not yet read.

    Attributes:
      name: as people know it, such as its path within the folder.
      read: gives the bytes of the file, or raises DataError.
    """

    name: str
    label: str | int
    read: Callable[[], bytes]
    group: str | None = None
    part: str | None = None


@dataclass(frozen=True)
class Pictures:
    """What came of the entries.

    Attributes:
      images: (n, height, width, channels).
      kept: (n,) the entry of each image.
      preparation: what was done to them, one sentence each.
      skipped: the other entries, and why.
    """

    images: Images
    kept: NDArray[np.intp]
    preparation: tuple[str, ...]
    skipped: tuple[SkippedFile, ...]


def read_pictures(entries: Sequence[Entry], spec: DataSpec, source: str) -> Pictures:
    """Read every entry, and bring all to one size, colour mode and dtype.

    Raises:
      DataError: an entry cannot be read, or floats are mixed with integers, and
        `spec.skip_unreadable` is not set; or none can be read.
    """
    workers = min(8, 2 * (os.cpu_count() or 1))
    with quiet_pillow(), ThreadPoolExecutor(workers) as pool:
        read = partial(_read, spec=spec, target=spec.size)
        measured = list(_map(pool, workers, read, entries))
        sizes = [picture.size for picture in measured if isinstance(picture, Picture)]
        if not sizes:
            raise DataError(
                f"{source}: none of {len(entries)} pictures can be read.",
                remedy="Run again without skipping to see why the first one is refused.",
            )
        target = spec.size or choose_size(sizes)
        finish = partial(_finish, spec=spec, target=target)
        finished = list(_map(pool, workers, finish, list(zip(entries, measured, strict=True))))
    finished = _of_one_kind(entries, finished, spec, source)
    kept = [row for row, picture in enumerate(finished) if isinstance(picture, Picture)]
    pictures = [picture for picture in finished if isinstance(picture, Picture)]
    images, sentences = _stack(pictures, spec.color_mode)
    resized = describe_resizing(sizes, target, asked=spec.size is not None)
    return Pictures(
        images,
        np.array(kept, np.intp),
        (*sentences, *([resized] if resized else [])),
        tuple(picture for picture in finished if isinstance(picture, SkippedFile)),
    )


def _map(
    pool: ThreadPoolExecutor, workers: int, function: Callable[[_T], _R], items: Sequence[_T]
) -> Iterator[_R]:
    """As `pool.map`, but in chunks: small pictures cost less than handing them over one by one."""
    step = max(1, min(64, len(items) // (4 * workers)))
    chunks = [items[k : k + step] for k in range(0, len(items), step)]
    for results in pool.map(lambda chunk: [function(item) for item in chunk], chunks):
        yield from results


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow's warnings of odd metadata and of bombs, which `decode` refuses, to itself."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _read(entry: Entry, spec: DataSpec, target: Size | None) -> Picture | SkippedFile:
    """The picture of an entry at the target size; without one, as it is or only measured."""
    try:
        content = entry.read()
        if target is None:
            picture = decode(content, entry.name, measure_above=LARGEST_KEPT_SIDE)
            return picture if picture.pixels is None else _reduce(picture, spec, target)
        with unfolded(content, entry.name) as picture:
            return _reduce(picture, spec, target)
    except DataError as error:
        if not spec.skip_unreadable:
            raise
        return SkippedFile(entry.name, error.problem)


def _reduce(picture: Picture, spec: DataSpec, target: Size | None) -> Picture:
    """The picture in the colours and, if there is one, the size wanted."""
    pixels, notes = picture.pixels, picture.notes
    assert pixels is not None  # Only asked to be measured, a picture has no pixels.
    if spec.color_mode == "grayscale" and pixels.shape[-1] == 3:
        pixels, notes = to_grayscale(pixels), (*notes, "greyed")
    # A view would keep the whole picture of the file in memory.
    pixels = np.ascontiguousarray(resize(pixels, target) if target else pixels)
    return replace(picture, pixels=pixels, notes=notes)


def _finish(
    measured: tuple[Entry, Picture | SkippedFile], spec: DataSpec, target: Size
) -> Picture | SkippedFile:
    entry, picture = measured
    if isinstance(picture, SkippedFile):
        return picture
    if picture.pixels is None:
        return _read(entry, spec, target)
    return replace(picture, pixels=resize(picture.pixels, target))


def _of_one_kind(
    entries: Sequence[Entry], finished: list[Picture | SkippedFile], spec: DataSpec, source: str
) -> list[Picture | SkippedFile]:
    """Leave out floats among integers, or integers among floats: whichever are fewer.

    Raises:
      DataError: there are both, and `spec.skip_unreadable` is not set.
    """
    rows: dict[str, list[int]] = {"floating-point numbers": [], "integers": []}
    for row, picture in enumerate(finished):
        if isinstance(picture, Picture) and picture.pixels is not None:
            is_float = picture.pixels.dtype.kind == "f"
            rows["floating-point numbers" if is_float else "integers"].append(row)
    fewer, more = sorted(rows, key=lambda kind: len(rows[kind]))
    if rows[fewer] and not spec.skip_unreadable:
        names = quote((entries[row].name for row in rows[fewer]), most=3)
        raise DataError(
            f"{source}: {_count(len(rows[more]))} with {more}, but {len(rows[fewer]):,} with "
            f"{fewer}: {names}.",
            remedy="Store all pictures in one way, or skip the fewer ones (--skip-unreadable).",
        )
    for row in rows[fewer]:
        reason = f"It holds {fewer}; most of the pictures hold {more}."
        finished[row] = SkippedFile(entries[row].name, reason)
    return finished


def _stack(pictures: Sequence[Picture], color_mode: ColorMode) -> tuple[Images, list[str]]:
    """One array of pictures of one size, and what had to be done, in sentences."""
    arrays = [picture.pixels for picture in pictures if picture.pixels is not None]
    kinds = Counter(array.dtype.name for array in arrays)
    dtype = np.dtype(max(kinds, key=lambda kind: np.dtype(kind).itemsize))
    channels = Counter(array.shape[-1] for array in arrays)
    colored = color_mode == "rgb" or (color_mode == "auto" and 3 in channels)
    images = np.empty((len(arrays), *arrays[0].shape[:2], 3 if colored else 1), dtype)
    for row, array in enumerate(arrays):
        widened = array if array.dtype == dtype else array.astype(dtype) * dtype.type(257)
        images[row] = to_rgb(widened) if colored else widened

    counts = Counter(note for picture in pictures for note in picture.notes)
    if colored:
        del counts["greys"]
    sentences = [text.format(_count(counts[note])) for note, text in NOTES.items() if counts[note]]
    if len(kinds) > 1:
        sentences.append(f"{_count(kinds['uint8'])} of 8 bits brought to 16 (times 257).")
    if colored and channels[1]:
        sentences.append(f"{_count(channels[1])} showing only greys read as RGB.")
    return images, sentences


def _count(number: int) -> str:
    return f"{number:,} picture{'' if number == 1 else 's'}"
