"""Safe opening of zip archives."""

import os
import struct
import zipfile
from typing import BinaryIO

from clearcnn.language import say

_MOST_DIRECTORY_BYTES = 2**20
_ENTRY_BYTES = 100  # With a name of 54 letters.
_END, _LOCATOR_64, _END_64 = b"PK\5\6", b"PK\6\7", b"PK\6\6"
_END_BYTES, _LOCATOR_BYTES, _END_64_BYTES, _LONGEST_COMMENT = 22, 20, 56, 2**16 - 1


def open_archive(file: BinaryIO, *, most_members: int | None = None) -> zipfile.ZipFile:
    """Open a zip archive for reading, unless its central directory is too large.

    Python allocates half a kilobyte for each entry of the directory as soon as it opens an archive,
    and an entry takes only 46 bytes.

    Args:
      file: open for reading, seekable.
      most_members: allows an archive of many members, Zip64 too; None allows few.
    Raises:
      zipfile.BadZipFile: it is not an archive, or its directory is too large: without
        `most_members` if it is larger than 1 MiB or Zip64, which only more than 4 GiB or 65,535
        members need.
      Exception: any other error of `zipfile`.
    Source: PKWARE, .ZIP File Format Specification, sections 4.3.15 and 4.3.16.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END_64_BYTES - _LOCATOR_BYTES - _END_BYTES - _LONGEST_COMMENT))
    tail = file.read()
    place = tail.rfind(_END, 0, max(0, len(tail) - _END_BYTES + len(_END)))
    if place >= 0:
        (num_bytes,) = struct.unpack_from("<I", tail, place + 12)
        before = max(0, place - _LOCATOR_BYTES)
        is_zip64 = tail[before:place].startswith(_LOCATOR_64)
        if is_zip64 and most_members is not None and before >= _END_64_BYTES:
            end_64 = tail[before - _END_64_BYTES : before]
            # Otherwise the end lies elsewhere, where `zipfile` does not look for it.
            if end_64.startswith(_END_64):
                (num_bytes,) = struct.unpack_from("<Q", end_64, 40)
        most = _MOST_DIRECTORY_BYTES if most_members is None else most_members * _ENTRY_BYTES
        if num_bytes > most or (is_zip64 and most_members is None):
            raise zipfile.BadZipFile(say("its central directory is too large"))
    file.seek(0)
    archive = zipfile.ZipFile(file)
    if most_members is not None and len(archive.infolist()) > most_members:
        raise zipfile.BadZipFile(
            say("it has more than {most_members:,} members", most_members=most_members)
        )
    return archive
