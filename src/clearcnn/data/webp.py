"""Animated WebP, whose canvas Pillow paints black where the first frame leaves it empty."""

_HEADER, _FLAGS = slice(12, 16), 20
_ANIMATED, _HAS_ALPHA = 0x02, 0x10


def with_transparent_canvas(content: bytes) -> bytes:
    """Let Pillow see the canvas of an animation, which starts transparent, as viewers do.

    Args:
      content: a whole WebP.
    Returns:
      The same pixels, with the flag of an alpha channel if it is animated.
    Source: Google, WebP Container Specification, "Extended File Format" and "Animation".
    """
    if content[_HEADER] != b"VP8X" or not content[_FLAGS : _FLAGS + 1]:
        return content
    flags = content[_FLAGS]
    if not flags & _ANIMATED or flags & _HAS_ALPHA:
        return content
    return content[:_FLAGS] + bytes([flags | _HAS_ALPHA]) + content[_FLAGS + 1 :]
