"""Image files, decoded in parallel into one array.

Images of up to `LARGEST_KEPT_SIDE` pixels a side are read once. Of larger ones the size is read
first, and the pixels when the target size is known, so memory holds only resized images.
"""

import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clearcnn.data.bit_depth import find_white, scale_to
from clearcnn.data.classes import quote
from clearcnn.data.color import to_grayscale, to_rgb
from clearcnn.data.decode_image import DecodedImage, decode, decode_when_memory_allows
from clearcnn.data.decoding_workers import count_workers, decode_in_workers
from clearcnn.data.image_error import find_image_remedy
from clearcnn.data.image_notes import NOTES
from clearcnn.data.labelled_images import Images
from clearcnn.data.misnamed import count_misnamed
from clearcnn.data.reading_progress import count_reading
from clearcnn.data.resize import (
    LARGEST_KEPT_SIDE,
    Size,
    choose_size,
    describe_resizing,
    resize,
)
from clearcnn.data.safe_files import SourceFile
from clearcnn.errors import DataError
from clearcnn.language import say, say_count
from clearcnn.results.train import SkippedFile
from clearcnn.specs import ColorMode, DataSpec

_BLOCK, _TRIED = 1024, 4
_SMALL_SIDE = 128
"""In pixels. A JPEG of this side is decoded in the time that the rest of its reading takes."""


@dataclass(frozen=True)
class Entry:
    """One labelled image file that is not read yet.

    Attributes:
      name: for people, such as the path within the folder.
      read: returns the bytes of the file, or an image that is decoded already; or raises DataError.
    """

    name: str
    label: str | int
    read: Callable[[], bytes | DecodedImage]
    group: str | None = None
    split_name: str | None = None


@dataclass(frozen=True)
class ReadImages:
    """The images that were read from a list of entries.

    Attributes:
      images: (n, height, width, channels).
      kept: (n,) the index of each image's entry.
      preparation: what was done to the images, one sentence each.
      skipped: the entries that could not be read, and why.
    """

    images: Images
    kept: NDArray[np.intp]
    preparation: tuple[str, ...]
    skipped: tuple[SkippedFile, ...]


def read_images(entries: Sequence[Entry], spec: DataSpec, source: str) -> ReadImages:
    """Read every entry, and convert all to one size, colour mode and dtype.

    Raises:
      DataError: an entry cannot be read, or floats are mixed with integers, and
        `spec.skip_unreadable` is not set; or no entry can be read.
    """
    workers = min(8, 2 * (os.cpu_count() or 1))
    with quiet_pillow(), ThreadPoolExecutor(workers) as pool:
        first = _read_all(pool, entries, spec)
        try:
            measured = list(count_reading(first, len(entries)))
        except DataError as error:
            more = count_misnamed(error, ((entry.name, entry.read) for entry in entries))
            raise more or error from None
        sizes = [image.size for image in measured if isinstance(image, DecodedImage)]
        if not sizes:
            reason = next(each.reason for each in measured if isinstance(each, SkippedFile))
            raise DataError(
                say(
                    "{source}: none of the {num_entries} images can be read. {reason}",
                    source=source,
                    num_entries=len(entries),
                    reason=reason,
                ),
                remedy=say(
                    "Run again without --skip-unreadable to see what is wrong with the first one."
                ),
            )
        target = spec.size or choose_size(sizes)
        large = [row for row, image in enumerate(measured) if _is_only_measured(image)]
        read = partial(_read, spec=spec, target=target)
        again = _map(pool, read, [entries[row] for row in large])
        for row, image in zip(large, count_reading(again, len(large)), strict=True):
            measured[row] = image
    finished = [_resize(image, target) for image in measured]
    finished = _of_one_kind(entries, finished, spec, source)
    kept = [row for row, image in enumerate(finished) if isinstance(image, DecodedImage)]
    decoded = [image for image in finished if isinstance(image, DecodedImage)]
    images, sentences = _stack(decoded, spec.color_mode)
    resized = describe_resizing(sizes, target, asked=spec.size is not None)
    return ReadImages(
        images,
        np.array(kept, np.intp),
        (*sentences, *([resized] if resized else [])),
        tuple(image for image in finished if isinstance(image, SkippedFile)),
    )


def _read_all(
    pool: ThreadPoolExecutor, entries: Sequence[Entry], spec: DataSpec
) -> Iterator[DecodedImage | SkippedFile]:
    """Read entries in their order, many small files in worker processes."""
    read = partial(_read, spec=spec, target=spec.size)
    tried = [read(entry) for entry in entries[:_TRIED]]
    yield from tried
    rest = entries[_TRIED:]
    files = [entry.read for entry in rest if isinstance(entry.read, SourceFile)]
    num_workers = count_workers(len(files)) if _are_small(tried) else 0
    if not num_workers or len(files) < len(rest):
        yield from _map(pool, read, rest)
        return
    row = 0
    with decode_in_workers(files, num_workers) as chunks:
        for chunk in chunks:
            named = rest[row : row + len(chunk)]
            row += len(chunk)
            unread = [entry for entry, image in zip(named, chunk, strict=True) if image is None]
            others = _map(pool, read, unread)
            for image in chunk:
                if image is None:
                    yield next(others)
                else:
                    yield _convert(image, spec, spec.size)


def _are_small(tried: Sequence[DecodedImage | SkippedFile]) -> bool:
    return all(
        isinstance(image, DecodedImage) and max(image.size) <= _SMALL_SIDE for image in tried
    )


