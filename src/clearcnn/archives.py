"""Zip archives of a few members, opened with care."""

import os
import struct
import zipfile
from typing import BinaryIO

_MOST_DIRECTORY_BYTES = 2**20
_END, _LOCATOR_64 = b"PK\5\6", b"PK\6\7"
_END_BYTES, _LOCATOR_BYTES, _LONGEST_COMMENT = 22, 20, 2**16 - 1


def open_archive(file: BinaryIO) -> zipfile.ZipFile:
    """Open a zip archive for reading, unless its list of members is out of proportion.

    Python makes an object of half a kilobyte for each entry of that list before anyone can ask
    how many there are, and an entry takes 46 bytes.

    Args:
      file: open for reading, seekable.
    Raises:
      zipfile.BadZipFile: it is no archive, its list has more than 1 MiB, or it is a Zip64 one,
        which only more than 4 GiB or 65,535 members need.
      Exception: whatever else `zipfile` raises.
    Source: PKWARE, .ZIP File Format Specification, sections 4.3.15 and 4.3.16.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _LOCATOR_BYTES - _END_BYTES - _LONGEST_COMMENT))
    tail = file.read()
    place = tail.rfind(_END, 0, max(0, len(tail) - _END_BYTES + len(_END)))
    if place >= 0:
        (num_bytes,) = struct.unpack_from("<I", tail, place + 12)
        before = max(0, place - _LOCATOR_BYTES)
        if num_bytes > _MOST_DIRECTORY_BYTES or tail[before:place].startswith(_LOCATOR_64):
            raise zipfile.BadZipFile("its list of members is too long")
    file.seek(0)
    return zipfile.ZipFile(file)
