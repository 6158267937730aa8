"""TIFFs of every kind, written here: read as revision 6.0 says, or refused with what they are."""

import struct
import zlib

import numpy as np
import pytest

from clearcnn.data.decode_image import decode
from clearcnn.errors import DataError

RNG = np.random.default_rng(0)
GREY, WHITE_IS_ZERO, RGB, PALETTE, CMYK, YCBCR = 1, 0, 2, 3, 5, 6


def _tiff(samples, photometric, *, order="<", packed=False, planes=False, kind=1, more=()) -> bytes:
    """A TIFF of samples (height, width, count) in one strip, or one for each plane."""
    height, width, count = samples.shape
    stored = samples.astype(samples.dtype.newbyteorder(order))
    parts = [stored[..., k] for k in range(count)] if planes else [stored]
    strips = [zlib.compress(part.tobytes()) if packed else part.tobytes() for part in parts]
    bits = [8 * samples.dtype.itemsize] * count
    tags = {256: [width], 257: [height], 258: bits, 259: [8 if packed else 1]}
    tags |= {262: [photometric], 273: [0] * len(strips), 277: [count], 278: [height]}
    tags |= {279: [len(strip) for strip in strips], 284: [2 if planes else 1], 339: [kind] * count}
    tags |= dict(more)
    place = 10 + 12 * len(tags) + 4
    apart = 4 * sum(len(values) for values in tags.values() if len(values) > 1)
    ends = np.cumsum([len(strip) for strip in strips]).tolist()
    tags[273] = [place + apart + end - len(strip) for end, strip in zip(ends, strips, strict=True)]
    directory, elsewhere = b"", b""
    for tag in sorted(tags):
        values = struct.pack(f"{order}{len(tags[tag])}L", *tags[tag])
        inline = values if len(values) == 4 else struct.pack(order + "L", place + len(elsewhere))
        elsewhere += b"" if len(values) == 4 else values
        directory += struct.pack(order + "HHL", tag, 4, len(tags[tag])) + inline
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "LH", 8, len(tags))
    return head + directory + bytes(4) + elsewhere + b"".join(strips)


def _random(count: int, dtype=np.uint8) -> np.ndarray:
    if np.dtype(dtype).kind == "f":
        return RNG.random((5, 7, count)).astype(dtype)
    return RNG.integers(0, np.iinfo(dtype).max + 1, (5, 7, count), dtype=np.int64).astype(dtype)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_what_is_read_is_read_right(order, packed):
    how = {"order": order, "packed": packed}
    eight, sixteen, color = _random(1), _random(1, np.uint16), _random(3)
    cases = [
        (_tiff(eight, GREY, **how), eight),
        (_tiff(eight, WHITE_IS_ZERO, **how), 255 - eight),
        (_tiff(sixteen, GREY, **how), sixteen),
        (_tiff(color, RGB, **how), color),
        (_tiff(color, RGB, planes=True, **how), color),
        (_tiff(_random(3, np.uint16), RGB, **how), None),
    ]
    if not (packed and order == ">"):
        floats = _random(1, np.float32)
        cases.append((_tiff(floats, GREY, kind=3, **how), floats))
        signed = _random(1, np.uint16) // 2
        cases.append((_tiff(signed.astype(np.int16), GREY, kind=2, **how), signed))
    for content, expected in cases:
        pixels = decode(content, "x").pixels
        if expected is not None:
            np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (_tiff(_random(3, np.float32), RGB, kind=3), "3 32-bit floating-point numbers a pixel"),
        (_tiff(_random(1, np.float64), GREY, kind=3), "1 64-bit floating-point number a pixel"),
        (_tiff(_random(1, np.float16), GREY, kind=3), "1 16-bit floating-point number a pixel"),
        (_tiff(_random(1, np.float32), WHITE_IS_ZERO, kind=3), "in which 0 is white"),
        (_tiff(_random(1, np.uint16), WHITE_IS_ZERO), "in which 0 is white"),
        (_tiff(_random(1, np.float32), GREY, kind=3, order=">", packed=True), "in big-endian"),
        (_tiff(_random(1, np.int16), GREY, kind=2, order=">", packed=True), "in big-endian"),
        (_tiff(_random(1, np.int8), GREY, kind=2), "1 8-bit signed integer a pixel"),
        (_tiff(_random(3, np.uint16), RGB, planes=True), "stored plane by plane"),
        (_tiff(_random(2), GREY, planes=True, more={338: [2]}), "stored plane by plane"),
        (_tiff(_random(3), YCBCR), "YCbCr with subsampling and no compression"),
        (_tiff(_random(1, np.uint32), GREY, order=">"), "1 32-bit unsigned integer a pixel"),
    ],
)
def test_what_is_not_read_is_called_what_it_is(content, said):
    with pytest.raises(DataError, match=f"an image: it is a TIFF of .*{said}") as error:
        decode(content, "a.tif")
    assert error.value.remedy == "Save it as PNG, or as TIFF with 8 or 16 bits a channel."


def test_libtiff_writes_nothing_itself_and_its_words_are_not_shown(capfd):
    whole = bytearray(_tiff(_random(1), GREY, packed=True))
    whole[-1] ^= 0x5A  # Of the checksum with which zlib ends.
    whole[-9] ^= 0x5A
    with pytest.raises(DataError, match="its TIFF data are damaged, or in an unsupported") as error:
        decode(bytes(whole), "a.tif")
    assert "decoder error" not in str(error.value)
    assert capfd.readouterr() == ("", "")
