"""Python pickles, which are recognised and never opened: opening one runs what is in it."""

import gzip
import re
import zlib
from contextlib import suppress
from itertools import islice
from pathlib import Path

from clearcnn.data.classes import quote
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.data.safe_files import is_hidden, open_regular
from clearcnn.errors import ClearCNNError, DataError
from clearcnn.language import say
from clearcnn.specs import DataSpec

# PROTO and its number; files of protocol 0 and 1 are known by their suffix only.
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_SUFFIXES = (".pkl", ".pickle", ".p", ".pkl.gz", ".pickle.gz", ".pt", ".pth", ".joblib")
_MOST_FILES = 200

# What is pickled by these names, and the same set's form that needs no pickle.
_KNOWN = (
    (re.compile(r"data_batch_\d+|test_batch|batches\.meta"), "CIFAR-10", "cifar-10-binary.tar.gz"),
    (re.compile(r"train|test|meta"), "CIFAR-100", "cifar-100-binary.tar.gz"),
    (re.compile(r"(train|val)_data(_batch_\d+)?"), "Downsampled ImageNet", say("the NPZ archives")),
    (
        re.compile(r"mnist\.pkl(\.gz)?"),
        "MNIST",
        say("the IDX files (train-images-idx3-ubyte.gz, …)"),
    ),
    (re.compile(r"(training|test)\.pt"), "MNIST", say("the IDX files in raw/")),
)


def recognise(path: Path) -> bool:
    """Whether a file is a pickle, or a folder has pickles and nothing else of use."""
    if not path.is_dir():
        return _is_pickle(path)
    files = [each for each in islice(path.iterdir(), _MOST_FILES) if not is_hidden(each.name)]
    if any(each.is_dir() for each in files):
        return False
    return any(not each.suffix or _has_suffix(each) for each in files) and bool(_find(path))


def read(path: Path, _: DataSpec) -> LabelledImages:
    """Refuse pickles, naming the same set's safe form.

    Raises:
      DataError: always.
    """
    files = _find(path) if path.is_dir() else [path]
    names = [file.name for file in files]
    what = (
        say("is a Python pickle")
        if not path.is_dir()
        else say("contains Python pickles: {names}", names=quote(names, 4))
    )
    safe = next(
        (
            say("Use {form} of {name}, or its Parquet files on Hugging Face.", form=form, name=name)
            for pattern, name, form in _KNOWN
            if names and all(pattern.fullmatch(each) for each in names)
        ),
        say("Store the arrays with numpy.savez, in a program that you trust with the file."),
    )
    raise DataError(
        say(
            "{path} {what}. Opening a pickle runs whatever is in it, so clearcnn never opens one.",
            path=path,
            what=what,
        ),
        remedy=safe,
    )


def _find(folder: Path) -> list[Path]:
    files = [each for each in islice(folder.iterdir(), _MOST_FILES) if not is_hidden(each.name)]
    return sorted(each for each in files if each.is_file() and _is_pickle(each))


def _has_suffix(path: Path) -> bool:
    return path.name.lower().endswith(_SUFFIXES)


def _is_pickle(path: Path) -> bool:
    if path.suffix and not _has_suffix(path):
        return bool(re.fullmatch(r"batches\.meta", path.name)) and _starts(path)
    return _starts(path) or path.suffix.lower() in (".pkl", ".pickle")


def _starts(path: Path) -> bool:
    with suppress(ClearCNNError, OSError, EOFError, zlib.error), open_regular(path) as file:
        start = file.read(2)
        if start == b"\x1f\x8b":
            file.seek(0)
            with gzip.open(file) as unpacked:
                start = unpacked.read(2)
        return _PICKLE.match(start) is not None
    return False
