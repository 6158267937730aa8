"""Pictures that unfold, go on for ever, or declare what no memory holds."""

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image

from clearcnn.data.png import SIGNATURE
from clearcnn.data.single_image import prepare_image
from fuzz.worst.case import Case

Image.MAX_IMAGE_PIXELS = None  # Of what is made here; the reader has bounds of its own.

_SIDE = 6_300
_TAGS = 9


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    width: int, height: int, depth: int, color: int, row_bytes: int, more: bytes = b""
) -> bytes:
    """A PNG of zeros; `more` are chunks before the pixels."""
    packer = zlib.compressobj(9)
    rows = bytes(row_bytes + 1) * max(1, 2**20 // row_bytes)
    left, packed = height * (row_bytes + 1), b""
    while left > 0:
        packed += packer.compress(rows[:left])
        left -= len(rows)
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    pixels = chunk(b"IDAT", packed + packer.flush())
    return SIGNATURE + chunk(b"IHDR", header) + more + pixels + chunk(b"IEND", b"")


def save(mode: str, size: tuple[int, int], kind: str, **options: Any) -> bytes:
    """A picture of zeros as a file."""
    file = BytesIO()
    Image.new(mode, size).save(file, kind, **options)
    return file.getvalue()


def scans() -> bytes:
    """A progressive JPEG of 39 million pixels whose last scan comes three hundred times."""
    whole = save("RGB", (_SIDE, _SIDE), "JPEG", progressive=True)
    return whole[:-2] + whole[whole.rfind(b"\xff\xda") : -2] * 300 + whole[-2:]


def restarts() -> bytes:
    """A JPEG of 64 pixels whose only scan has fifteen million restart markers."""
    whole = save("L", (8, 8), "JPEG")
    return whole[:-2] + b"\xff\xd0" * 15_000_000 + whole[-2:]


def gif(before: bytes = b"", after: bytes = b"") -> bytes:
    """A GIF with blocks before and within its only frame."""
    whole = save("L", (8, 8), "GIF")
    place = whole.index(b",", 13)
    return whole[:place] + before + whole[place:-2] + after + whole[-2:]


def tiff(num_strips: int) -> bytes:
    """A TIFF, one pixel wide, of so many strips of one row."""
    place = 8 + 2 + 12 * _TAGS + 4
    tags = [(256, 1, 1), (257, 1, num_strips), (258, 1, 8), (259, 1, 1), (262, 1, 1)]
    tags += [(273, num_strips, place), (277, 1, 1), (278, 1, 1), (279, num_strips, place)]
    packed = b"".join(struct.pack("<HHLL", tag, 4, count, value) for tag, count, value in tags)
    head = b"II*\0" + struct.pack("<LH", 8, _TAGS)
    return head + packed + bytes(4) + struct.pack("<L", 1) * num_strips


def exif() -> bytes:
    """EXIF data whose 65,535 tags all hold the same megabyte."""
    size, tags = 10**6, 2**16 - 1
    place = 8 + 2 + 12 * tags + 4
    packed = b"".join(struct.pack("<HHLL", tag, 7, size, place) for tag in range(1, tags + 1))
    return b"II*\0" + struct.pack("<LH", 8, tags) + packed + bytes(4 + size)


def rationals() -> bytes:
    """EXIF data of one tag that holds 150,000 fractions."""
    count = 150_000
    tag = struct.pack("<HHLL", 34_000, 5, count, 26)
    return b"II*\0" + struct.pack("<LH", 8, 1) + tag + bytes(4 + 8 * count)


def bmp(width: int, height: int) -> bytes:
    """A BMP that declares a size and holds one run."""
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, 4, 0, 0, 256, 0) + bytes(1024)
    return b"BM" + struct.pack("<IHHI", 18 + len(head), 0, 0, 14 + len(head)) + head + b"\0\1\0\1"


def read(content: bytes) -> None:
    """Make it like the pictures of a model."""
    options: dict[str, Any] = {"color_mode": "grayscale", "dtype": "uint8"}
    prepare_image(content, "x", size=(28, 28), value_range=(0.0, 255.0), **options)


