"""Archives of data sets that list, declare or unpack to more than there is."""

import gzip
import io
import struct
import tarfile
import zipfile
from pathlib import Path

from clearcnn.data.sources import load
from fuzz.target import put
from fuzz.worst.case import Case

_LOCAL = b"PK\3\4"


def bomb() -> Path:
    """A zip archive with an image of 128 MB of zeros."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/1.png", bytes(2**27))
    return put("a.zip", file.getvalue())


def overlapping() -> Path:
    """A zip archive whose thousand members are the same 60 MB."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/00000.png", bytes(60 * 2**20))
    content = file.getvalue()
    start, end = content.index(b"PK\1\2"), content.index(b"PK\5\6")
    entries = b"".join(
        content[start:end].replace(b"00000", f"{k:05}".encode()) for k in range(1000)
    )
    last = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1000, 1000, len(entries), start, 0)
    return put("a.zip", content[:start] + entries + last)


def directory(count: int) -> Path:
    """A zip archive that lists empty members of one letter."""
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", *[0] * 9, 1, *[0] * 6) + b"x"
    entries = entry * count
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, len(entries), len(_LOCAL), 0)
    return put("a.zip", _LOCAL + entries + end)


def tar(size: int, kind: bytes, name: str = "a/1.png") -> Path:
    """A gzipped tar archive with one member of zeros."""
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return put("a.tgz", gzip.compress(member.tobuf() + bytes(size), 1))


def sparse() -> Path:
    """A tar archive whose sparse member declares eight gigabytes."""
    member = tarfile.TarInfo("a/1.png")
    member.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    header[483:495] = b"77777777777\0"
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    return put("a.tar", bytes(header) + bytes(1024))


def refused(make: object) -> Case:
    """A source that must be refused."""
    return Case(make, load)


CASES = {
    "zip, a bomb of 128 MB": refused(bomb),
    "zip, a thousand times the same 60 MB": refused(overlapping),
    "zip, a list of half a million members": refused(lambda: directory(500_000)),
    "zip, a list of ten million members": refused(lambda: directory(10_000_000)),
    "tar, a bomb of 128 MB": refused(lambda: tar(2**27, tarfile.REGTYPE)),
    "tar, a name of 128 MB": refused(lambda: tar(2**27, tarfile.GNUTYPE_LONGNAME)),
    "tar, attributes of 128 MB": refused(lambda: tar(2**27, tarfile.XHDTYPE)),
    "tar, a sparse file of 8 GB": refused(sparse),
}
