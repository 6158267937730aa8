"""Animated WebP: Pillow paints the canvas black where the first frame does not cover it."""

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
