"""A TIFF's first directory, before Pillow makes Python's numbers of what it declares."""

import ctypes
import struct
from dataclasses import dataclass
from functools import cache

from PIL import _imaging

from clearcnn.data.image_error import PictureError

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_MOST_NUMBERS = 100_000
_MOST_TAGS = 1_000
_BYTES_AND_TEXT = (1, 2, 6, 7)
_NUMBERS = {1: "B", 3: "H", 4: "L", 16: "Q"}
_MOST_SAMPLES = 16

_BITS, _COMPRESSION, _PHOTOMETRIC, _PLANES = 258, 259, 262, 284
_EXTRA, _FORMAT, _SUBSAMPLING = 338, 339, 530
_DEFAULTS = {_BITS: (1,), _COMPRESSION: (1,), _PHOTOMETRIC: (0,), _PLANES: (1,), _EXTRA: ()}
_DEFAULTS |= {_FORMAT: (1,), _SUBSAMPLING: (2, 2)}
_FORMATS = {1: "unsigned integers", 2: "signed integers", 3: "floating-point numbers"}
_WHITE_IS_ZERO, _RGB, _CMYK, _YCBCR = 0, 2, 5, 6


@dataclass(frozen=True)
class TiffHeader:
    """How a TIFF says that it stores its samples.

    Attributes:
      is_big_endian: the most significant byte of a number comes first.
      bits: of each sample of a pixel.
      sample_format: 1 unsigned, 2 signed, 3 floating point; 0 where they differ.
      compression: 1 for none.
      photometric: what the samples mean, as the tag has it.
      in_planes: red, green and blue are stored one after the other.
      extra: the meanings of samples beyond the colours.
      subsampling: of YCbCr's chroma, across and down.
    """

    is_big_endian: bool
    bits: tuple[int, ...]
    sample_format: int
    compression: int
    photometric: int
    in_planes: bool
    extra: tuple[int, ...]
    subsampling: tuple[int, ...]

    def fault(self, why: str = "which cannot be read") -> PictureError:
        """What it is, as an error."""
        count, bits = len(self.bits), max(self.bits, default=0)
        kind = _FORMATS.get(self.sample_format, "samples of an unknown kind")
        kind = kind if count > 1 else kind.removesuffix("s")
        return PictureError(
            f"it is a TIFF of {count} {bits}-bit {kind} a pixel, {why}",
            "Save it as PNG, or as TIFF with 8 or 16 bits a channel.",
        )


def read_tiff_header(content: bytes) -> TiffHeader:
    """Read the first directory; check that no tag holds more numbers than a picture needs.

    Args:
      content: a whole file that starts with one of `SIGNATURES`.
    Raises:
      PictureError: it has too many tags, a tag has too many numbers, or there is no directory.
    Source: TIFF, revision 6.0, section 2; for files of more than 4 GiB, BigTIFF's design.
    """
    order = "<" if content.startswith(b"II") else ">"
    is_big = 43 in (content[2], content[3])
    pointer, counter, entry = ("Q", "Q", "HHQ8s") if is_big else ("L", "H", "HHL4s")
    found = dict(_DEFAULTS)
    try:
        (place,) = struct.unpack_from(order + pointer, content, 8 if is_big else 4)
        (num_tags,) = struct.unpack_from(order + counter, content, place)
        if num_tags > _MOST_TAGS:
            raise PictureError(f"it has {num_tags:,} tags")
        place += struct.calcsize(order + counter)
        for k in range(num_tags):
            where = place + k * struct.calcsize(order + entry)
            tag, kind, count, value = struct.unpack_from(order + entry, content, where)
            if count > _MOST_NUMBERS and kind not in _BYTES_AND_TEXT:
                raise PictureError(f"its tag {tag} holds {count:,} numbers")
            if tag in _DEFAULTS and kind in _NUMBERS and 0 < count <= _MOST_SAMPLES:
                numbers = f"{order}{count}{_NUMBERS[kind]}"
                if struct.calcsize(numbers) > len(value):
                    (elsewhere,) = struct.unpack(order + pointer, value)
                    found[tag] = struct.unpack_from(numbers, content, elsewhere)
                else:
                    found[tag] = struct.unpack_from(numbers, value)
    except (struct.error, OverflowError):
        raise PictureError("it is cut off before its tags") from None
    formats = set(found[_FORMAT])
    return TiffHeader(
        order == ">",
        found[_BITS],
        formats.pop() if len(formats) == 1 else 0,
        found[_COMPRESSION][0],
        found[_PHOTOMETRIC][0],
        found[_PLANES][0] == 2,
        found[_EXTRA],
        found[_SUBSAMPLING],
    )


def check_tiff_kind(header: TiffHeader) -> None:
    """Refuse what Pillow 13 reads wrongly or not at all.

    Raises:
      PictureError: it says what it is, and why it is refused.
    """
    bits, is_compressed = max(header.bits), header.compression != 1
    if header.sample_format == 3 and (len(header.bits) != 1 or bits != 32):
        raise header.fault("of which only one of 32 bits can be read")
    if header.sample_format == 2 and bits < 16:
        raise header.fault("which can be read with 16 or 32 bits only")
    if is_compressed and header.is_big_endian and header.sample_format != 1:
        raise header.fault("compressed and in big-endian order, which cannot be read")
    if header.photometric == _WHITE_IS_ZERO and (bits > 8 or header.sample_format != 1):
        raise header.fault("in which 0 is white, which can be read up to 8 bits only")
    if header.photometric == _YCBCR and not is_compressed and header.subsampling != (1, 1):
        raise header.fault("YCbCr with subsampling and no compression, which cannot be read")
    kind = (header.photometric, header.bits, header.extra)
    eight = (8, 8, 8)
    planes = ((_RGB, eight, ()), (_RGB, (*eight, 8), (2,)), (_CMYK, (*eight, 8), ()))
    if header.in_planes and len(header.bits) > 1 and kind not in planes:
        raise header.fault("stored plane by plane, which can be read of 8-bit RGB and CMYK only")


@cache
def silence_libtiff() -> None:
    """Keep libtiff from writing to stderr by itself; what fails is an error anyway.

    Pillow does so with libtiff's warnings. Where it links libtiff statically, as on Windows,
    there is nothing to be found, and libtiff goes on.
    """
    set_handler = getattr(ctypes.CDLL(_imaging.__file__), "TIFFSetErrorHandler", None)
    if set_handler is not None:
        set_handler.argtypes, set_handler.restype = [ctypes.c_void_p], ctypes.c_void_p
        set_handler(None)
