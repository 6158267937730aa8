"""Safe opening of zip archives with few members."""

import os
import struct
import zipfile
from typing import BinaryIO

_MOST_DIRECTORY_BYTES = 2**20
_END, _LOCATOR_64 = b"PK\5\6", b"PK\6\7"
_END_BYTES, _LOCATOR_BYTES, _LONGEST_COMMENT = 22, 20, 2**16 - 1


def open_archive(file: BinaryIO) -> zipfile.ZipFile:
    """Open a zip archive for reading, unless its central directory is too large.

    Python allocates half a kilobyte for each entry of the directory as soon as it opens an archive,
    and an entry takes only 46 bytes.

    Args:
      file: open for reading, seekable.
    Raises:
      zipfile.BadZipFile: it is not an archive, its directory is larger than 1 MiB, or it is Zip64,
        which only more than 4 GiB or 65,535 members need.
      Exception: any other error of `zipfile`.
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
            raise zipfile.BadZipFile("its central directory is too large")
    file.seek(0)
    return zipfile.ZipFile(file)
