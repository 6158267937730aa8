"""The checksums of PNG files, of which Pillow does not check all."""

import struct
import zlib
from dataclasses import dataclass, replace

from clearcnn.data.image_error import ImageError
from clearcnn.language import say

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_MOST_CHUNKS = 100_000


@dataclass(frozen=True)
class PngHeader:
    """The header of a PNG file.

    Attributes:
      bit_depth: bits per sample, 1, 2, 4, 8 or 16.
      is_coloured: whether it is RGB or has a palette.
      num_colors: of the palette; 0 without one.
    """

    bit_depth: int
    is_coloured: bool
    num_colors: int = 0


def verify_png(content: bytes) -> PngHeader:
    """Check the length and checksum of every chunk of a PNG.

    Args:
      content: a whole file that starts with `SIGNATURE`.
    Raises:
      ImageError: a chunk is truncated or its checksum is wrong; the message names the chunk.
    Source: W3C PNG Specification, sections 5.3 and 11.2.
    """
    view = memoryview(content)
    place, kind, header = len(SIGNATURE), b"", None
    num_chunks = 0
    while kind != b"IEND":
        num_chunks += 1
        if num_chunks > _MOST_CHUNKS:
            raise ImageError(
                say("it has more than {most_chunks:,} chunks", most_chunks=_MOST_CHUNKS)
            )
        if place + 8 > len(view):
            raise ImageError(say("it is truncated after {num_bytes:,} bytes", num_bytes=len(view)))
        length, kind = struct.unpack_from(">I4s", view, place)
        end = place + 8 + length
        if end + 4 > len(view):
            raise ImageError(say("it is truncated in its {kind} chunk", kind=_name(kind)))
        (stated,) = struct.unpack_from(">I", view, end)
        if zlib.crc32(view[place + 4 : end]) != stated:
            raise ImageError(
                say(
                    "the checksum of its {kind} chunk at byte {place} is wrong",
                    kind=_name(kind),
                    place=place,
                )
            )
        if header is None:
            if kind != b"IHDR" or length != 13:
                raise ImageError(say("it does not start with a header"))
            header = PngHeader(view[place + 16], view[place + 17] not in (0, 4))
        if kind == b"PLTE":
            header = replace(header, num_colors=length // 3)
        place = end + 4
    assert header is not None  # IEND as the first chunk raises above
    return header


def _name(kind: bytes) -> str:
    return kind.decode("ascii", "backslashreplace")
