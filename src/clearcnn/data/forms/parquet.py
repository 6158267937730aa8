"""Parquet as Hugging Face writes it: each row has an image struct {bytes, path} and a label."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from clearcnn.bounded_json import parse_json
from clearcnn.data.build_dataset import build_from_files
from clearcnn.data.choices import choose_set
from clearcnn.data.classes import quote, report_unlabelled, shorten
from clearcnn.data.forms.folder import subfolders
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
from clearcnn.language import join, say
from clearcnn.specs import DataSpec
from clearcnn.spelling import did_you_mean

IMAGE_COLUMNS = ("image", "img")
LABEL_COLUMNS = ("label", "labels")

_ROWS_AT_ONCE = 64
_LIMITS = {"thrift_string_size_limit": 2**24, "thrift_container_size_limit": 2**20}

_SHARD = re.compile(r"(.+?)(?:-\d+-of-\d+(?:-\w+)?)?")  # train-00000-of-00002, or test
_NUMBERED = re.compile(r"\d+")
_DATA = "data"


@dataclass(frozen=True)
class Shard:
    """One file: its labelled rows, the class names if its schema has them, and the other rows."""

    entries: list[Entry]
    class_names: tuple[str, ...] | None
    num_unlabelled: int


def recognise(path: Path) -> bool:
    """Whether a file starts as Parquet does, or a folder contains Parquet files."""
    if path.is_dir():
        return bool(find_files(path))
    with open_regular(path) as file:
        return file.read(4) == b"PAR1"


def read(path: Path, spec: DataSpec) -> LabelledImages:
    """Read one Parquet file, or those of a folder, such as a clone of a data set's repository.

    In a folder, files named after a split, such as train-00000-of-00002.parquet or
    train/0000.parquet, belong to it. Files of other splits are left out if there is a training
    split, and so are rows with the label -1, which stands for none.

    Raises:
      MissingExtraError: pyarrow is not installed.
      DataError: a file is damaged, a column or a label is missing, an image cannot be read, or the
        folder has several configurations and the source names none.
    """
    root = path if path.is_dir() else None
    files = [path]
    others: list[Path] = []
    if root is not None:
        configs = find_configs(root)
        if not configs:
            raise DataError(
                say("{path} contains no Parquet files, and no folder 'data' with some.", path=path),
                remedy=say("Name a folder with files such as train-00000-of-00001.parquet."),
            )
        files = configs[choose_set(configs, spec.source, "parquet", path)]
        files, others = _with_known_split(files)
    splits = [None if root is None else _split_name_of(file) for file in files]
    if None in splits and any(splits):
        raise DataError(
            say(
                "{path}: {name} is not named after a split, but other files are.",
                path=path,
                name=files[splits.index(None)].name,
            ),
            remedy=say("Name every file after its split, such as train.parquet, or name one file."),
        )
    order = sorted(range(len(files)), key=lambda k: SPLIT_NAMES.index(splits[k] or "train"))
    shards = [_read_shard(files[k], root, splits[k], spec) for k in order]
    known = {shard.class_names for shard in shards if shard.class_names}
    if len(known) > 1:
        raise DataError(
            say(
                "{path}: the files have different class names, {quote}.",
                path=path,
                quote=join(say(" and "), map(quote, known)),
            ),
            remedy=say("Put files of one data set only into one folder."),
        )
    return build_from_files(
        [entry for shard in shards for entry in shard.entries],
        spec,
        source=say("Parquet file {path}", path=path)
        if root is None
        else say("Parquet files in {path}", path=path),
        known=next(iter(known), None),
        preparation=(*_describe_others(others), *_describe_unlabelled(shards)),
    )


def find_configs(folder: Path) -> dict[str, list[Path]]:
    """Find the configurations of a data set: name → its Parquet files, in natural order.

    Files directly in the folder, or in "data", have the name "default". Another folder with Parquet
    files, or with a folder of some for each split, is a configuration of its name.
    """
    if own := _list_files(folder):
        return {"default": own}
    configs: dict[str, list[Path]] = {}
    for place in subfolders(folder):
        if place.is_symlink():
            if place.name == _DATA:
                reject_folder_link(place)
            continue
        listed = _list_files(place)
        for inner in [] if listed else subfolders(place):
            listed += [] if inner.is_symlink() else _list_files(inner)
        if listed:
            configs["default" if place.name == _DATA else place.name] = listed
    # Splits as folders, such as train/0000.parquet, are one configuration.
    if configs and all(parse_split_name(name) for name in configs):
        return {"default": [file for files in configs.values() for file in files]}
    return configs


def find_files(folder: Path) -> list[Path]:
    """Find the Parquet files of all configurations in a folder, in natural order."""
    return [file for files in find_configs(folder).values() for file in files]


def _list_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.parquet"), key=lambda file: natural_key(file.name))


def _with_known_split(files: list[Path]) -> tuple[list[Path], list[Path]]:
    """Leave out files of other splits, such as "unsupervised", if there is a training split."""
    if "train" not in map(_split_name_of, files):
        return files, []
    named = [file for file in files if _split_name_of(file)]
    others = [file for file in files if file not in named and _stem(file) != file.stem]
    return [file for file in files if file not in others], others


def _stem(file: Path) -> str:
    """Return the name of the split of a file, which may be that of its folder."""
    if _NUMBERED.fullmatch(file.stem):
        return file.parent.name
    match = _SHARD.fullmatch(file.stem)
    return match[1] if match else file.stem


def _describe_others(files: Sequence[Path]) -> tuple[str, ...]:
    names = dict.fromkeys(_stem(file) for file in files)
    return (
        (
            say(
                "Left out: the splits {names}, which are not for training or testing.",
                names=quote(names),
            ),
        )
        if names
        else ()
    )


def _describe_unlabelled(shards: Sequence["Shard"]) -> tuple[str, ...]:
    count = sum(shard.num_unlabelled for shard in shards)
    return (report_unlabelled(count),) if count else ()


def _split_name_of(file: Path) -> str | None:
    return parse_split_name(_stem(file))


def _read_shard(file: Path, root: Path | None, split_name: str | None, spec: DataSpec) -> Shard:
    table = _read_table(file, root, spec)
    image, label = _image_and_label(table.column_names, file, spec)
    columns: list[str] = table.column_names
    contents, paths = _contents(table.column(image), file), _paths(table.column(image))
    labels = _to_list(table.column(label), file)
    group = spec.group_column
    groups = _to_list(table.column(group), file) if group in columns else [None] * len(labels)
    names = _class_names(table.schema, label)
    # The test sets of benchmarks, whose labels are secret. Without names, -1 and 1 may be classes.
    is_none = names is not None or len(set(labels) - {-1, 1}) > 0
    unlabelled = {row for row, value in enumerate(labels) if value == -1 and is_none}
    paths = [None] * len(labels) if paths is None else _to_list(paths, file)
    if None in labels or not all(isinstance(value, (int, str)) for value in labels):
        row = next(k for k, value in enumerate(labels) if not isinstance(value, (int, str)))
        raise DataError(
            say(
                "{file}: row {row} has the label {labels}; expected a class index or a class name.",
                file=file,
                row=row,
                labels=shorten(repr(labels[row])),
            ),
            remedy=say("Remove rows without a label, or correct the labels."),
        )
    entries = [
        Entry(
            name=paths[row] or say("{name} row {row}", name=file.name, row=row),
            label=labels[row],
            read=partial(_read_cell, contents, row, say("{file} row {row}", file=file, row=row)),
            group=None if groups[row] is None else str(groups[row]),
            split_name=split_name,
        )
        for row in range(len(labels))
        if row not in unlabelled
    ]
    return Shard(entries, names, len(unlabelled))


def _to_list(column: Any, file: Path) -> list[Any]:
    """Convert the values of a column to Python objects."""
    try:
        values: list[Any] = column.to_pylist()
    # Invalid Unicode, or a date or number outside Python's range.
    except (ValueError, OverflowError, TypeError, KeyError):
        raise _unreadable(file) from None
    return values


def _image_and_label(columns: Sequence[str], file: Path, spec: DataSpec) -> tuple[str, str]:
    """Find the names of the image column and the label column."""
    image = _find_column(columns, file, spec.image_column, IMAGE_COLUMNS, "image")
    label = _find_column(columns, file, spec.label_column, LABEL_COLUMNS, "label")
    return image, label


def _find_column(
    columns: Sequence[str], file: Path, asked: str | None, usual: Sequence[str], kind: str
) -> str:
    if asked is not None and asked not in columns:
        raise DataError(
            say(
                "{file} has no column {asked!r}; the columns are {columns}.",
                file=file,
                asked=asked,
                columns=quote(columns, 20),
            ),
            remedy=say(
                "{suggestion}Name one of them with --{kind}-column.",
                suggestion=did_you_mean(asked, columns),
                kind=kind,
            ),
        )
    found = [asked] if asked else [name for name in usual if name in columns]
    found = found or [name for name in columns if name.endswith(f"_{kind}")]
    if len(found) == 1 or (found and found[0] in usual):
        return found[0]
    problem = (
        say("it has {number}: {found}", number=len(found), found=quote(found))
        if found
        else say("the columns are {columns}", columns=quote(columns))
    )
    raise DataError(
        say(
            "{file}: expected an image column and a label column; {problem}.",
            file=file,
            problem=problem,
        ),
        remedy=say(
            "Choose the {kind} column: --{kind}-column {found}, or DataSpec(…, "
            "{kind}_column=…) in Python.",
            kind=kind,
            found=found[0] if found else say("NAME"),
        ),
    )


def _read_table(file: Path, root: Path | None, spec: DataSpec) -> Any:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtraError(
            say("{file} is a Parquet file, and the package pyarrow is not installed.", file=file),
            remedy=say("Run pip install 'clearcnn[parquet]'."),
        ) from None
    try:
        with open_regular(file, root) as opened, parquet.ParquetFile(opened, **_LIMITS) as table:
            groups = [table.metadata.row_group(k) for k in range(table.metadata.num_row_groups)]
            check_decompressed_size(sum(group.total_byte_size for group in groups), file)
            there = table.schema_arrow.names
            needed = {*_image_and_label(there, file, spec), spec.group_column}
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
        say(
            "{file} cannot be read as Parquet: it is damaged, truncated, or not a Parquet file.",
            file=file,
        ),
        remedy=say("Download or write the file again."),
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
        say(
            "{file}: the images are stored as {kind}; expected a struct of bytes and path.",
            file=file,
            kind=kind,
        ),
        remedy=say("Store encoded images, as the Image feature of Hugging Face does."),
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
        fault = (
            say("has {num_bytes:,} bytes", num_bytes=len(content))
            if content
            else say("has no bytes")
        )
        raise DataError(
            say(
                "{place}: the image {fault}; expected 1 to {largest_image_bytes:,}.",
                place=place,
                fault=fault,
                largest_image_bytes=LARGEST_IMAGE_BYTES,
            ),
            remedy=say("Embed the encoded images when writing the file."),
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
