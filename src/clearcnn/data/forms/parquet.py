"""Parquet as Hugging Face writes it: each row has an image struct {bytes, path} and a label."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from clearcnn.bounded_json import parse_json
from clearcnn.data.build_dataset import build_from_files
from clearcnn.data.classes import quote, shorten
from clearcnn.data.image_files import Entry
from clearcnn.data.labelled_images import SPLIT_NAMES, LabelledImages
from clearcnn.data.natural_sort import natural_key
from clearcnn.data.safe_files import (
    LARGEST_IMAGE_BYTES,
    check_decompressed_size,
    open_regular,
    reject_folder_link,
)
from clearcnn.data.split_names import parse_split_name
from clearcnn.errors import ClearCNNError, DataError, MissingExtraError
from clearcnn.specs import DataSpec

IMAGE_COLUMNS = ("image", "img")
LABEL_COLUMNS = ("label", "labels")

_ROWS_AT_ONCE = 64
_LIMITS = {"thrift_string_size_limit": 2**24, "thrift_container_size_limit": 2**20}

_SHARD = re.compile(r"(.+?)(?:-\d+-of-\d+(?:-\w+)?)?")  # train-00000-of-00002, or test


@dataclass(frozen=True)
class Shard:
    """One file: its rows, and the class names if its schema has them."""

    entries: list[Entry]
    class_names: tuple[str, ...] | None


def recognise(path: Path) -> bool:
    """Whether a file starts as Parquet does, or a folder contains Parquet files."""
    if path.is_dir():
        return bool(find_files(path))
    with open_regular(path) as file:
        return file.read(4) == b"PAR1"


def read(path: Path, spec: DataSpec) -> LabelledImages:
    """Read one Parquet file, or those of a folder or of the folder "data" in it.

    In a folder, files named after a split, such as train-00000-of-00002.parquet, belong to it.

    Raises:
      MissingExtraError: pyarrow is not installed.
      DataError: a file is damaged, a column or a label is missing, or an image cannot be read.
    """
    root = path if path.is_dir() else None
    files = [path] if root is None else find_files(path)
    if not files:
        raise DataError(
            f"{path} contains no Parquet files, and no folder 'data' with some.",
            remedy="Name a folder with files such as train-00000-of-00001.parquet.",
        )
    splits = [None if root is None else _split_name_of(file) for file in files]
    if None in splits and any(splits):
        raise DataError(
            f"{path}: {files[splits.index(None)].name} is not named after a split, but other files "
            "are.",
            remedy="Name every file after its split, such as train.parquet, or name one file.",
        )
    order = sorted(range(len(files)), key=lambda k: SPLIT_NAMES.index(splits[k] or "train"))
    shards = [_read_shard(files[k], root, splits[k]) for k in order]
    known = {shard.class_names for shard in shards if shard.class_names}
    if len(known) > 1:
        raise DataError(
            f"{path}: the files have different class names, {' and '.join(map(quote, known))}.",
            remedy="Put files of one data set only into one folder.",
        )
    return build_from_files(
        [entry for shard in shards for entry in shard.entries],
        spec,
        source=f"Parquet file {path}" if root is None else f"Parquet files in {path}",
        known=next(iter(known), None),
    )


def find_files(folder: Path) -> list[Path]:
    """Find the Parquet files in a folder, or else in its folder "data", in natural order."""
    for place in (folder, folder / "data"):
        if place is not folder and place.is_dir():
            reject_folder_link(place)
        if found := list(place.glob("*.parquet")):
            return sorted(found, key=lambda file: natural_key(file.name))
    return []


def _split_name_of(file: Path) -> str | None:
    match = _SHARD.fullmatch(file.stem)
    return parse_split_name(match[1]) if match else None


def _read_shard(file: Path, root: Path | None, split_name: str | None) -> Shard:
    table = _read_table(file, root)
    image, label = _image_and_label(table.column_names, file)
    columns: list[str] = table.column_names
    contents, paths = _contents(table.column(image), file), _paths(table.column(image))
    labels = _to_list(table.column(label), file)
    groups = _to_list(table.column("group"), file) if "group" in columns else [None] * len(labels)
    paths = [None] * len(labels) if paths is None else _to_list(paths, file)
    if None in labels or not all(isinstance(value, (int, str)) for value in labels):
        row = next(k for k, value in enumerate(labels) if not isinstance(value, (int, str)))
        raise DataError(
            f"{file}: row {row} has the label {shorten(repr(labels[row]))}; expected a class index "
            "or a class name.",
            remedy="Remove rows without a label, or correct the labels.",
        )
    entries = [
        Entry(
            name=paths[row] or f"{file.name} row {row}",
            label=labels[row],
            read=partial(_read_cell, contents, row, f"{file} row {row}"),
            group=None if groups[row] is None else str(groups[row]),
            split_name=split_name,
        )
        for row in range(len(labels))
    ]
    return Shard(entries, _class_names(table.schema, label))


def _to_list(column: Any, file: Path) -> list[Any]:
    """Convert the values of a column to Python objects."""
    try:
        values: list[Any] = column.to_pylist()
    # Invalid Unicode, or a date or number outside Python's range.
    except (ValueError, OverflowError, TypeError, KeyError):
        raise _unreadable(file) from None
    return values


def _image_and_label(columns: Sequence[str], file: Path) -> tuple[str, str]:
    """Find the names of the image column and the label column."""
    image = next((name for name in IMAGE_COLUMNS if name in columns), None)
    label = next((name for name in LABEL_COLUMNS if name in columns), None)
    if image is None or label is None:
        raise DataError(
            f"{file}: expected an image column and a label column; the columns are "
            f"{quote(columns)}.",
            remedy=f"Name them {IMAGE_COLUMNS[0]!r} and {LABEL_COLUMNS[0]!r}.",
        )
    return image, label


def _read_table(file: Path, root: Path | None) -> Any:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtraError(
            f"{file} is a Parquet file, and the package pyarrow is not installed.",
            remedy="Run pip install 'clearcnn[parquet]'.",
        ) from None
    try:
        with open_regular(file, root) as opened, parquet.ParquetFile(opened, **_LIMITS) as table:
            groups = [table.metadata.row_group(k) for k in range(table.metadata.num_row_groups)]
            check_decompressed_size(sum(group.total_byte_size for group in groups), file)
            there = table.schema_arrow.names
            needed = {*_image_and_label(there, file), "group"}
            columns = [name for name in there if name in needed]
            num_bytes, batches = 0, []
            # A dictionary-encoded column may repeat one image a million times, so reading is
            # counted.
            for batch in table.iter_batches(_ROWS_AT_ONCE, columns=columns, use_threads=False):
                num_bytes += batch.nbytes
                check_decompressed_size(num_bytes, file)
                batches.append(batch)
            schema = table.schema_arrow.empty_table().select(columns).schema
            return pyarrow.Table.from_batches(batches, schema)
    except (pyarrow.ArrowException, OSError, ValueError, KeyError) as error:
        if isinstance(error, ClearCNNError):
            raise
        raise _unreadable(file) from None


def _unreadable(file: Path) -> DataError:
    return DataError(
        f"{file} cannot be read as Parquet: it is damaged, truncated, or not a Parquet file.",
        remedy="Download or write the file again.",
    )


def _contents(column: Any, file: Path) -> Any:
    """Get the encoded images of a column: of a struct with bytes, or of plain bytes."""
    from pyarrow import compute, types

    kind = column.type
    if types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        column = compute.struct_field(column, "bytes")
    if types.is_binary(column.type) or types.is_large_binary(column.type):
        return column
    raise DataError(
        f"{file}: the images are stored as {kind}; expected a struct of bytes and path.",
        remedy="Store encoded images, as the Image feature of Hugging Face does.",
    )


def _paths(column: Any) -> Any:
    """Get the column of the images' paths; None without one."""
    from pyarrow import compute, types

    if types.is_struct(column.type) and column.type.get_field_index("path") >= 0:
        return compute.struct_field(column, "path")
    return None


def _read_cell(column: Any, row: int, place: str) -> bytes:
    content: bytes | None = column[row].as_py()
    if not content or len(content) > LARGEST_IMAGE_BYTES:
        fault = f"has {len(content):,} bytes" if content else "has no bytes"
        raise DataError(
            f"{place}: the image {fault}; expected 1 to {LARGEST_IMAGE_BYTES:,}.",
            remedy="Embed the encoded images when writing the file.",
        )
    return content


def _class_names(schema: Any, label: str) -> tuple[str, ...] | None:
    """Get the names of a ClassLabel feature from Hugging Face's part of the schema."""
    try:
        features = parse_json(schema.metadata[b"huggingface"])["info"]["features"]
        names = features[label]["names"]
    except (KeyError, TypeError, ValueError):
        return None
    return tuple(map(str, names)) if isinstance(names, list) else None
