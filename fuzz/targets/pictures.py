"""Picture files of every format that is read, whatever their bytes."""

import io
import re
import struct

import numpy as np
from PIL import Image

from clearcnn.data.decode_image import decode
from clearcnn.data.image_files import quiet_pillow
from clearcnn.data.single_image import prepare_image
from clearcnn.errors import DataError
from fuzz.target import Target

# What Pillow and Python say of broken files, which is not for people.
_RAW = re.compile(r"decoder|codec|C ssize_t|bytes not processed|index out of|unpack|NoneType|PIL")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "AVIF", "PPM")


def seeds() -> list[bytes]:
    """Pictures of 9×7 pixels in every format and mode."""
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (7, 9, 4), np.uint8))
    exif = Image.Exif()
    exif[274] = 6
    deep = Image.fromarray(rng.integers(0, 2**16, (7, 9), np.uint16))
    floats = Image.fromarray(rng.normal(size=(7, 9)).astype(np.float32))
    modes = [picture.convert(mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK")]
    files = [
        _save(each, kind, **options)
        for kind in FORMATS
        for each in [*modes, deep, floats]
        for options in ({}, {"exif": exif}, {"save_all": True, "append_images": [each.copy()]})
    ]
    files += [_save(each, "JPEG", progressive=True) for each in modes]
    files += [_two_colored(bits) for bits in (1, 4, 8)]
    packed = ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group4")
    files += [_save(each, "TIFF", compression=name) for each in modes for name in packed]
    return sorted({file for file in files if file}, key=lambda file: (len(file), file))


def read(content: bytes) -> None:
    """Decode it, measure it, and make it like the pictures of a model."""
    try:
        _read(content)
    except DataError as error:
        assert not _RAW.search(error.problem), error.problem
        raise


def _read(content: bytes) -> None:
    with quiet_pillow():
        picture = decode(content, "x")
        measured = decode(content, "x", measure_above=0)
    pixels = picture.pixels
    assert pixels is not None
    assert pixels.shape[:2] == picture.size
    assert pixels.shape[2] in (1, 3)
    assert min(pixels.shape) > 0
    assert pixels.dtype in (np.uint8, np.uint16, np.float32)
    assert np.isfinite(pixels).all()
    assert sorted(measured.size) == sorted(picture.size)
    options = {"color_mode": "grayscale", "dtype": "float32", "value_range": (0.0, 1.0)}
    made = prepare_image(content, "x", size=(8, 8), **options).pixels
    assert made.shape == (8, 8, 1)
    assert np.isfinite(made).all()
    assert pixels.dtype.kind == "f" or 0 <= made.min() <= made.max() <= 1


def _two_colored(bits: int) -> bytes:
    """A BMP of black and white only, stored with more bits than that takes."""
    pixels = bytes(range(32))
    head = struct.pack("<IiiHHIIiiII", 40, 32 // bits, 8, 1, bits, 0, 32, 0, 0, 2, 0)
    start = 14 + len(head) + 8
    file = b"BM" + struct.pack("<IHHI", start + 32, 0, 0, start)
    return file + head + bytes(4) + b"\xff" * 3 + b"\0" + pixels


def _save(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    try:
        picture.save(file, kind, **options)
    except (OSError, ValueError, TypeError, KeyError):  # Not every format has every mode.
        return b""
    return file.getvalue()


TARGET = Target(seeds, read)
