"""`use.csv`: the images of a source to use; written by `check`, read by `--use`."""

import csv
import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from clearcnn.data.classes import shorten
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.data.tables import read_rows, require_columns
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.text import escape

_YES, _NO = "yes", "no"


def write_use_list(
    path: Path, names: Sequence[str], labels: Sequence[str], use: Iterable[bool], why: Iterable[str]
) -> None:
    """Write one row for each image: its name, its label, whether to use it, and a reason.

    Args:
      path: the file to write.
      names, labels: of each image.
      use: whether to use each image.
      why: why not to use it, or what to review; may be empty.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", "label", "use", "reason"])
        writer.writerows(
            [escape(name), escape(label), _YES if used else _NO, escape(reason)]
            for name, label, used, reason in zip(names, labels, use, why, strict=True)
        )


def apply_use_list(images: LabelledImages, path: Path) -> LabelledImages:
    """Select the images that a list says to use.

    Args:
      images: the source that the list was made for.
      path: the list; only its column `use` may have been edited.
    Returns:
      LabelledImages; its preparation says how many were left out.
    Raises:
      DataError: the list belongs to another source, or a cell is neither yes nor no.
    """
    rows = list(read_rows(path))
    if rows:
        require_columns(path, list(rows[0][1]), "name", "use")
    names = [row["name"] for _, row in rows]
    expected = [escape(name) for name in images.names]
    if names != expected:
        place = next(
            (k for k, (a, b) in enumerate(zip(names, expected, strict=False)) if a != b),
            min(len(names), len(expected)),
        )
        raise DataError(
            say(
                "{path} does not match the data: it lists {num_names:,} images, {source} has "
                "{num_images:,}, and they differ from image {place} on. The list belongs to "
                "another source, or the files have changed.",
                path=path,
                num_names=len(names),
                source=images.source,
                num_images=len(images),
                place=place,
            ),
            remedy=say("Make the list again with clearcnn check."),
        )
    use = np.array([_read_use(path, line, row["use"]) for line, row in rows])
    if not use.any():
        raise DataError(
            say("{path} excludes every image.", path=path),
            remedy=say("Write yes for the images to use."),
        )
    left = int((~use).sum())
    sentence = say(
        "{left:,} of {num_images:,} images left out, as listed in {name}.",
        left=left,
        num_images=len(images),
        name=path.name,
    )
    taken = images.take(np.flatnonzero(use))
    return dataclasses.replace(taken, preparation=(*images.preparation, sentence))


def _read_use(path: Path, line: int, cell: str) -> bool:
    word = cell.strip().casefold()
    if word not in (_YES, _NO):
        raise DataError(
            say(
                "{path}, line {line}: use is {cell!r}; expected yes or no.",
                path=path,
                line=line,
                cell=shorten(cell),
            ),
            remedy=say("Correct the cell."),
        )
    return word == _YES
