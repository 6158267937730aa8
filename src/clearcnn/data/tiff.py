"""A TIFF's first directory, before Pillow makes Python's numbers of what it declares."""

import struct

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_MOST_NUMBERS = 100_000
_MOST_TAGS = 1_000
_BYTES_AND_TEXT = (1, 2, 6, 7)


def verify_tiff(content: bytes) -> None:
    """Check that no tag holds more numbers than a picture needs, such as places of its strips.

    Args:
      content: a whole file that starts with one of `SIGNATURES`.
    Raises:
      ValueError: it has too many tags, a tag has too many numbers, or there is no directory.
    Source: TIFF, revision 6.0, section 2; for files of more than 4 GiB, BigTIFF's design.
    """
    order = "<" if content.startswith(b"II") else ">"
    is_big = 43 in (content[2], content[3])
    pointer, counter, entry = ("Q", "Q", "HHQ8s") if is_big else ("L", "H", "HHL4s")
    try:
        (place,) = struct.unpack_from(order + pointer, content, 8 if is_big else 4)
        (num_tags,) = struct.unpack_from(order + counter, content, place)
        if num_tags > _MOST_TAGS:
            raise ValueError(f"it has {num_tags:,} tags")
        place += struct.calcsize(order + counter)
        for k in range(num_tags):
            where = place + k * struct.calcsize(order + entry)
            tag, kind, count, _ = struct.unpack_from(order + entry, content, where)
            if count > _MOST_NUMBERS and kind not in _BYTES_AND_TEXT:
                raise ValueError(f"its tag {tag} holds {count:,} numbers")
    except struct.error:
        raise ValueError("it is cut off before its tags") from None
