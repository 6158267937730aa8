"""Tables of pixels: one image per row, in a file, or in one file for each split."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clearcnn.data.array_labels import tidy_labels
from clearcnn.data.arrays import join_arrays, prepare_array, whole_numbers
from clearcnn.data.build_dataset import build_from_array
from clearcnn.data.choices import choose_set
from clearcnn.data.class_maps import name_labels, read_mapping
from clearcnn.data.classes import quote, shorten
from clearcnn.data.column_options import reject_columns
from clearcnn.data.image_search import has_images
from clearcnn.data.label_tables.split_cells import find_split_word
from clearcnn.data.labelled_images import SPLIT_NAMES, Images, LabelledImages
from clearcnn.data.natural_sort import natural_key
from clearcnn.data.pixel_tables.find_label import split_label
from clearcnn.data.pixel_tables.layout import Layout, find_layout, is_pixel_table
from clearcnn.data.pixel_tables.places import arrange_columns, has_places
from clearcnn.data.pixel_tables.rows import read_rows
from clearcnn.data.safe_files import is_hidden
from clearcnn.data.split_names import ACCEPTED
from clearcnn.data.tables import table_suffix
from clearcnn.errors import DataError
from clearcnn.language import join, say
from clearcnn.specs import DataSpec
from clearcnn.types import Array

# optdigits.tra and optdigits.tes
_SPLIT_SUFFIXES = {".tra": "train", ".tes": "test"}


@dataclass(frozen=True, eq=False)
class PixelTable:
    """The images of one file.

    Attributes:
      images: (n, height, width) or (n, height, width, 3).
      labels: (n,) of str or int64; None if the file has none.
      words: the columns "group" and "split", if there are any.
      sentences: how it was read.
    """

    images: Images
    labels: Array | None
    words: dict[str, list[str]]
    sentences: tuple[str, ...]


def recognise(path: Path) -> bool:
    """Whether a file is a .csv or another table of pixels, or a folder has such and no images."""
    if not path.is_dir():
        return table_suffix(path) == ".csv" or is_pixel_table(path)
    return bool(_find_tables(path)) and not has_images(path)


def read(path: Path, spec: DataSpec) -> LabelledImages:
    """Read one table of pixels, or those of a folder, one for each split.

    The shape of the images comes from column names such as pixel_3_4 (row, column, optionally
    channel); otherwise from the size of the spec; otherwise the image is square, in grey or colour.
    Columns named group and split have their usual meaning.

    Raises:
      DataError: no column is clearly the label, the pixels fit no shape, or a cell is empty or not
        a number.
    """
    reject_columns(spec, path, "image_column")
    if not path.is_dir():
        return _build({None: read_pixel_table(path, None, spec)}, spec, path, path)
    sets = _by_set(_find_tables(path))
    name = choose_set(sets, spec.source, "csv", path)
    tables = {
        split: read_pixel_table(file, path, spec)
        for split, file in sorted(
            sets[name].items(), key=lambda each: SPLIT_NAMES.index(each[0] or "train")
        )
    }
    unlabelled = [sets[name][split].name for split, table in tables.items() if table.labels is None]
    said = (
        [
            say(
                "Images without labels left out: {unlabelled}. Give them to predict, once the "
                "model is trained.",
                unlabelled=quote(unlabelled),
            )
        ]
        if unlabelled
        else []
    )
    labelled = {split: table for split, table in tables.items() if table.labels is not None}
    if not labelled:
        raise _no_label(sets[name][next(iter(tables))])
    if len(labelled) == 1:
        labelled = {None: next(iter(labelled.values()))}
    return _build(labelled, spec, path, path, said, read_mapping(path, name))


def read_pixel_table(path: Path, root: Path | None, spec: DataSpec) -> PixelTable:
    """Read one file, with or without labels.

    Raises:
      DataError: as `read`.
    """
    layout = find_layout(path, root, spec)
    numbers, words = read_rows(path, root, layout)
    labels: Array | None = np.array(words.pop("label")) if "label" in words else None
    sentences = [_describe_ignored(layout)] if layout.ignored else []
    pixels: Array = numbers
    named = [layout.names[k] for k in layout.numbers]
    if labels is None and layout.cell is None and not has_places(named):
        found, pixels, said = split_label(numbers, spec, path)
        labels = (
            None
            if found is None
            else tidy_labels(found, say("{path}: the label", path=path), len(found))
        )
        sentences += [said] if said else []
    known = named if layout.cell is None and layout.has_names else ()
    images, said_of_rows = arrange_columns(whole_numbers(pixels), known, spec, str(path))
    return PixelTable(images, labels, words, (*sentences, *said_of_rows))


def read_images_of_rows(path: Path, size: tuple[int, int]) -> Images:
    """Read the images of a table of pixels, whether or not it has labels too.

    Args:
      path: the file.
      size: (height, width) of images that are not square.
    Returns:
      (n, height, width, 1 or 3), with the values of the table.
    Raises:
      DataError: as `read`, except that a label is not needed.
    """
    images = read_pixel_table(path, None, DataSpec(size=size)).images
    return images if images.ndim == 4 else images[..., np.newaxis]


def _find_tables(folder: Path) -> list[Path]:
    found = [
        path
        for path in folder.iterdir()
        if not is_hidden(path.name)
        and path.is_file()
        and is_pixel_table(path)
        # Of a file and the same file gzipped, one is read.
        and not (path.suffix.lower() == ".gz" and path.with_suffix("").exists())
    ]
    return sorted(found, key=lambda path: natural_key(path.name))


def _by_set(files: Sequence[Path]) -> dict[str, dict[str | None, Path]]:
    """Group the files of a folder: name of the set → split → file."""
    sets: dict[str, dict[str | None, Path]] = defaultdict(dict)
    for file in files:
        split = _SPLIT_SUFFIXES.get(table_suffix(file)) or find_split_word(file.name)
        words = re.findall(r"[^\W_]+", file.stem.lower())
        name = "-".join(word for word in words if find_split_word(word) is None)
        if split in sets[name]:
            name = file.name
        sets[name][split] = file
    return dict(sets)


def _build(
    tables: dict[str | None, PixelTable],
    spec: DataSpec,
    path: Path,
    place: Path,
    said: Sequence[str] = (),
    class_names: Mapping[int, str] | None = None,
) -> LabelledImages:
    labels = [table.labels for table in tables.values() if table.labels is not None]
    if len(labels) < len(tables):
        raise _no_label(path)
    shapes = {table.images.shape[1:] for table in tables.values()}
    if len(shapes) > 1:
        raise DataError(
            say(
                "{path}: the files have images of different shapes, {shapes}.",
                path=path,
                shapes=join(say(" and "), ("×".join(map(str, shape)) for shape in sorted(shapes))),
            ),
            remedy=say("Put files of one data set only into one folder."),
        )
    source = say("pixels in {place}", place=place)
    # A file of dark images may have been read as uint8 and another one not.
    dtype = np.result_type(*[table.images.dtype for table in tables.values()])
    joined = join_arrays([table.images.astype(dtype, copy=False) for table in tables.values()])
    images, changes = prepare_array(joined, spec, source)
    sentences = [each for table in tables.values() for each in table.sentences]
    splits = _splits(tables, path)
    rows = [
        (split, k) for split, some in zip(tables, labels, strict=True) for k in range(len(some))
    ]
    groups = [group for table in tables.values() for group in table.words.get("group", [])]
    numbers = np.concatenate([np.asarray(some, np.str_) for some in labels])
    return build_from_array(
        images,
        name_labels(numbers, class_names, path),
        spec,
        source=source,
        names=[
            say("{split} row {row}", split=split, row=k) if split else say("row {row}", row=k)
            for split, k in rows
        ],
        groups=groups if len(groups) == len(images) else None,
        split_names=splits,
        preparation=(*said, *dict.fromkeys(sentences), *changes),
    )


def _splits(tables: dict[str | None, PixelTable], path: Path) -> list[str] | None:
    if None not in tables:
        return [str(split) for split, table in tables.items() for _ in range(len(table.images))]
    cells = tables[None].words.get("split")
    if cells is None:
        return None
    found = {cell: find_split_word(cell) for cell in set(cells)}
    for cell, split in found.items():
        if split is None:
            raise DataError(
                say(
                    "{path}: unknown split {cell!r}; expected one of {accepted}.",
                    path=path,
                    cell=shorten(cell),
                    accepted=ACCEPTED,
                ),
                remedy=say("Correct the cell, or remove the column."),
            )
    return [found[cell] or "" for cell in cells]


def _describe_ignored(layout: Layout) -> str:
    names = quote((layout.names[k] for k in layout.ignored), 4)
    return say("Columns that are neither pixels nor labels left out: {names}.", names=names)


def _no_label(path: Path) -> DataError:
    return DataError(
        say(
            "{path}: no column is named label, class or target, and every column is a pixel.",
            path=path,
        ),
        remedy=say("Add a column of labels; without labels, images can only be given to predict."),
    )
