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
from clearcnn.data.choices import choose_set
from clearcnn.data.class_maps import name_labels, read_mapping
from clearcnn.data.classes import quote
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.data.safe_files import check_decompressed_size, describe_content, open_regular
from clearcnn.errors import DataError
from clearcnn.language import join, say
from clearcnn.specs import DataSpec
from clearcnn.types import Array

# Third byte of the magic number → big-endian dtype.
DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

_NAME = re.compile(r"(.*?)(images|labels)[-.]idx\d[-.](?:ubyte|int|short)(?:\.gz)?", re.IGNORECASE)
_QMNIST_COLUMNS = 8
"""QMNIST's labels have the class, and then the writer and other facts."""
_GZIP = b"\x1f\x8b"

# The words of the usual names; KMNIST's and EMNIST's files begin with the name of the set.
_SPLITS = {"train": "train", "training": "train", "t10k": "test", "test": "test", "testing": "test"}

Pair = dict[str, Path]


def recognise(path: Path) -> bool:
    """Whether a file has one of the usual names, or a folder has such files."""
    return bool(find_pairs(path)) if path.is_dir() else _NAME.fullmatch(path.name) is not None


def read(path: Path, spec: DataSpec) -> LabelledImages:
    """Read the pairs of a folder, or the one pair that a file belongs to.

    A pair named t10k or test is the test set if there is a training pair too. Of several sets in a
    folder, such as EMNIST's, the source names one after a "#".

    Raises:
      DataError: a pair is incomplete, a file is not IDX, too short or too long, or the numbers of
        images and labels differ.
    """
    folder, named = (path, None) if path.is_dir() else (path.parent, path)
    if named is not None and named.suffix == ".gz" and named.with_suffix("").is_file():
        named = named.with_suffix("")
    pairs = find_pairs(folder)
    if named is not None:
        pairs = {stem: pair for stem, pair in pairs.items() if named in pair.values()}
    if not pairs:
        raise DataError(
            say(
                "{path}: no IDX files with the usual names found; {folder} contains {found}.",
                path=path,
                folder=folder,
                found=describe_content(folder),
            ),
            remedy=say(
                "Name them such as train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz."
            ),
        )
    sets = _by_set(pairs, path)
    name = choose_set(sets, spec.source, "idx", path)
    by_part = sets[name]
    said = _describe_twins(folder, by_part)
    arrays = {part: _read_pair(by_part[part], folder, named) for part in by_part}
    if name.startswith("emnist"):
        arrays = {part: (x.swapaxes(1, 2), y) for part, (x, y) in arrays.items()}
        said = (*said, say("EMNIST's images, which are stored column by column, turned upright."))
    shapes = {images.shape[1:] for images, _ in arrays.values()}
    if len(shapes) > 1:
        raise DataError(
            say(
                "{path}: the pairs have images of different shapes, {shapes}.",
                path=path,
                shapes=join(say(" and "), ("×".join(map(str, shape)) for shape in sorted(shapes))),
            ),
            remedy=say("Put files of one data set only into one folder."),
        )
    source = (
        say("IDX files in {path}", path=path)
        if named is None
        else say("the IDX pair of {path}", path=path)
    )
    images = join_arrays([images for images, _ in arrays.values()])
    images, preparation = prepare_array(images, spec, source)
    rows = [(part, row) for part, (_, labels) in arrays.items() for row in range(len(labels))]
    return build_from_array(
        images,
        name_labels(
            np.concatenate([labels for _, labels in arrays.values()]),
            read_mapping(folder, name),
            path,
        ),
        spec,
        source=source,
        names=[
            say("{part} row {row}", part=part, row=row)
            if len(arrays) > 1
            else say("row {row}", row=row)
            for part, row in rows
        ],
        split_names=[part for part, _ in rows] if len(arrays) > 1 else None,
        preparation=(*said, *preparation),
    )


def find_pairs(folder: Path) -> dict[str, Pair]:
    """Find the pairs in a folder: stem, such as "train-" → its files "images" and "labels".

    Of a file and the same file gzipped, as torchvision leaves them, the first is taken.
    """
    pairs: dict[str, Pair] = defaultdict(dict)
    for path in sorted(folder.iterdir()):
        # Kaggle's MNIST has folders of these names beside the files.
        if not (match := _NAME.fullmatch(path.name)) or path.is_dir():
            continue
        stem, kind = match[1], match[2].lower()
        before = pairs[stem].get(kind)
        if before is not None and path.name == f"{before.name}.gz":
            continue
        if before is not None:
            raise DataError(
                say(
                    "{folder} contains both {name} and {other_name}.",
                    folder=folder,
                    name=before.name,
                    other_name=path.name,
                ),
                remedy=say("Keep one of them."),
            )
        pairs[stem][kind] = path
    return dict(pairs)


