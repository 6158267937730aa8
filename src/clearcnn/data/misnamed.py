"""Files under the name of an image that are something else: what they are, and how many."""

from collections.abc import Callable, Iterable

from clearcnn.data.avif import HEIC, find_media_kind
from clearcnn.data.classes import quote
from clearcnn.data.image_error import ImageError
from clearcnn.errors import DataError
from clearcnn.language import say

_HEAD_BYTES = 512

# What a file is → how such a file begins, after blanks and in lower case, and what to do.
_CAUSES: dict[str, tuple[tuple[bytes, ...], str]] = {
    say("a Git LFS pointer"): (
        (b"version https://git-lfs",),
        say("Run git lfs pull in the clone, which downloads the images themselves."),
    ),
    say("an HTML page"): (
        (b"<!doctype html", b"<html", b"<head"),
        say("Download it again; the server sent a page instead, such as a login or an error."),
    ),
    say("an SVG drawing"): ((b"<svg",), say("Convert it to PNG.")),
    say("an XML document"): (
        (b"<?xml",),
        say("Convert a drawing to PNG; download again what a server refused."),
    ),
    say("a PDF document"): ((b"%pdf-",), say("Convert its pages to PNG.")),
    say("an HDF5 file"): (
        (b"\x89hdf\r\n",),
        say("A Keras model is not an image; give a run folder and images to predict."),
    ),
    say("a zip archive"): ((b"pk\3\4",), say("Unpack it.")),
}


def find_cause(content: bytes) -> str | None:
    """Say what a file is that is not an image of a supported format; None if unknown."""
    if find_media_kind(content) == "HEIC":
        return HEIC
    start = content[:_HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return next((what for what, (starts, _) in _CAUSES.items() if start.startswith(starts)), None)


def reject_misnamed(content: bytes) -> None:
    """Raise an ImageError that says what a file is, if it is known."""
    if (what := find_cause(content)) in _CAUSES:
        raise ImageError(say("it is {what}", what=what), _CAUSES[what][1], what)


def count_misnamed(
    error: DataError, files: Iterable[tuple[str, Callable[[], object]]]
) -> DataError | None:
    """Extend the error about one file by the number of files that are the same.

    Args:
      error: about one file.
      files: name, and a function that reads it, of every file; what is not bytes is no file.
    Returns:
      DataError; None if the error has another cause, or is about the only such file.
    """
    cause = error.values.get("cause")
    if cause is None:
        return None
    total, names = 0, []
    for name, read in files:
        total += 1
        try:
            content = read()
            if isinstance(content, bytes) and find_cause(content) == cause:
                names.append(name)
        except DataError:
            continue
    if len(names) < 2:
        return None
    return DataError(
        say(
            "{problem} So are {num_names:,} of the {total:,} files: {names}.",
            problem=error.problem,
            num_names=len(names),
            total=total,
            names=quote(names, 3),
        ),
        remedy=error.remedy,
    )
