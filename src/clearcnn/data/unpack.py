"""Archives of any form of data set, unpacked into a temporary folder while they are read."""

import dataclasses
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from clearcnn.data.archive_members import Member, list_members
from clearcnn.data.classes import shorten
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.data.safe_files import is_hidden
from clearcnn.data.windows_names import is_valid_on_windows
from clearcnn.errors import ClearCNNError, DataError
from clearcnn.language import Message, say

_MOST_PARTS = 64  # Folders inside each other; deeper ones cannot be removed by `shutil`.
_DRIVE = re.compile(r"[A-Za-z]:")
_IS_WINDOWS = os.name == "nt"


def read_archive(path: Path, read: Callable[[Path], LabelledImages]) -> LabelledImages:
    """Unpack an archive, read it, and name the archive wherever its temporary folder was named.

    Args:
      path: a zip or tar archive.
      read: reads the folder, or the file if there is one file alone.
    Raises:
      DataError: the archive is damaged, unsafe or too large; and whatever `read` raises.
    """
    with _unpack(path) as folder:

        def rename(text: str) -> str:
            # A Message keeps its template only if its values are changed, not its text.
            if isinstance(text, Message):
                return text.map(rename)
            return text.replace(str(folder), str(path))

        try:
            images = read(_find_only_file(folder))
        except ClearCNNError as error:
            error.problem, error.remedy = rename(error.problem), rename(error.remedy)
            raise
        return dataclasses.replace(
            images,
            source=rename(images.source),
            preparation=tuple(map(rename, images.preparation)),
            skipped=tuple(
                dataclasses.replace(each, reason=rename(each.reason)) for each in images.skipped
            ),
        )


@contextmanager
def _unpack(path: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="clearcnn-") as name:
        folder = Path(name).resolve()
        try:
            made: set[Path] = {folder}
            for member in list_members(path):
                _write(member, folder, made, path)
        except DataError:
            raise
        except OSError as error:
            raise DataError(
                say(
                    "{path} cannot be unpacked into {folder}: {reason}.",
                    path=path,
                    folder=tempfile.gettempdir(),
                    reason=error.strerror or error,
                ),
                remedy=say(
                    "Check the archive and the free space, or set TMPDIR to another folder."
                ),
            ) from None
        except Exception as error:  # zipfile and tarfile raise almost any kind on damaged files
            detail = str(error).rstrip(".") or type(error).__name__
            raise DataError(
                say(
                    "{path} cannot be unpacked: it is damaged, or packed in an unsupported "
                    "way ({detail}).",
                    path=path,
                    detail=shorten(detail),
                ),
                remedy=say("Download it again, or unpack it and name the folder."),
            ) from None
        yield folder


def _write(member: Member, folder: Path, made: set[Path], path: Path) -> None:
    name = member.name.replace("\\", "/")  # Old Windows programs write backslashes.
    parts = [part for part in PurePosixPath(name).parts if part != "."]
    if any(is_hidden(part) for part in parts if part != ".."):
        return
    if ".." in parts or name.startswith("/") or _DRIVE.match(name) or len(parts) > _MOST_PARTS:
        raise DataError(
            say(
                "{path}: the member {name!r} would lie outside the archive's folder, or too "
                "deep in it.",
                path=path,
                name=shorten(member.name),
            ),
            remedy=say("Pack the files again, with names relative to one folder."),
        )
    if _IS_WINDOWS and not all(map(is_valid_on_windows, parts)):
        raise DataError(
            say(
                "{path}: Windows cannot write the member {name!r} under its name.",
                path=path,
                name=shorten(member.name),
            ),
            remedy=say("Rename it where it was packed, or read the archive on another system."),
        )
    place = folder.joinpath(*parts)
    above = place if member.open is None else place.parent
    if above not in made:
        above.mkdir(parents=True, exist_ok=True)
        made.add(above)
    if member.open is None:
        return
    try:
        target = place.open("xb")
    except FileExistsError:
        raise DataError(
            say(
                "{path} has two members named {name!r}, as far as this system can tell.",
                path=path,
                name=shorten(member.name),
            ),
            remedy=say("Pack the files again, each once."),
        ) from None
    with target, member.open() as content:
        shutil.copyfileobj(content, target, 2**18)


def _find_only_file(folder: Path) -> Path:
    """Return the file that is all there is in a folder, as in `train.csv.zip`; else the folder."""
    entries = list(folder.iterdir())
    return entries[0] if len(entries) == 1 and entries[0].is_file() else folder
