"""IDX, the format of MNIST: pairs of files, images and labels, gzipped or not.

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database", section "File formats".
"""

import gzip
import math
import re
import zlib
from collections import defaultdict
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from clearcnn.data.arrays import join_arrays, prepare_array
from clearcnn.data.build_dataset import build_from_array
from clearcnn.data.classes import quote
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.data.safe_files import check_decompressed_size, describe_content, open_regular
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec
from clearcnn.types import Array

# Third byte of the magic number → big-endian dtype.
DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

_NAME = re.compile(r"(.*?)(images|labels)[-.]idx\d[-.]ubyte(?:\.gz)?", re.IGNORECASE)
_GZIP = b"\x1f\x8b"

Pair = dict[str, Path]


def recognise(path: Path) -> bool:
    """Whether a file has one of the usual names, or a folder has such files."""
    return bool(find_pairs(path)) if path.is_dir() else _NAME.fullmatch(path.name) is not None


def read(path: Path, spec: DataSpec) -> LabelledImages:
    """Read the pairs of a folder, or the one pair that a file belongs to.

    A pair named t10k or test is the test set if there is a training pair too.

    Raises:
      DataError: a pair is incomplete, a file is not IDX, too short or too long, or the numbers of
        images and labels differ.
    """
    folder, named = (path, None) if path.is_dir() else (path.parent, path)
    pairs = find_pairs(folder)
    if named is not None:
        pairs = {stem: pair for stem, pair in pairs.items() if named in pair.values()}
    if not pairs:
        raise DataError(
            f"{path}: no IDX files with the usual names found; {folder} contains "
            f"{describe_content(folder)}.",
            remedy="Name them such as train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz.",
        )
    by_part = _by_split(pairs, path)
    arrays = {part: _read_pair(by_part[part], folder, named) for part in by_part}
    shapes = {images.shape[1:] for images, _ in arrays.values()}
    if len(shapes) > 1:
        raise DataError(
            f"{path}: the pairs have images of different shapes, "
            f"{' and '.join('×'.join(map(str, shape)) for shape in sorted(shapes))}.",
            remedy="Put files of one data set only into one folder.",
        )
    source = f"IDX files in {path}" if named is None else f"the IDX pair of {path}"
    images = join_arrays([images for images, _ in arrays.values()])
    images, preparation = prepare_array(images, spec, source)
    rows = [(part, row) for part, (_, labels) in arrays.items() for row in range(len(labels))]
    return build_from_array(
        images,
        np.concatenate([labels for _, labels in arrays.values()]),
        spec,
        source=source,
        names=[f"{part} row {row}" if len(arrays) > 1 else f"row {row}" for part, row in rows],
        split_names=[part for part, _ in rows] if len(arrays) > 1 else None,
        preparation=preparation,
    )


def find_pairs(folder: Path) -> dict[str, Pair]:
    """Find the pairs in a folder: stem, such as "train-" → its files "images" and "labels"."""
    pairs: dict[str, Pair] = defaultdict(dict)
    for path in sorted(folder.iterdir()):
        if not (match := _NAME.fullmatch(path.name)):
            continue
        stem, kind = match[1], match[2].lower()
        if kind in pairs[stem]:
            raise DataError(
                f"{folder} contains both {pairs[stem][kind].name} and {path.name}.",
                remedy="Keep one of them.",
            )
        pairs[stem][kind] = path
    return dict(pairs)


def read_idx(path: Path, root: Path | None = None) -> Array:
    """Read one IDX file, gzipped or not, into an array in native byte order.

    Args:
      path, root: as for `open_regular`.
    Raises:
      DataError: the magic number or the length is wrong, or the gzip data are damaged.
    """
    with open_regular(path, root) as file:
        zipped = file.read(2) == _GZIP
        file.seek(0)
        try:
            with gzip.open(file) if zipped else file as stream:
                return _read_array(cast(BinaryIO, stream), path)
        except (EOFError, OSError, zlib.error) as error:
            fault = "truncated" if isinstance(error, EOFError) else "damaged"
            raise DataError(
                f"{path} cannot be decompressed: its gzip data are {fault}.",
                remedy="Download or copy the file again.",
            ) from None


def _read_array(stream: BinaryIO, path: Path) -> Array:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in DTYPES or not 1 <= magic[3] <= 4:
        raise DataError(
            f"{path} is not an IDX file: it starts with the bytes {magic.hex(' ')}; expected 00 "
            "00, a "
            "type from 08 to 0e, and the number of dimensions from 01 to 04.",
            remedy="Check the file, or download it again.",
        )
    head = stream.read(4 * magic[3])
    shape = tuple(np.frombuffer(head[: len(head) // 4 * 4], ">u4").tolist())
    dtype = np.dtype(DTYPES[magic[2]])
    num_bytes = math.prod(shape) * dtype.itemsize
    check_decompressed_size(num_bytes, path)
    content = stream.read(num_bytes + 1)
    if len(shape) != magic[3] or len(content) != num_bytes:
        holds = "more" if len(content) > num_bytes else f"only {len(content):,}"
        raise DataError(
            f"{path} declares the shape {'×'.join(map(str, shape))}, {num_bytes:,} bytes, but "
            f"contains {holds}.",
            remedy="Download or copy the file again.",
        )
    array = np.frombuffer(content, dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _by_split(pairs: dict[str, Pair], path: Path) -> dict[str, Pair]:
    """The pairs by split, according to their names; the training set first."""
    by_part: dict[str, Pair] = {}
    for stem, pair in pairs.items():
        part = "test" if re.search("t10k|test", stem, re.IGNORECASE) else "train"
        if part in by_part:
            raise DataError(
                f"{path} contains more than one {part} pair: {quote(pairs)}.",
                remedy="Name one file of the pair you want, or move the other pairs to another "
                "folder.",
            )
        by_part[part] = pair
    return {part: by_part[part] for part in ("train", "test") if part in by_part}


def _read_pair(pair: Pair, folder: Path, named: Path | None) -> tuple[Array, Array]:
    """Read the images and labels of a pair; `named` is the file that the user named, if any."""
    path = named or folder
    if len(pair) < 2:
        (kind, present), *_ = pair.items()
        other = "labels" if kind == "images" else "images"
        raise DataError(
            f"{path}: found {present.name}, but not its {other} file.",
            remedy=f"Put the {other} file into the same folder, under its usual name.",
        )
    # The user named one file, which may be a link to anywhere. The other one was found beside it.
    images, labels = (
        read_idx(pair[kind], None if pair[kind] == named else folder)
        for kind in ("images", "labels")
    )
    if images.ndim < 3 or labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(
            f"{path}: {pair['images'].name} has {images.ndim} dimensions and "
            f"{pair['labels'].name} has {labels.ndim} of {labels.dtype}; expected 3 or 4 for the "
            "images, and 1 of integers for the labels.",
            remedy="Check which file is which.",
        )
    if len(images) != len(labels):
        raise DataError(
            f"{path}: {pair['images'].name} has {len(images):,} images but "
            f"{pair['labels'].name} has {len(labels):,} labels.",
            remedy="Use the images and labels of the same data set.",
        )
    return images, labels