def _map(
    pool: ThreadPoolExecutor,
    read: Callable[[Entry], DecodedImage | SkippedFile],
    entries: Sequence[Entry],
) -> Iterator[DecodedImage | SkippedFile]:
    """Read entries in their order: blocks of small images one after another, others in threads.

    While small images are read, the interpreter's lock is seldom free for long, and threads only
    take it from each other: on two cores they take 1.5 times as long as one.
    """
    for start in range(0, len(entries), _BLOCK):
        block = entries[start : start + _BLOCK]
        tried = [read(entry) for entry in block[:_TRIED]]
        yield from tried
        rest = block[_TRIED:]
        yield from map(read, rest) if _are_small(tried) else pool.map(read, rest)


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Suppress Pillow's warnings about metadata and decompression bombs; `decode` raises itself."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _read(entry: Entry, spec: DataSpec, target: Size | None) -> DecodedImage | SkippedFile:
    """Read an entry at the target size; without one, at its own size, or only that if large."""
    try:
        content = entry.read()
        if isinstance(content, DecodedImage):
            return _convert(content, spec, target)
        if target is None:
            image = decode(content, entry.name, measure_above=LARGEST_KEPT_SIDE)
            return image if image.pixels is None else _convert(image, spec, target)
        with decode_when_memory_allows(content, entry.name) as image:
            return _convert(image, spec, target)
    except DataError as error:
        if not spec.skip_unreadable:
            raise
        return SkippedFile(entry.name, error.problem, find_image_remedy(error))


def _convert(image: DecodedImage, spec: DataSpec, target: Size | None) -> DecodedImage:
    """Convert an image to the requested colour mode and, if there is one, target size."""
    pixels, notes = image.pixels, image.notes
    assert pixels is not None  # Only images of which the size alone was read have no pixels.
    if spec.color_mode == "grayscale" and pixels.shape[-1] == 3:
        pixels, notes = to_grayscale(pixels), (*notes, "greyed")
    # A view would keep the whole decoded image in memory.
    pixels = np.ascontiguousarray(resize(pixels, target) if target else pixels)
    return image if pixels is image.pixels else replace(image, pixels=pixels, notes=notes)


def _is_only_measured(image: DecodedImage | SkippedFile) -> bool:
    return isinstance(image, DecodedImage) and image.pixels is None


def _resize(image: DecodedImage | SkippedFile, target: Size) -> DecodedImage | SkippedFile:
    if isinstance(image, SkippedFile) or image.pixels is None:
        return image
    pixels = resize(image.pixels, target)
    return image if pixels is image.pixels else replace(image, pixels=pixels)


def _of_one_kind(
    entries: Sequence[Entry],
    finished: list[DecodedImage | SkippedFile],
    spec: DataSpec,
    source: str,
) -> list[DecodedImage | SkippedFile]:
    """Skip float images among integer ones, or the reverse: whichever are fewer.

    Raises:
      DataError: there are both, and `spec.skip_unreadable` is not set.
    """
    floats, integers = say("floating-point numbers"), say("integers")
    rows: dict[str, list[int]] = {floats: [], integers: []}
    for row, image in enumerate(finished):
        if isinstance(image, DecodedImage) and image.pixels is not None:
            is_float = image.pixels.dtype.kind == "f"
            rows[floats if is_float else integers].append(row)
    fewer, more = sorted(rows, key=lambda kind: len(rows[kind]))
    if rows[fewer] and not spec.skip_unreadable:
        names = quote((entries[row].name for row in rows[fewer]), most=3)
        raise DataError(
            say(
                "{source}: {images} with {more}, but {others:,} with {fewer}: {names}.",
                source=source,
                images=_count(len(rows[more])),
                more=more,
                others=len(rows[fewer]),
                fewer=fewer,
                names=names,
            ),
            remedy=say(
                "Store all images in the same way, or skip the fewer ones (--skip-unreadable)."
            ),
        )
    for row in rows[fewer]:
        reason = say("It has {fewer}; most of the images have {more}.", fewer=fewer, more=more)
        finished[row] = SkippedFile(entries[row].name, reason)
    return finished


def _stack(decoded: Sequence[DecodedImage], color_mode: ColorMode) -> tuple[Images, list[str]]:
    """Stack images of one size into one array, and describe the conversions in sentences."""
    arrays = [image.pixels for image in decoded if image.pixels is not None]
    kinds = Counter(array.dtype.name for array in arrays)
    dtype = np.dtype(max(kinds, key=lambda kind: np.dtype(kind).itemsize))
    channels = Counter(array.shape[-1] for array in arrays)
    colored = color_mode == "rgb" or (color_mode == "auto" and 3 in channels)
    white = find_white([array for array in arrays if array.dtype == np.uint16])
    images = np.empty((len(arrays), *arrays[0].shape[:2], 3 if colored else 1), dtype)
    for row, array in enumerate(arrays):
        widened = array if array.dtype == dtype else scale_to(array, white)
        images[row] = to_rgb(widened) if colored else widened

    counts = Counter(note for image in decoded for note in image.notes)
    if colored:
        del counts["greys"]
    sentences = [write(_count(counts[note])) for note, write in NOTES.items() if counts[note]]
    if len(kinds) > 1:
        sentences.append(
            say(
                "{kinds} with 8 bits a channel scaled from 0 to 255 to the range of the "
                "others, 0 to {white:,}.",
                kinds=_count(kinds["uint8"]),
                white=white,
            )
        )
    if colored and channels[1]:
        sentences.append(
            say("{channels} with only grey pixels read as RGB.", channels=_count(channels[1]))
        )
    return images, sentences


def _count(number: int) -> str:
    return say_count("{number:,} image", "{number:,} images", number)
