"""Files that only the program that wrote them can read: recognised, and the way out is named."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from clearcnn.data.classes import quote
from clearcnn.data.image_search import has_images
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.data.safe_files import is_hidden
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.specs import DataSpec

_MOST_FILES = 200
_ARRAYS = say("store them as x_train, y_train, x_test and y_test with numpy.savez")


@dataclass(frozen=True)
class _Container:
    """A kind of file, the pattern of its names, and what to do with one."""

    what: str
    names: re.Pattern[str]
    remedy: str


_CONTAINERS = (
    _Container(
        "TFRecord",
        re.compile(r".*\.(tfrecords?|tfrec)(\b.*)?|.*\.tfrecord-\d+-of-\d+"),
        say(
            "Read it with TensorFlow, which knows what its author put into each record, and "
            "{arrays}; or take the set's Parquet files on Hugging Face.",
            arrays=_ARRAYS,
        ),
    ),
    _Container(
        say("an LMDB database"),
        re.compile(r"data\.mdb|.*\.lmdb"),
        say(
            "Write its images as files into folders named after classes, with the program "
            "that it was made for."
        ),
    ),
    _Container(
        say("RecordIO of MXNet"),
        re.compile(r".*\.rec"),
        say(
            "Unpack it with MXNet's recordio, and write the images into folders named after "
            "classes."
        ),
    ),
    _Container(
        "FFCV",
        re.compile(r".*\.beton"),
        say("Take the data set that it was made from."),
    ),
    _Container(
        say("Arrow, as Dataset.save_to_disk of Hugging Face writes it"),
        re.compile(r".*\.arrow"),
        say(
            "In Python, give the data set itself: "
            "clearcnn.train(datasets.load_from_disk(FOLDER)); or write Parquet with "
            "to_parquet."
        ),
    ),
    _Container(
        say("ARFF, the format of Weka and OpenML"),
        re.compile(r".*\.arff(\.gz)?"),
        say(
            "In Python, scikit-learn reads it: X, y = fetch_openml(NAME, return_X_y=True), "
            "then clearcnn.train((X, y)); or save it as CSV."
        ),
    ),
    _Container(
        say("a database of SQLite"),
        re.compile(r".*\.(sqlite3?|db3?)"),
        say("Export its images as files into folders named after classes."),
    ),
    _Container(
        say("data of R"),
        re.compile(r".*\.(rds|rdata|rda)"),
        say("In R, write the pixels as a table with write.csv, one image in each row."),
    ),
)


def recognise(path: Path) -> bool:
    """Whether a file is one of these, or a folder has such and no images."""
    if not path.is_dir():
        return _find_kind(path) is not None
    return any(_find_kind(file) for file in _list_files(path)) and not has_images(path)


def read(path: Path, _: DataSpec) -> LabelledImages:
    """Refuse the files, and say what to do.

    Raises:
      DataError: always.
    """
    files = [path] if not path.is_dir() else list(_list_files(path))
    known = [(file, kind) for file in files if (kind := _find_kind(file))]
    if not known:
        raise DataError(
            say("{path} is no known container.", path=path), remedy=say("Leave out container:.")
        )
    kind = known[0][1]
    names = [file.name for file, each in known if each is kind]
    what = (
        say("contains {what}: {names}", what=kind.what, names=quote(names, 3))
        if path.is_dir()
        else say("is {what}", what=kind.what)
    )
    raise DataError(
        say("{path} {what}. clearcnn does not read this.", path=path, what=what), remedy=kind.remedy
    )


def _find_kind(file: Path) -> _Container | None:
    name = file.name.lower()
    return next((kind for kind in _CONTAINERS if kind.names.fullmatch(name)), None)


def _list_files(folder: Path) -> Iterator[Path]:
    """List the first files in a folder and directly in its subfolders, in order."""
    for entry in sorted(islice(folder.iterdir(), _MOST_FILES)):
        if is_hidden(entry.name):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from (each for each in islice(entry.iterdir(), _MOST_FILES) if each.is_file())
        elif entry.is_file():
            yield entry
