"""A JPEG's wholeness, which Pillow does not check: libjpeg fills up what is missing, and warns.

The format has no checksum and does not say how long its compressed data are. But what follows
their last bit must not matter. So a picture is read twice, with other bits there the second time:
where it shows something else, data were missing.
"""

import re
from itertools import product

from clearcnn.data.image_error import PictureError

SIGNATURE = b"\xff\xd8"

_MARKER = re.compile(rb"\xff+([\x01-\xfe])")
_RESTART = re.compile(rb"\xff+[\xd0-\xd7]")
_OTHER_BITS = bytes.fromhex("b36d5ac9") * 8
_PROGRESSIVE, _SCAN, _END, _TEMPORARY = 0xC2, 0xDA, 0xD9, 0x01
_FRAMES = range(0xC0, 0xC4)
_RESTARTS = range(0xD0, 0xD8)
_ARITHMETIC = range(0xC9, 0xCC)
_BLOCK = 64
_MOST_SEGMENTS = 100_000
_MOST_RESTARTS = 1_000_000  # Of 40 million pixels in blocks of 64, each with one.


def with_other_padding(content: bytes) -> bytes | None:
    """Change the bits that follow each stretch of compressed data.

    Args:
      content: a whole file that starts with `SIGNATURE`.
    Returns:
      A file that shows the same if nothing is missing; None for arithmetic coding, where what
      follows does matter.
    Raises:
      PictureError: its segments do not lead to an end marker, or it ends before every
        coefficient was sent to its last bit.
    Source: ITU-T T.81, annex B; F.1.2.3 for the bits that pad a stretch.
    """
    if sum(content.count(bytes([0xFF, kind])) for kind in _RESTARTS) > _MOST_RESTARTS:
        raise PictureError(f"it has more than {_MOST_RESTARTS:,} restart markers")
    pieces: list[bytes] = []
    copied, place = 0, len(SIGNATURE)
    is_progressive = False
    missing: set[tuple[int, int]] = set()  # Coefficients, each of a component.
    for _ in range(_MOST_SEGMENTS):
        kind, place = _next_marker(content, place)
        if kind == _END:
            if missing:
                raise PictureError("it is cut off: its last scans are missing")
            return b"".join([*pieces, content[copied:place]])
        if kind in _ARITHMETIC:
            return None
        if kind == _TEMPORARY or kind in _RESTARTS:
            continue
        segment = content[place : place + int.from_bytes(content[place : place + 2], "big")]
        place += len(segment)
        if kind in _FRAMES:
            is_progressive = kind == _PROGRESSIVE
            missing = set(product(segment[8::3], range(_BLOCK)))
        if kind == _SCAN:
            missing -= _find_sent(segment, is_progressive)
            end = _find_end(content, place)
            pieces += [content[copied:place], _pad(content[place:end])]
            copied = place = end
    raise PictureError("it consists of too many pieces")


def _find_sent(header: bytes, is_progressive: bool) -> set[tuple[int, int]]:
    """The coefficients that a scan sends to their last bit."""
    first, last, low_bit = header[-3], header[-2], header[-1] & 15
    if not is_progressive:
        first, last, low_bit = 0, _BLOCK - 1, 0
    return set(product(header[3:-3:2], range(first, last + 1))) if low_bit == 0 else set()


def _next_marker(content: bytes, place: int) -> tuple[int, int]:
    """The next marker, and where what belongs to it starts."""
    found = _MARKER.search(content, place)
    if found is None:
        raise PictureError("it is cut off: its end marker is missing")
    return found[1][0], found.end()


def _find_end(content: bytes, place: int) -> int:
    """Where the compressed data of a scan end."""
    kind, after = _next_marker(content, place)
    while kind in _RESTARTS:
        place = after
        kind, after = _next_marker(content, place)
    found = _MARKER.search(content, place)
    assert found is not None
    return found.start()


def _pad(scan: bytes) -> bytes:
    """The data of a scan with other bits before each restart marker and at the end.

    At the end the restart marker whose turn it is stands, too, for data that lack it.
    """
    padded, count = _RESTART.subn(lambda found: _OTHER_BITS + found[0], scan)
    return padded + _OTHER_BITS + bytes([0xFF, _RESTARTS[count % 8]]) + _OTHER_BITS
