"""The names of classes and pictures, and the burst that a picture's name tells.

The frames of one burst show one scene, so they are one group. The group is in the file's name:
`camera~20261129-221530-a1~003.png` is frame 3 of the burst `20261129-221530-a1`. Unlike a table
beside the folders, a name cannot be lost, and moves with its file. `GROUPS` reads it; it is what
`clearcnn train --groups-from-name` gets.
"""

import re
import unicodedata
from collections.abc import Container

from clearcnn.data.decode_image import SUFFIXES
from clearcnn.data.safe_files import is_hidden
from clearcnn.data.split_names import is_filler, parse_split_folders
from clearcnn.data.windows_names import is_device_name, is_valid_on_windows
from clearcnn.errors import StudioError
from clearcnn.language import say

GROUPS = r"(~[^/~]+~|^(?!.*~[^/~]+~).+)"
"""The burst, or the whole name of a picture that is of none."""

_BURST = re.compile(r"~([^/~]+)~")
_BURST_ID = re.compile(r"[0-9A-Za-z-]{4,40}")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')
_MOST_CLASS_BYTES, _MOST_STEM_BYTES = 120, 160


def find_burst(name: str) -> str | None:
    """Return the burst in a picture's name; None if it is of none."""
    found = _BURST.search(name)
    return found[1] if found else None


def check_class_name(name: str, existing: Container[str] = ()) -> str:
    """Return a new class's name in Unicode's composed form.

    Args:
      name: as the user gave it.
      existing: the names of the other classes, casefolded.
    Raises:
      StudioError: it cannot be the name of a class folder.
    """
    name = unicodedata.normalize("NFC", name).strip()
    if not name:
        raise _bad_class(name, say("is empty"), "empty")
    if len(name.encode(errors="replace")) > _MOST_CLASS_BYTES:
        raise _bad_class(
            name,
            say("is longer than {most_class_bytes} bytes", most_class_bytes=_MOST_CLASS_BYTES),
            "long",
        )
    if not (is_valid_on_windows(name) and name.isprintable() and "~" not in name):
        raise _bad_class(name, say("has characters that a folder's name may not have"), "letters")
    if is_hidden(name):
        raise _bad_class(name, say("is the name of a hidden folder"), "hidden")
    if parse_split_folders([name]) or is_filler(name):
        raise _bad_class(
            name, say("would be read as a part of the data and not as a class"), "split"
        )
    if name.casefold() in existing:
        raise StudioError(
            say("There is a class {name!r} already.", name=name),
            remedy=say("Choose another name."),
            code="class_taken",
            values={"name": name},
        )
    return name


def name_picture(given: str, burst: str | None = None) -> tuple[str, str]:
    """Return (stem, suffix) for a new picture.

    Args:
      given: the name of the file that was dropped or opened, in any form.
      burst: of a frame of a burst, its identifier.
    Raises:
      StudioError: it has no suffix of an image format, or the identifier is not valid.
    """
    if burst is not None and not _BURST_ID.fullmatch(burst):
        raise StudioError(
            say("{burst!r} cannot be the identifier of a burst.", burst=burst[:50]),
            remedy=say("Use 4 to 40 letters, digits and hyphens."),
            code="bad_burst",
        )
    last = unicodedata.normalize("NFC", given).replace("\\", "/").rpartition("/")[2]
    stem, dot, suffix = last.rpartition(".")
    suffix = f".{suffix.lower()}"
    if not dot or suffix not in SUFFIXES:
        raise StudioError(
            say(
                "{last} is not an image file: its extension is not that of a supported format.",
                last=last[:100],
            ),
            remedy=say("Give PNG, JPEG, BMP, GIF, WebP, TIFF or AVIF files."),
            code="not_an_image",
            values={"name": last[:100]},
        )
    stem = _UNSAFE.sub("-", stem).lstrip(". ") or "picture"
    stem = stem.encode(errors="replace")[:_MOST_STEM_BYTES].decode(errors="ignore")
    if is_device_name(stem):
        stem = f"_{stem}"
    return (stem if burst is None else f"{stem.replace('~', '-')}~{burst}~"), suffix


def _bad_class(name: str, why: str, code: str) -> StudioError:
    return StudioError(
        say("{name!r} cannot be the name of a class: it {why}.", name=name[:100], why=why),
        remedy=say("Choose another name, such as cat."),
        code=f"class_{code}",
        values={"name": name[:100]},
    )


def find_free(name: str, taken: Container[str]) -> str:
    """Return a file name, numbered if it is taken.

    Args:
      name: with its extension.
      taken: names, casefolded.
    """
    stem, dot, suffix = name.rpartition(".")
    number = 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem} ({number}){dot}{suffix}"
    return name
