"""List the images to predict: files, folders, tables of pixels, stdin."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from clearcnn import data
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.types import Pixels

STDIN = "-"


@dataclass(frozen=True)
class ImageFile:
    """An image file that has not been read yet.

    Attributes:
      name: its path as given, or "-"; of a row of a table with the row's number, from 0.
      read: returns its bytes, or the pixels of the row, (height, width, channels); or raises
        DataError.
    """

    name: str
    read: Callable[[], bytes | Pixels]


@dataclass(frozen=True)
class ImageFiles:
    """Image files to predict.

    Attributes:
      files: each once, in the order given; those of a folder in natural order.
      ignored: a sentence for each folder that has files other than images.
    """

    files: tuple[ImageFile, ...]
    ignored: tuple[str, ...]


def find_image_files(
    files: Iterable[Path | str], size: tuple[int, int] | None = None
) -> ImageFiles:
    """List image files without reading them, and the images in tables of pixels.

    Args:
      files: paths of image files; paths of folders, which are searched recursively; and "-" for
        one image from stdin. A missing file is listed; its prediction will be an error. Tables of
        pixels, such as test.csv, have one image in each row.
      size: (height, width) of the model's images, for rows that are not square.
    Returns:
      ImageFiles.
    Raises:
      DataError: nothing was given, or a folder cannot be read, has no image, or has a link to
        another folder.
    """
    found: dict[str, ImageFile] = {}
    ignored: list[str] = []
    for each in files:
        path = Path(each)
        if str(each) == STDIN:
            listed: Sequence[ImageFile] = [ImageFile(STDIN, _read_stdin)]
        elif path.is_dir():
            listed, sentences = _search(path)
            ignored += sentences
        elif path.is_file() and data.is_pixel_table(path):
            listed = _list_rows(path, size or (1, 1))
        else:
            listed = [ImageFile(str(path), partial(data.read_bytes, path))]
        found.update((file.name, file) for file in listed)
    if not found:
        raise DataError(
            say("No image was given."), remedy=say("Give a file, a folder, or - for stdin.")
        )
    return ImageFiles(tuple(found.values()), tuple(ignored))


def _list_rows(path: Path, size: tuple[int, int]) -> list[ImageFile]:
    images = data.read_images_of_rows(path, size)
    return [
        ImageFile(say("{path} row {row}", path=path, row=row), partial(images.__getitem__, row))
        for row in range(len(images))
    ]


def _search(folder: Path) -> tuple[list[ImageFile], tuple[str, ...]]:
    try:
        walk = data.walk_images(folder)
    except OSError as error:
        raise DataError(
            say(
                "{filename} cannot be read: {reason}.",
                filename=error.filename or folder,
                reason=error.strerror or error,
            ),
            remedy=say("Check the path and its permissions."),
        ) from error
    if not walk.images:
        raise DataError(
            say("{folder} has no image files.", folder=folder),
            remedy=say(
                "Give a folder with PNG, JPEG, BMP, GIF, WebP, TIFF, AVIF, PPM, PGM or PBM "
                "files in it."
            ),
        )
    listed = [ImageFile(str(p), partial(data.read_bytes, p, folder)) for p in walk.images]
    return listed, data.describe_ignored(walk.ignored, folder)


def _read_stdin() -> bytes:
    content = sys.stdin.buffer.read(data.LARGEST_IMAGE_BYTES + 1)
    if not 0 < len(content) <= data.LARGEST_IMAGE_BYTES:
        size = (
            say("more than {largest_image_bytes:,}", largest_image_bytes=data.LARGEST_IMAGE_BYTES)
            if content
            else "0"
        )
        raise DataError(
            say("stdin has {size} bytes; one image file was expected.", size=size),
            remedy=say("Send the content of one image file, as in < image.png."),
        )
    return content
