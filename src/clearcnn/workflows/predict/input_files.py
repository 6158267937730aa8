"""The pictures that answers are asked for: files, folders, stdin."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from clearcnn import data
from clearcnn.errors import DataError

STDIN = "-"


@dataclass(frozen=True)
class PictureFile:
    """A picture that was not read yet.

    Attributes:
      name: its path as it was given, or "-".
      read: gives its bytes, or raises DataError.
    """

    name: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class PictureFiles:
    """What was found.

    Attributes:
      pictures: each once, in the order given; those of a folder in natural order.
      ignored: a sentence for each folder with files that are no pictures.
    """

    pictures: tuple[PictureFile, ...]
    ignored: tuple[str, ...]


def find_pictures(files: Iterable[Path | str]) -> PictureFiles:
    """List pictures without reading them.

    Args:
      files: paths of pictures, paths of folders, which are searched to the bottom, and "-" for
        one picture from stdin. A picture that is not there is listed: its answer will say so.
    Returns:
      PictureFiles.
    Raises:
      DataError: nothing was given, a folder cannot be read or holds no picture or a link to
        another folder.
    """
    found: dict[str, PictureFile] = {}
    ignored: list[str] = []
    for each in files:
        path = Path(each)
        if str(each) == STDIN:
            listed: Sequence[PictureFile] = [PictureFile(STDIN, _read_stdin)]
        elif path.is_dir():
            listed, sentences = _search(path)
            ignored += sentences
        else:
            listed = [PictureFile(str(path), partial(data.read_bytes, path))]
        found.update((picture.name, picture) for picture in listed)
    if not found:
        raise DataError("No picture was given.", remedy="Name a file, a folder, or - for stdin.")
    return PictureFiles(tuple(found.values()), tuple(ignored))


def _search(folder: Path) -> tuple[list[PictureFile], tuple[str, ...]]:
    try:
        walk = data.walk_images(folder)
    except OSError as error:
        raise DataError(
            f"{error.filename or folder} cannot be looked into: {error.strerror or error}.",
            remedy="Check the path and its permissions.",
        ) from error
    if not walk.images:
        raise DataError(
            f"{folder} holds no picture.",
            remedy="Give a folder with PNG, JPEG, BMP, GIF, WebP or TIFF files in it.",
        )
    listed = [PictureFile(str(p), partial(data.read_bytes, p, folder)) for p in walk.images]
    return listed, data.describe_ignored(walk.ignored, folder)


def _read_stdin() -> bytes:
    content = sys.stdin.buffer.read(data.LARGEST_IMAGE_BYTES + 1)
    if not 0 < len(content) <= data.LARGEST_IMAGE_BYTES:
        what = f"more than {data.LARGEST_IMAGE_BYTES:,}" if content else "0"
        raise DataError(
            f"stdin holds {what} bytes; one picture was expected.",
            remedy="Send the content of one picture file, as in < picture.png.",
        )
    return content
