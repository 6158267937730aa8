"""Detection of truncated JPEG files, for which libjpeg only warns and makes up the missing pixels.

The format has no checksum and does not state the length of its compressed data. But the bits after
their end must have no effect. So an image is decoded twice, the second time with other bits there:
if the pixels differ, data were missing.
"""

import re
from itertools import product

from clearcnn.data.image_error import ImageError
from clearcnn.language import say

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
_MOST_RESTARTS = 1_000_000  # 40 million pixels in blocks of 64, each with one.


def with_other_padding(content: bytes) -> bytes | None:
    """Change the padding bits after each segment of compressed data.

    Args:
      content: a whole file that starts with `SIGNATURE`.
    Returns:
      A file that decodes to the same pixels if nothing is missing; None for arithmetic coding,
      where the bits that follow have an effect.
    Raises:
      ImageError: there is no end marker after the segments, or some bits of a coefficient are
        missing.
    Source: ITU-T T.81, annex B; F.1.2.3 for padding bits.
    """
    if sum(content.count(bytes([0xFF, kind])) for kind in _RESTARTS) > _MOST_RESTARTS:
        raise ImageError(
            say("it has more than {most_restarts:,} restart markers", most_restarts=_MOST_RESTARTS)
        )
    pieces: list[bytes] = []
    copied, place = 0, len(SIGNATURE)
    is_progressive = False
    missing: set[tuple[int, int]] = set()  # (component, coefficient)
    for _ in range(_MOST_SEGMENTS):
        kind, place = _next_marker(content, place)
        if kind == _END:
            if missing:
                raise ImageError(say("it is truncated: its last scans are missing"))
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
    raise ImageError(say("it has too many segments"))


def find_first_marker(content: bytes, place: int) -> int:
    """Find the first marker at or after a place, restart markers too.

    Raises:
      ImageError: there is none.
    """
    found = _MARKER.search(content, place)
    if found is None:
        raise ImageError(say("it is truncated: its end marker is missing"))
    return found.start()


def _find_sent(header: bytes, is_progressive: bool) -> set[tuple[int, int]]:
    """Find the coefficients that a scan completes, to their last bit."""
    first, last, low_bit = header[-3], header[-2], header[-1] & 15
    if not is_progressive:
        first, last, low_bit = 0, _BLOCK - 1, 0
    return set(product(header[3:-3:2], range(first, last + 1))) if low_bit == 0 else set()


def _next_marker(content: bytes, place: int) -> tuple[int, int]:
    """Find the next marker and the offset after it."""
    found = _MARKER.search(content, place)
    if found is None:
        raise ImageError(say("it is truncated: its end marker is missing"))
    return found[1][0], found.end()


def _find_end(content: bytes, place: int) -> int:
    """Find the end of the compressed data of a scan."""
    kind, after = _next_marker(content, place)
    while kind in _RESTARTS:
        place = after
        kind, after = _next_marker(content, place)
    found = _MARKER.search(content, place)
    assert found is not None
    return found.start()


def _pad(scan: bytes) -> bytes:
    """Insert other padding bits before each restart marker and at the end of a scan.

    The next restart marker is added at the end, too, in case data with it are missing.
    """
    padded, count = _RESTART.subn(lambda found: _OTHER_BITS + found[0], scan)
    return padded + _other_padding(count)


def _other_padding(num_restarts: int) -> bytes:
    return _OTHER_BITS + bytes([0xFF, _RESTARTS[num_restarts % 8]]) + _OTHER_BITS


OTHER_PADDING = _other_padding(0)
"""What `with_other_padding` adds to a scan without restart markers."""
