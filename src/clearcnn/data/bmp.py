"""A BMP reader, since Pillow misreads two-colour palettes, small greyscales and alpha masks."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clearcnn.data.bmp_runs import unpack_runs
from clearcnn.data.color import is_grey
from clearcnn.data.image_error import ImageError
from clearcnn.data.labelled_images import Images
from clearcnn.language import say

SIGNATURE = b"BM"

_PIXELS_AT_ONCE = 2**20
_HEADERS = (12, 40, 52, 56, 64, 108, 124)
_PLAIN, _RUNS_8, _RUNS_4, _MASKS, _ALPHA_MASKS = 0, 1, 2, 3, 6
_DEFAULT_MASKS = {16: (0x7C00, 0x3E0, 0x1F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}
_FILE_HEADER = 14


@dataclass(frozen=True)
class BmpHeader:
    """The header of a BMP file.

    Attributes:
      width, height: in pixels.
      bits: per pixel: 1, 2, 4, 8, 16, 24 or 32.
      compression: 0, or 1 and 2 for run-length encoding of 8 and 4 bits; 0 with bit masks.
      is_top_down: whether the first row is the top one.
      start: the offset of the first pixel in bytes.
      palette: (256, 3) uint8, padded with black.
      masks: the bits of red, green, blue and alpha in a pixel of 16 or 32 bits.
      ignores_alpha: whether it has an alpha mask, but a compression without alpha.
    """

    width: int
    height: int
    bits: int
    compression: int
    is_top_down: bool
    start: int
    palette: NDArray[np.uint8]
    masks: tuple[int, int, int, int]
    ignores_alpha: bool


def read_bmp_header(content: bytes) -> BmpHeader:
    """Read the headers and the palette.

    Args:
      content: a whole file that starts with `SIGNATURE`.
    Raises:
      ImageError: it is truncated, inconsistent, or of an unsupported kind.
    Source: Microsoft, "Bitmap Storage"; OS/2's headers of 12 and 64 bytes.
    """
    try:
        start, size = struct.unpack_from("<II", content, 10)
        if size not in _HEADERS:
            raise ImageError(
                say("its BMP header has {size:,} bytes, which is not a known size", size=size)
            )
        if size == 12:
            width, height, _, bits = struct.unpack_from("<HHHH", content, 18)
            compression = colors = 0
        else:
            width, height, _, bits, compression = struct.unpack_from("<iiHHI", content, 18)
            (colors,) = struct.unpack_from("<I", content, 46)
        known = (_PLAIN, _RUNS_8, _RUNS_4) if size == 64 else (*range(4), _ALPHA_MASKS)
        if bits not in (1, 2, 4, 8, 16, 24, 32) or compression not in known:
            raise ImageError(
                say(
                    "BMP of {bits} bits with compression {compression} is not supported",
                    bits=bits,
                    compression=compression,
                )
            )
        if {_RUNS_8: 8, _RUNS_4: 4}.get(compression, bits) != bits:
            raise ImageError(
                say(
                    "its compression {compression} does not allow {bits} bits a pixel",
                    compression=compression,
                    bits=bits,
                )
            )
        if width < 1 or height == 0:
            raise ImageError(
                say("its size is {width}×{height} pixels", width=width, height=abs(height))
            )
        masks, after = _DEFAULT_MASKS.get(bits, (0, 0, 0, 0)), _FILE_HEADER + size
        declared = struct.unpack_from("<4I", content, 54) if size >= 56 and size != 64 else ()
        if compression in (_MASKS, _ALPHA_MASKS) and bits in (16, 32):
            count = 4 if size >= 56 or compression == _ALPHA_MASKS else 3
            masks = _checked((*struct.unpack_from(f"<{count}I", content, 54), 0)[:4], bits)
        if size == 40 and compression in (_MASKS, _ALPHA_MASKS):
            after += 16 if compression == _ALPHA_MASKS else 12
        palette, after = _read_palette(content, after, start, bits, colors, 3 if size == 12 else 4)
    except struct.error:
        raise ImageError(say("it is truncated in its header")) from None
    if start in (0, _FILE_HEADER + size):
        start = after  # Some writers do not count the palette.
    if start < after:
        raise ImageError(say("its pixels start at byte {start}, inside its header", start=start))
    return BmpHeader(
        width,
        abs(height),
        bits,
        compression if compression in (_RUNS_8, _RUNS_4) else _PLAIN,
        height < 0,
        start,
        palette,
        masks,
        compression == _PLAIN and bits == 32 and size >= 108 and declared[3] != 0,
    )


def read_bmp(content: bytes, header: BmpHeader) -> Image.Image:
    """Read the pixels.

    Args:
      content: the whole file.
      header: from `read_bmp_header`.
    Returns:
      A Pillow image in mode L, RGB or RGBA.
    Raises:
      ImageError: pixels are missing, or it is ambiguous whether they are transparent.
    """
    has_runs = header.compression != _PLAIN
    stripes = _unpack(content, header) if has_runs else _read_rows(content, header)
    image = None
    for top, pixels in stripes:
        flat = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
        stripe = Image.fromarray(np.ascontiguousarray(flat))
        image = image or Image.new(stripe.mode, (header.width, header.height))
        image.paste(stripe, (0, top))
    assert image is not None
    return image


def _checked(masks: tuple[int, ...], bits: int) -> tuple[int, int, int, int]:
    red, green, blue, alpha = masks
    whole = red | green | blue | alpha
    separate = whole == red + green + blue + alpha
    solid = all((mask >> _shift(mask)) & ((mask >> _shift(mask)) + 1) == 0 for mask in masks)
    if not ((red or green or blue) and separate and solid and whole < 2**bits):
        shown = ", ".join(f"{mask:#x}" for mask in masks)
        raise ImageError(
            say("its bit masks of red, green, blue and alpha are invalid: {masks}", masks=shown)
        )
    return red, green, blue, alpha


def _shift(mask: int) -> int:
    return (mask & -mask).bit_length() - 1 if mask else 0


def _read_palette(
    content: bytes, place: int, start: int, bits: int, colors: int, step: int
) -> tuple[NDArray[np.uint8], int]:
    """Read the palette; return it and its end."""
    palette = np.zeros((256, 3), np.uint8)
    if bits > 8:
        return palette, place
    count = min(colors or 2**bits, 2**bits)
    if start > place:  # A palette may be shorter than the header states.
        count = min(count, (start - place) // step)
    stored = np.frombuffer(content[place : place + step * count], np.uint8)
    if len(stored) < step * count or not count:
        raise ImageError(say("it is truncated in its palette"))
    palette[:count] = stored.reshape(-1, step)[:, 2::-1]
    return palette, place + step * count


def _read_rows(content: bytes, header: BmpHeader) -> Iterator[tuple[int, Images]]:
    """Yield (top row, pixels (rows, width, channels)) of each stripe."""
    row_bytes = (header.width * header.bits + 31) // 32 * 4
    missing = header.start + row_bytes * header.height - len(content)
    if missing >= max(1, row_bytes - (header.width * header.bits + 7) // 8 + 1):
        raise ImageError(
            say("it is truncated: {missing:,} bytes of its pixels are missing", missing=missing)
        )
    high = max(1, _PIXELS_AT_ONCE // header.width)
    for first in range(0, header.height, high):
        count = min(high, header.height - first)
        place = header.start + first * row_bytes
        piece = content[place : place + count * row_bytes].ljust(count * row_bytes, b"\0")
        rows = _to_colors(np.frombuffer(piece, np.uint8).reshape(count, row_bytes), header)
        if header.is_top_down:
            yield first, rows
        else:
            yield header.height - first - count, rows[::-1]


def _to_colors(rows: NDArray[np.uint8], header: BmpHeader) -> Images:
    """Convert stored rows (n, bytes) to pixels (n, width, channels)."""
    if header.bits <= 8:
        shifts = np.arange(8 - header.bits, -1, -header.bits, dtype=np.uint8)
        samples = (rows[..., np.newaxis] >> shifts) & np.uint8(2**header.bits - 1)
        return _look_up(samples.reshape(len(rows), -1)[:, : header.width], header)
    if header.bits == 24:
        return rows[:, : 3 * header.width].reshape(len(rows), header.width, 3)[..., ::-1]
    values = rows.view("<u2" if header.bits == 16 else "<u4")[:, : header.width].astype(np.uint32)
    if header.ignores_alpha and not (values >> 24 == 255).all():
        raise ImageError(
            say(
                "it has an alpha mask but a compression without alpha, which viewers display "
                "differently"
            )
        )
    used = header.masks if header.masks[3] else header.masks[:3]
    channels = [_scale(values, mask) for mask in used]
    return np.stack(channels, axis=-1)


def _scale(values: NDArray[np.uint32], mask: int) -> NDArray[np.uint8]:
    """Extract the bits of a mask, scaled to 0 to 255."""
    if not mask:
        return np.zeros(values.shape, np.uint8)
    samples, most = (values & np.uint32(mask)) >> np.uint32(_shift(mask)), mask >> _shift(mask)
    more = max(0, most.bit_length() - 16)  # Keeps the product below 2³².
    scaled: NDArray[np.uint8] = ((samples >> np.uint32(more)) * 255 // (most >> more)).astype(
        np.uint8
    )
    return scaled


def _look_up(samples: NDArray[np.uint8], header: BmpHeader) -> Images:
    palette = header.palette[:, :1] if is_grey(header.palette) else header.palette
    return palette[samples]


def _unpack(content: bytes, header: BmpHeader) -> Iterator[tuple[int, Images]]:
    """Yield stripes like `_read_rows`, of run-length encoded pixels."""
    samples = unpack_runs(content, header.start, header.width, header.height, header.bits)
    upright = samples if header.is_top_down else samples[::-1]
    high = max(1, _PIXELS_AT_ONCE // header.width)
    for top in range(0, header.height, high):
        yield top, _look_up(upright[top : top + high], header)
