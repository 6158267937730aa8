"""The headers of WebP files.

Pillow paints the canvas of an animation black where the first frame does not cover it.
"""

from clearcnn.data.image_error import ImageError
from clearcnn.language import say

_HEADER, _FLAGS = slice(12, 16), 20
_ANIMATED, _HAS_ALPHA = 0x02, 0x10


def with_transparent_canvas(content: bytes) -> bytes:
    """Make Pillow treat the canvas of an animation as transparent, as viewers do.

    Args:
      content: a whole WebP file.
    Returns:
      The same file, with the alpha flag set if it is animated.
    Source: Google, WebP Container Specification, "Extended File Format" and "Animation".
    """
    if content[_HEADER] != b"VP8X" or not content[_FLAGS : _FLAGS + 1]:
        return content
    flags = content[_FLAGS]
    if not flags & _ANIMATED or flags & _HAS_ALPHA:
        return content
    return content[:_FLAGS] + bytes([flags | _HAS_ALPHA]) + content[_FLAGS + 1 :]


def read_webp_size(content: bytes) -> tuple[int, int]:
    """Read (width, height) in pixels from the header of a WebP file.

    Raises:
      ImageError: its first chunk does not state its size.
    Source: Google, WebP Container Specification; RFC 9649, sections 2.5 to 2.7.
    """
    kind = content[_HEADER]
    if kind == b"VP8X" and len(content) >= 30:
        width, height = (int.from_bytes(content[k : k + 3], "little") + 1 for k in (24, 27))
    elif kind == b"VP8L" and len(content) >= 25:
        bits = int.from_bytes(content[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 " and len(content) >= 30:
        width, height = (int.from_bytes(content[k : k + 2], "little") & 0x3FFF for k in (26, 28))
    else:
        raise ImageError(say("its WEBP data are damaged, or in an unsupported form"))
    return width, height
