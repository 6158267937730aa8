"""PNGs whose checksums are right, so that their content is looked at."""

import struct
import zlib

from clearcnn.data.png import SIGNATURE
from fuzz.target import Target
from fuzz.targets import pictures


def seeds() -> list[bytes]:
    """PNGs of every mode, with and without EXIF data and a second frame."""
    return [file for file in pictures.seeds() if file.startswith(SIGNATURE)]


def mend(content: bytes) -> bytes:
    """Give every chunk the length and the checksum of what it holds, as far as there are chunks."""
    whole, place = SIGNATURE, len(SIGNATURE)
    while place + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, place)
        body = content[place + 4 : place + 8 + min(length, len(content) - place - 12)]
        whole += struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        place += 12 + len(body) - 4
    return whole


def read(content: bytes) -> None:
    """Read it as a picture, its checksums mended."""
    pictures.read(mend(content))


TARGET = Target(seeds, read)
