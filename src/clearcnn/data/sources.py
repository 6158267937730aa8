"""`load`: reads every kind of source, which it detects or the user names by a prefix."""

import dataclasses
import os
import re
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path

from clearcnn.data import csv_pixels, digits, folder, idx, metadata, npz, parquet
from clearcnn.data.decode_image import SUFFIXES
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.data.safe_files import open_regular
from clearcnn.data.tables import read_header
from clearcnn.data.use_list import apply_use_list
from clearcnn.errors import DataError
from clearcnn.specs import ColorMode, DataSpec
from clearcnn.spelling import did_you_mean

Reader = Callable[[Path, DataSpec], LabelledImages]

READERS: dict[str, Reader] = {
    "folder": folder.read,
    "metadata": metadata.read,
    "idx": idx.read,
    "npz": npz.read,
    "csv": csv_pixels.read,
    "parquet": parquet.read,
}

_REMEDY = (
    "Name 'digits', a folder or a file; a prefix states the kind of source: "
    f"{', '.join(f'{kind}:' for kind in READERS)}."
)
_PREFIXED = re.compile(r"([A-Za-z_]{2,}):(.+)", re.DOTALL)


def load(
    source: str | PathLike[str] | DataSpec = "digits",
    *,
    size: int | tuple[int, int] | None = None,
    color_mode: ColorMode = "auto",
    class_names: Sequence[str] | None = None,
    skip_unreadable: bool = False,
) -> LabelledImages:
    """Read labelled images from any source.

    Args:
      source: "digits", a path to a folder of class folders, a folder or table with file names
        and labels, IDX files, an NPZ file, a CSV file of pixels, or Parquet files; a prefix
        such as "folder:" states the kind. A DataSpec has the other arguments, too.
      size: (height, width), or one int for both, to resize to; None keeps the common size if it is
        at most 96 pixels, and otherwise chooses one, which `preparation` states.
      color_mode: "grayscale" or "rgb" converts; "auto" is greyscale if every image is.
      class_names: exactly the classes of the data, in the order to use; None sorts naturally.
      skip_unreadable: skip files that cannot be read, and list them in `skipped`.
    Returns:
      LabelledImages of at least two classes with at least two images each; or of at least one image
      if a DataSpec says that the images are not for training.
    Raises:
      DataError: the source is missing, unknown, unreadable or inconsistent.
      SpecError: an argument is out of its range.
      MissingExtraError: the source needs a package that is not installed.
    """
    spec = (
        source
        if isinstance(source, DataSpec)
        else DataSpec(
            source=os.fspath(source),
            size=(size, size) if isinstance(size, int) else size,
            color_mode=color_mode,
            class_names=None if class_names is None else tuple(class_names),
            skip_unreadable=skip_unreadable,
        )
    )
    if spec.use is not None:
        whole = dataclasses.replace(spec, use=None, skip_unreadable=True)
        return apply_use_list(load(whole), Path(spec.use))
    if spec.source == "digits":
        _require_table(spec, "digits")
        return digits.read(spec)
    try:
        kind, path = recognise(spec.source)
        _require_table(spec, kind)
        return READERS[kind](path, spec)
    except OSError as error:
        raise DataError(
            f"{error.filename or spec.source} cannot be read: {error.strerror or error}.",
            remedy="Check the path, its permissions and the disk.",
        ) from None


def _require_table(spec: DataSpec, kind: str) -> None:
    if spec.group_column != "group" and kind != "metadata":
        raise DataError(
            f"{spec.source} has no metadata file, and so no column {spec.group_column!r} to group "
            "images by.",
            remedy="Leave out the group column, or write metadata.csv with the columns file_name, "
            "label "
            f"and {spec.group_column}.",
        )


def recognise(source: str) -> tuple[str, Path]:
    """Detect the kind of a source, a key of READERS, and its path.

    Raises:
      DataError: the path does not exist, or is no source that can be read.
    """
    forced = None
    path = Path(source).expanduser()
    if (match := _PREFIXED.fullmatch(source)) and not path.exists():
        forced, path = match[1], Path(match[2]).expanduser()
        if forced not in READERS:
            raise DataError(
                f"The source {source!r} has the unknown prefix {forced!r}.",
                remedy=f"{did_you_mean(forced, READERS)}{_REMEDY}",
            )
    if not path.exists():
        raise DataError(
            f"There is no file or folder {str(path)!r}.",
            remedy=f"{_suggest_path(path)}{_REMEDY}",
        )
    if forced == "folder" and not path.is_dir():
        raise DataError(f"{path} is not a folder.", remedy="Name the folder, or leave out folder:.")
    if forced:
        return forced, path
    return (_kind_of_folder(path) if path.is_dir() else _kind_of_file(path)), path


def _kind_of_folder(path: Path) -> str:
    if metadata.find_tables(path):
        return "metadata"
    if idx.find_pairs(path):
        return "idx"
    if parquet.find_files(path):
        return "parquet"
    # If there are no class folders either, its reader's error lists what was looked for.
    return "folder"


def _kind_of_file(path: Path) -> str:
    with open_regular(path) as file:
        start = file.read(4)
    suffix = path.suffix.lower()
    if start == b"PAR1":
        return "parquet"
    if suffix == ".npz":
        return "npz"
    if suffix in (".jsonl", ".ndjson"):
        return "metadata"
    if suffix == ".csv":
        return "metadata" if "file_name" in read_header(path) else "csv"
    if idx.is_idx_name(path.name):
        return "idx"
    what = "a single image" if suffix in SUFFIXES else f"a file that starts with {start.hex(' ')}"
    raise DataError(
        f"{path} is {what}, not a data set. Expected an .npz, .csv, .jsonl, Parquet or IDX file.",
        remedy="Name the folder that contains the class folders, or unpack the file first.",
    )


def _suggest_path(path: Path) -> str:
    neighbours = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    if near := did_you_mean(path.name, neighbours):
        return near
    return did_you_mean(str(path), ["digits"])