def refused(make: Any) -> Case:
    """A picture that must be refused."""
    return Case(make, read)


def taken(make: Any) -> Case:
    """A picture that is as large as pictures may be."""
    return Case(make, read, is_refused=False)


_ALL = (_SIDE, _SIDE)
_PALETTE = chunk(b"PLTE", bytes(768)) + chunk(b"tRNS", b"\x80")
_TEXT = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**20 - 9)))

CASES = {
    "PNG, 39 million greys": taken(lambda: png(*_ALL, 8, 0, _SIDE)),
    "PNG, 39 million of 16 bits": taken(lambda: png(*_ALL, 16, 0, 2 * _SIDE)),
    "PNG, 39 million RGB": taken(lambda: png(*_ALL, 8, 2, 3 * _SIDE)),
    "PNG, 39 million RGBA": taken(lambda: png(*_ALL, 8, 6, 4 * _SIDE)),
    "PNG, 39 million of a palette": taken(lambda: png(*_ALL, 8, 3, _SIDE, _PALETTE)),
    "JPEG, 39 million RGB": taken(lambda: save("RGB", _ALL, "JPEG", subsampling=0)),
    "JPEG, 39 million, progressive": taken(
        lambda: save("RGB", _ALL, "JPEG", subsampling=0, progressive=True)
    ),
    "GIF, 39 million": taken(lambda: save("P", _ALL, "GIF")),
    "WebP, 19 million": taken(lambda: save("RGBA", (4450, 4450), "WEBP", lossless=True)),
    "TIFF, 39 million RGBA": taken(lambda: save("RGBA", _ALL, "TIFF", compression="tiff_lzw")),
    "PGM, 39 million of 16 bits": taken(
        lambda: b"P5 %d %d 4095\n" % _ALL + bytes(2 * _SIDE * _SIDE)
    ),
    "PPM of 8 million numbers in text": taken(lambda: b"P3 1666 1666 9\n" + b"1 " * (3 * 1666**2)),
    "AVIF, 19 million": taken(lambda: save("RGB", (4450, 4450), "AVIF", speed=10)),
    "EXIF of 65,535 overlapping tags": taken(lambda: png(8, 8, 8, 0, 8, chunk(b"eXIf", exif()))),
    "EXIF of 150,000 fractions": taken(lambda: png(8, 8, 8, 0, 8, chunk(b"eXIf", rationals()))),
    "PNG, 60,000×60,000": refused(lambda: png(60_000, 60_000, 1, 0, 7_500)),
    "PNG, one row of 50 million": refused(lambda: png(50_000_000, 1, 8, 6, 200_000_000)),
    "PNG, two million chunks": refused(lambda: png(8, 8, 8, 0, 8, chunk(b"tIME", b"") * 2_000_000)),
    "PNG, 200 MB of packed text": refused(lambda: png(8, 8, 8, 0, 8, _TEXT * 200)),
    "JPEG, 310 scans": refused(scans),
    "JPEG, 15 million restart markers": refused(restarts),
    "JPEG, two million segments": refused(
        lambda: b"\xff\xd8" + b"\xff\xe0\0\2" * 2_000_000 + save("L", (8, 8), "JPEG")[2:]
    ),
    "JPEG, 32 MB of filling": refused(lambda: b"\xff\xd8" + b"\xff" * 2**25),
    "WebP, 16,383×8,000": refused(
        lambda: save("RGB", (16_383, 8_000), "WEBP", lossless=True, method=0, quality=0)
    ),
    "GIF, five million extensions": refused(lambda: gif(b"!\1\0" * 5_000_000)),
    "GIF, eight million blocks of a byte": refused(lambda: gif(after=b"\1a" * 2**23)),
    "TIFF, two million strips": refused(lambda: tiff(2_000_000)),
    "BMP, 60,000×60,000": refused(lambda: bmp(60_000, 60_000)),
    "BMP, 39 million in one run": refused(lambda: bmp(*_ALL)),
}
