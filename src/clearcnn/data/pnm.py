"""A reader of PBM, PGM and PPM, in text (P1 to P3) and binary (P4 to P6).

Pillow's reader accepts files that are too long, so this one replaces it. As Pillow does, it scales
the values from the file's own maximum to 255, and greys of more than 8 bits to 65,535.

Source: J. Poskanzer, "pbm", "pgm" and "ppm" of Netpbm.
"""

import re
from dataclasses import dataclass

import numpy as np

from clearcnn.data.image_error import ImageError
from clearcnn.data.labelled_images import Images
from clearcnn.language import say
from clearcnn.types import Array

SIGNATURES = (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6")
SUFFIXES = (".pbm", ".pgm", ".ppm", ".pnm")

_NAMES = dict(zip(SIGNATURES, ("PBM", "PGM", "PPM") * 2, strict=True))
_BITMAPS, _TEXTS, _COLORED = (b"P1", b"P4"), (b"P1", b"P2", b"P3"), (b"P3", b"P6")
_FIELD = re.compile(rb"(?:\s|#[^\r\n]*[\r\n])+(\d{1,9})")
_COMMENT = re.compile(rb"#[^\r\n]*")
_BLANKS = b" \t\r\n\v\f"
_NUMBERS = b"0123456789" + _BLANKS
_LARGEST_MAXIMUM = 65535
_MOST_TEXT = 16 * 2**20
"""Bytes of a file in text: its numbers take eight bytes each in memory."""


@dataclass(frozen=True)
class PnmHeader:
    """The header of a file.

    Attributes:
      kind: the first two bytes, such as b"P5".
      width, height: in pixels.
      maximum: the value of white, 1 to 65,535.
      start: the offset of the first pixel in bytes.
    """

    kind: bytes
    width: int
    height: int
    maximum: int
    start: int

    @property
    def name(self) -> str:
        """The name of the format."""
        return _NAMES[self.kind]

    @property
    def is_reduced(self) -> bool:
        """Whether colours of more than 8 bits are reduced to 8."""
        return self.kind in _COLORED and self.maximum > 255


def read_pnm_header(content: bytes) -> PnmHeader:
    """Read the header.

    Args:
      content: a whole file that starts with one of `SIGNATURES`.
    Raises:
      ImageError: it is truncated, or a number in it is out of range.
    """
    kind, place, fields = content[:2], 2, []
    for _ in range(2 if kind in _BITMAPS else 3):
        match = _FIELD.match(content, place)
        if match is None:
            raise ImageError(say("its {names} header is damaged", names=_NAMES[kind]))
        fields.append(int(match[1]))
        place = match.end()
    width, height, maximum = (*fields, 1)[:3]
    if width < 1 or height < 1:
        raise ImageError(say("its size is {width}×{height} pixels", width=width, height=height))
    if not 1 <= maximum <= _LARGEST_MAXIMUM:
        raise ImageError(
            say(
                "its largest value is {maximum}; expected 1 to {largest_maximum:,}",
                maximum=maximum,
                largest_maximum=_LARGEST_MAXIMUM,
            )
        )
    if kind not in _TEXTS and content[place : place + 1] not in (b" ", b"\n", b"\t", b"\r"):
        raise ImageError(say("its {names} header is damaged", names=_NAMES[kind]))
    return PnmHeader(kind, width, height, maximum, place + 1)


def read_pnm(content: bytes, header: PnmHeader) -> Images:
    """Read the pixels.

    Args:
      content: the whole file.
      header: from `read_pnm_header`.
    Returns:
      (height, width, 1 or 3) uint8; uint16 if the file has greys of more than 8 bits.
    Raises:
      ImageError: there are too few or too many values, or one is above the maximum.
    """
    channels = 3 if header.kind in _COLORED else 1
    shape = (header.height, header.width, channels)
    if header.kind == b"P4":
        return _read_bits(content, header)
    count = header.height * header.width * channels
    if header.kind in _TEXTS:
        values = _read_text(content, header, count)
    else:
        dtype = np.dtype(">u2" if header.maximum > 255 else "u1")
        _require_length(content, header, count * dtype.itemsize)
        values = np.frombuffer(content, dtype, count, header.start)
    if values.max() > header.maximum:
        raise ImageError(
            say(
                "it has the value {values}, above its maximum {maximum}",
                values=values.max(),
                maximum=header.maximum,
            )
        )
    if header.kind == b"P1":
        return ((1 - values) * 255).astype(np.uint8).reshape(shape)
    return _scale(values, header).reshape(shape)


def _scale(values: Array, header: PnmHeader) -> Images:
    deep = header.maximum > 255 and header.kind not in _COLORED
    white = 65535 if deep else 255
    dtype = np.uint16 if deep else np.uint8
    if header.maximum == white:
        return values.astype(dtype)
    # A table, since an image has many more pixels than there are values.
    table = np.rint(np.arange(header.maximum + 1) / header.maximum * white).astype(dtype)
    return table[values]


def _read_bits(content: bytes, header: PnmHeader) -> Images:
    row_bytes = -(-header.width // 8)
    _require_length(content, header, header.height * row_bytes)
    packed = np.frombuffer(content, np.uint8, header.height * row_bytes, header.start)
    bits = np.unpackbits(packed.reshape(header.height, row_bytes), axis=1, count=header.width)
    return ((1 - bits) * np.uint8(255))[..., np.newaxis]


def _require_length(content: bytes, header: PnmHeader, num_bytes: int) -> None:
    holds = len(content) - header.start
    if holds < num_bytes:
        raise ImageError(say("its {name} data are truncated", name=header.name))
    if content[header.start + num_bytes :].strip():
        raise ImageError(
            say(
                "it has {holds:,} bytes more than {width}×{height} pixels take",
                holds=holds - num_bytes,
                width=header.width,
                height=header.height,
            )
        )


def _read_text(content: bytes, header: PnmHeader, count: int) -> Array:
    if len(content) > _MOST_TEXT:
        raise ImageError(
            say(
                "it has {num_bytes:,} bytes of text; at most {most_text:,} are read",
                num_bytes=len(content),
                most_text=_MOST_TEXT,
            ),
            say("Save it in the binary form of the format, or as PNG."),
        )
    body = _COMMENT.sub(b"", content[header.start - 1 :])
    if header.kind == b"P1":
        # Its digits need no blanks between them.
        values = np.frombuffer(bytes(body.translate(None, _BLANKS)), np.uint8) - 48
    elif body.translate(None, _NUMBERS):  # A tenth of the time of a regular expression.
        raise ImageError(say("its {name} data are not numbers only", name=header.name))
    else:
        values = np.fromstring(body.decode("ascii"), np.int64, sep=" ")
    if len(values) != count:
        raise ImageError(
            say(
                "it has {num_values:,} values; expected {count:,} for {width}×{height} pixels",
                num_values=len(values),
                count=count,
                width=header.width,
                height=header.height,
            )
        )
    return values
