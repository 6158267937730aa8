"""The members of zip and tar archives, one after another, with bounds on what they make us hold."""

import bz2
import gzip
import lzma
import re
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast
from zipfile import ZipInfo

from clearcnn.archives import open_archive
from clearcnn.data.classes import shorten
from clearcnn.data.safe_files import check_decompressed_size, open_regular
from clearcnn.errors import DataError
from clearcnn.language import say

MOST_MEMBERS = 250_000
_MOST_HEADER_BYTES = 2**20  # Of what tar says of one member: its name and attributes.

_ZIP = (b"PK\3\4", b"PK\5\6")
_TAR_MAGIC, _TAR_PLACE = b"ustar", 257
_OPENERS: dict[bytes, Callable[[BinaryIO], object]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}
_UTF8, _ENCRYPTED = 0x800, 0x1
_HANGUL = re.compile("[가-힣]")


@dataclass(frozen=True)
class Member:
    """A file or folder in an archive.

    Attributes:
      name: its path; nothing in it has been checked.
      open: gives its content; None for a folder.
    """

    name: str
    open: Callable[[], IO[bytes]] | None


def is_archive(path: Path) -> bool:
    """Whether a file is a zip archive, or a tar archive that may be compressed."""
    with open_regular(path) as file:
        start = file.read(512)
        if start.startswith(_ZIP):
            return True
        file.seek(0)
        try:
            with _decompress(file) as stream:
                return stream.read(512)[_TAR_PLACE:].startswith(_TAR_MAGIC)
        except (OSError, EOFError, lzma.LZMAError, zlib.error):
            return False


def list_members(path: Path) -> Iterator[Member]:
    """List the members of an archive; each is opened before the next is listed.

    Raises:
      DataError: it would decompress to too much, has too many members, is encrypted, or has a link
        or a device in it.
      Exception: any error of `zipfile`, `tarfile` and their decompressors on a damaged archive.
    """
    with open_regular(path) as file:
        is_zip = file.read(4) in _ZIP
        file.seek(0)
        yield from _list_zip(file, path) if is_zip else _list_tar(file, path)


def _list_zip(file: BinaryIO, path: Path) -> Iterator[Member]:
    with open_archive(file, most_members=MOST_MEMBERS) as archive:
        infos = archive.infolist()
        check_decompressed_size(sum(info.file_size for info in infos), path)
        for info in infos:
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _special(path, info.filename)
            if info.flag_bits & _ENCRYPTED:
                raise DataError(
                    say("{path} is encrypted.", path=path),
                    remedy=say("Unpack it, and name the folder instead."),
                )
            is_folder = info.filename.endswith(("/", "\\"))

            def open_it(info: ZipInfo = info) -> IO[bytes]:
                return archive.open(info)

            yield Member(_zip_name(info), None if is_folder else open_it)


def _zip_name(info: ZipInfo) -> str:
    """Decode a name: many programs write UTF-8 or Korean without saying so."""
    if info.flag_bits & _UTF8 or info.filename.isascii():
        return info.filename
    try:
        content = info.filename.encode("cp437")
    except UnicodeEncodeError:
        return info.filename
    for encoding, required in (("utf-8", ""), ("cp949", _HANGUL)):
        try:
            name = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if re.search(required, name):
            return name
    return info.filename


def _list_tar(file: BinaryIO, path: Path) -> Iterator[Member]:
    with _decompress(file) as stream:
        bounded = cast(IO[bytes], _Bounded(stream, path))
        with tarfile.open(fileobj=bounded, mode="r:") as archive:
            count = 0
            while (info := archive.next()) is not None:
                count += 1
                if count > MOST_MEMBERS:
                    raise DataError(
                        say(
                            "{path} has more than {most_members:,} members.",
                            path=path,
                            most_members=MOST_MEMBERS,
                        ),
                        remedy=say("Unpack it, and name the folder instead."),
                    )
                if not (info.isdir() or info.isreg()) or info.issparse():
                    raise _special(path, info.name)
                vars(archive)["members"] = []  # It would keep every one.

                def open_it(info: tarfile.TarInfo = info) -> IO[bytes]:
                    content = archive.extractfile(info)
                    assert content is not None  # It is a regular file.
                    return content

                yield Member(info.name, None if info.isdir() else open_it)


def _decompress(file: BinaryIO) -> IO[bytes]:
    start = file.read(6)
    file.seek(0)
    for magic, opener in _OPENERS.items():
        if start.startswith(magic):
            return cast(IO[bytes], opener(file))
    return file


def _special(path: Path, name: str) -> DataError:
    return DataError(
        say(
            "{path}: {name} is a link or a special file; archives with such members are not read.",
            path=path,
            name=shorten(name),
        ),
        remedy=say("Unpack it, and name the folder instead."),
    )


class _Bounded:
    """A decompressed stream that raises if it becomes too long, or is asked for too much at once.

    `tarfile` reads a header of any size that an archive declares.
    """

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self._stream = stream
        self._path = path

    def read(self, size: int) -> bytes:
        """Read at most `size` bytes."""
        if size > _MOST_HEADER_BYTES:
            raise DataError(
                say(
                    "{path} has a header of {size:,} bytes; at most {most_header_bytes:,} are "
                    "read.",
                    path=self._path,
                    size=size,
                    most_header_bytes=_MOST_HEADER_BYTES,
                ),
                remedy=say("Pack the files again."),
            )
        content = self._stream.read(size)
        check_decompressed_size(self._stream.tell(), self._path)
        return content

    def seek(self, place: int) -> int:
        """Go on to a place; a compressed stream is read up to it."""
        check_decompressed_size(place, self._path)
        return self._stream.seek(place)

    def tell(self) -> int:
        """Return the place."""
        return self._stream.tell()
