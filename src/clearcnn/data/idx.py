"""MNIST's own format: pairs of IDX files, images and labels, gzipped or not.

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database", section "File formats".
"""

import gzip
import math
import re
import zlib
from collections import defaultdict
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from clearcnn.data.arrays import join_parts, prepare_array
from clearcnn.data.build_dataset import assemble
from clearcnn.data.classes import quote
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.data.safe_files import check_decompressed_size, describe_content, open_regular
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec

# Third byte of the magic number → dtype, the most significant byte first.
DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

_NAME = re.compile(r"(.*?)(images|labels)[-.]idx\d[-.]ubyte(?:\.gz)?", re.IGNORECASE)
_GZIP = b"\x1f\x8b"

Pair = dict[str, Path]


def read(path: Path, spec: DataSpec) -> LabelledImages:
    """Read the pairs of a folder, or the one pair that a file belongs to.

    The pair called t10k or test is the test part if there is a training pair beside it.

    Raises:
      DataError: a pair is not complete, a file is not IDX, too short or too long, or counts
        differ.
    """
    folder, named = (path, None) if path.is_dir() else (path.parent, path)
    pairs = find_pairs(folder)
    if named is not None:
        pairs = {stem: pair for stem, pair in pairs.items() if named in pair.values()}
    if not pairs:
        raise DataError(
            f"{path}: no IDX files by their usual names; {folder} holds "
            f"{describe_content(folder)}.",
            remedy="Name them such as train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz.",
        )
    by_part = _by_part(pairs, path)
    arrays = {part: _read_pair(by_part[part], folder, named) for part in by_part}
    shapes = {images.shape[1:] for images, _ in arrays.values()}
    if len(shapes) > 1:
        raise DataError(
            f"{path}: the parts have images of different shapes, "
            f"{' and '.join('×'.join(map(str, shape)) for shape in sorted(shapes))}.",
            remedy="Put only files that belong together into one folder.",
        )
    source = f"IDX files in {path}" if named is None else f"the IDX pair of {path}"
    images = join_parts([images for images, _ in arrays.values()])
    images, preparation = prepare_array(images, spec, source)
    rows = [(part, row) for part, (_, labels) in arrays.items() for row in range(len(labels))]
    return assemble(
        images,
        np.concatenate([labels for _, labels in arrays.values()]),
        spec,
        source=source,
        names=[f"{part} row {row}" if len(arrays) > 1 else f"row {row}" for part, row in rows],
        parts=[part for part, _ in rows] if len(arrays) > 1 else None,
        preparation=preparation,
    )


def is_idx_name(name: str) -> bool:
    """Whether a file is called as IDX files usually are."""
    return _NAME.fullmatch(name) is not None


def find_pairs(folder: Path) -> dict[str, Pair]:
    """Stem, such as "train-" → its files "images" and "labels", by the names in a folder."""
    pairs: dict[str, Pair] = defaultdict(dict)
    for path in sorted(folder.iterdir()):
        if not (match := _NAME.fullmatch(path.name)):
            continue
        stem, kind = match[1], match[2].lower()
        if kind in pairs[stem]:
            raise DataError(
                f"{folder} holds both {pairs[stem][kind].name} and {path.name}.",
                remedy="Keep one of them.",
            )
        pairs[stem][kind] = path
    return dict(pairs)


def read_idx(path: Path, root: Path | None = None) -> NDArray[Any]:
    """The array of one IDX file, gzipped or not, in the machine's byte order.

    Args:
      path, root: as for `open_regular`.
    Raises:
      DataError: the magic number or the length is wrong, or the gzip stream is broken.
    """
    with open_regular(path, root) as file:
        zipped = file.read(2) == _GZIP
        file.seek(0)
        try:
            with gzip.open(file) if zipped else file as stream:
                return _read_array(cast(BinaryIO, stream), path)
        except (EOFError, OSError, zlib.error) as error:
            fault = "cut off" if isinstance(error, EOFError) else "damaged"
            raise DataError(
                f"{path} cannot be unpacked: its gzip data are {fault}.",
                remedy="Fetch or copy the file again.",
            ) from None


def _read_array(stream: BinaryIO, path: Path) -> NDArray[Any]:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in DTYPES or not 1 <= magic[3] <= 4:
        raise DataError(
            f"{path} starts with the bytes {magic.hex(' ')}; an IDX file starts with 00 00, a "
            "type from 08 to 0e, and the number of dimensions.",
            remedy="Check that this is an IDX file.",
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
            f"holds {holds}.",
            remedy="Fetch or copy the file again.",
        )
    array = np.frombuffer(content, dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _by_part(pairs: dict[str, Pair], path: Path) -> dict[str, Pair]:
    """The pairs by the part their names say, the training part first."""
    by_part: dict[str, Pair] = {}
    for stem, pair in pairs.items():
        part = "test" if re.search("t10k|test", stem, re.IGNORECASE) else "train"
        if part in by_part:
            raise DataError(
                f"{path} holds more than one {part} pair: {quote(pairs)}.",
                remedy="Name one file of the pair you want, or move the others away.",
            )
        by_part[part] = pair
    return {part: by_part[part] for part in ("train", "test") if part in by_part}


def _read_pair(pair: Pair, folder: Path, named: Path | None) -> tuple[NDArray[Any], NDArray[Any]]:
    """Images and labels of a pair in a folder; `named` is the file that the user named, if any."""
    path = named or folder
    if len(pair) < 2:
        (kind, present), *_ = pair.items()
        other = "labels" if kind == "images" else "images"
        raise DataError(
            f"{path}: {present.name} is there, but its {other} file is not.",
            remedy=f"Put the {other} file beside it, under its usual name.",
        )
    # Only the file that was named may be a link to elsewhere; the other one was found beside it.
    images, labels = (
        read_idx(pair[kind], None if pair[kind] == named else folder)
        for kind in ("images", "labels")
    )
    if images.ndim < 3 or labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(
            f"{path}: {pair['images'].name} has {images.ndim} dimensions and "
            f"{pair['labels'].name} has {labels.ndim} of {labels.dtype}; 3 or 4, and 1 of "
            "integers, were expected.",
            remedy="Check which file is which.",
        )
    if len(images) != len(labels):
        raise DataError(
            f"{path}: {pair['images'].name} holds {len(images):,} images but "
            f"{pair['labels'].name} holds {len(labels):,} labels.",
            remedy="Use files that belong together.",
        )
    return images, labels