def _describe_twins(folder: Path, pairs: dict[str, Pair]) -> tuple[str, ...]:
    files = [path for pair in pairs.values() for path in pair.values()]
    twins = [path.name for path in files if (folder / f"{path.name}.gz").exists()]
    if not twins:
        return ()
    return (say("{files} read, and not the same names with .gz beside them.", files=quote(twins)),)


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
            fault = say("truncated") if isinstance(error, EOFError) else say("damaged")
            raise DataError(
                say(
                    "{path} cannot be decompressed: its gzip data are {fault}.",
                    path=path,
                    fault=fault,
                ),
                remedy=say("Download or copy the file again."),
            ) from None


def _read_array(stream: BinaryIO, path: Path) -> Array:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in DTYPES or not 1 <= magic[3] <= 4:
        raise DataError(
            say(
                "{path} is not an IDX file: it starts with the bytes {hex}; expected 00 00, a "
                "type from 08 to 0e, and the number of dimensions from 01 to 04.",
                path=path,
                hex=magic.hex(" "),
            ),
            remedy=say("Check the file, or download it again."),
        )
    head = stream.read(4 * magic[3])
    shape = tuple(np.frombuffer(head[: len(head) // 4 * 4], ">u4").tolist())
    dtype = np.dtype(DTYPES[magic[2]])
    num_bytes = math.prod(shape) * dtype.itemsize
    check_decompressed_size(num_bytes, path)
    content = stream.read(num_bytes + 1)
    if len(shape) != magic[3] or len(content) != num_bytes:
        holds = (
            say("more bytes")
            if len(content) > num_bytes
            else say("only {num_bytes:,}", num_bytes=len(content))
        )
        raise DataError(
            say(
                "{path} declares the shape {shape}, {num_bytes:,} bytes, but contains {holds}.",
                path=path,
                shape="×".join(map(str, shape)),
                num_bytes=num_bytes,
                holds=holds,
            ),
            remedy=say("Download or copy the file again."),
        )
    array = np.frombuffer(content, dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _by_set(pairs: dict[str, Pair], path: Path) -> dict[str, dict[str, Pair]]:
    """Group pairs by set and split: emnist-letters-train → "emnist-letters", "train"."""
    sets: dict[str, dict[str, Pair]] = defaultdict(dict)
    for stem, pair in pairs.items():
        words = re.findall(r"[^\W_]+", stem.lower())
        splits = {split for word in words if (split := _SPLITS.get(word))}
        part = "test" if "test" in splits else "train"
        name = "-".join(word for word in words if word not in _SPLITS)
        if part in sets[name]:
            raise DataError(
                say(
                    "{path} contains more than one {part} pair: {pairs}.",
                    path=path,
                    part=part,
                    pairs=quote(pairs),
                ),
                remedy=say(
                    "Name one file of the pair you want, or move the other pairs to another folder."
                ),
            )
        sets[name][part] = pair
    return {
        name: {part: found[part] for part in ("train", "test") if part in found}
        for name, found in sets.items()
    }


def _read_pair(pair: Pair, folder: Path, named: Path | None) -> tuple[Array, Array]:
    """Read the images and labels of a pair; `named` is the file that the user named, if any."""
    path = named or folder
    if len(pair) < 2:
        (kind, present), *_ = pair.items()
        other = say("labels") if kind == "images" else say("images")
        raise DataError(
            say(
                "{path}: found {name}, but not its {other} file.",
                path=path,
                name=present.name,
                other=other,
            ),
            remedy=say(
                "Put the {other} file into the same folder, under its usual name.", other=other
            ),
        )
    # The user named one file, which may be a link to anywhere. The other one was found beside it.
    images, labels = (
        read_idx(pair[kind], None if pair[kind] == named else folder)
        for kind in ("images", "labels")
    )
    if labels.ndim == 2 and labels.shape[1] == _QMNIST_COLUMNS:
        labels = labels[:, 0]
    if images.ndim < 3 or labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(
            say(
                "{path}: {name} has {ndim} dimensions and {other_name} has {other_ndim} of "
                "{dtype}; "
                "expected 3 or 4 for the images, and 1 of integers for the labels.",
                path=path,
                name=pair["images"].name,
                ndim=images.ndim,
                other_name=pair["labels"].name,
                other_ndim=labels.ndim,
                dtype=labels.dtype,
            ),
            remedy=say("Check which file is which."),
        )
    if len(images) != len(labels):
        raise DataError(
            say(
                "{path}: {name} has {num_images:,} images but {other_name} has {num_labels:,} "
                "labels.",
                path=path,
                name=pair["images"].name,
                num_images=len(images),
                other_name=pair["labels"].name,
                num_labels=len(labels),
            ),
            remedy=say("Use the images and labels of the same data set."),
        )
    return images, labels
