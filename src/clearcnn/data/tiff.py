"""The header of a TIFF, checked before Pillow converts its tags to Python numbers."""

import ctypes
import struct
from dataclasses import dataclass
from functools import cache

from PIL import _imaging

from clearcnn.data.image_error import ImageError
from clearcnn.language import say

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
_FORMATS = {
    1: say("unsigned integers"),
    2: say("signed integers"),
    3: say("floating-point numbers"),
}
_WHITE_IS_ZERO, _RGB, _CMYK, _YCBCR = 0, 2, 5, 6


@dataclass(frozen=True)
class TiffHeader:
    """The first directory of a TIFF file.

    Attributes:
      is_big_endian: the byte order.
      bits: of each sample of a pixel.
      sample_format: 1 unsigned, 2 signed, 3 floating point; 0 if the samples differ.
      compression: the tag's value; 1 for none.
      photometric: the tag's value: the colour space.
      in_planes: whether red, green and blue are stored in separate planes.
      extra: the meanings of extra samples.
      subsampling: of YCbCr chroma, horizontal and vertical.
    """

    is_big_endian: bool
    bits: tuple[int, ...]
    sample_format: int
    compression: int
    photometric: int
    in_planes: bool
    extra: tuple[int, ...]
    subsampling: tuple[int, ...]

    def fault(self, why: str = say("which is not supported")) -> ImageError:
        """Make the error for an unsupported kind of TIFF."""
        count, bits = len(self.bits), max(self.bits, default=0)
        kind = _FORMATS.get(self.sample_format, say("samples of an unknown kind"))
        kind = kind if count > 1 else kind.removesuffix("s")
        return ImageError(
            say(
                "it is a TIFF of {count} {bits}-bit {kind} a pixel, {why}",
                count=count,
                bits=bits,
                kind=kind,
                why=why,
            ),
            say("Save it as PNG, or as TIFF with 8 or 16 bits a channel."),
        )


def read_tiff_header(content: bytes) -> TiffHeader:
    """Read the first directory; check that no tag has more numbers than an image needs.

    Args:
      content: a whole file that starts with one of `SIGNATURES`.
    Raises:
      ImageError: it has too many tags, a tag has too many numbers, or the directory is truncated.
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
            raise ImageError(
                say(
                    "it has {number:,} tags; at most {most_tags:,} are read",
                    number=num_tags,
                    most_tags=_MOST_TAGS,
                )
            )
        place += struct.calcsize(order + counter)
        for k in range(num_tags):
            where = place + k * struct.calcsize(order + entry)
            tag, kind, count, value = struct.unpack_from(order + entry, content, where)
            if count > _MOST_NUMBERS and kind not in _BYTES_AND_TEXT:
                raise ImageError(
                    say(
                        "its tag {tag} has {count:,} numbers; at most {most_numbers:,} are read",
                        tag=tag,
                        count=count,
                        most_numbers=_MOST_NUMBERS,
                    )
                )
            if tag in _DEFAULTS and kind in _NUMBERS and 0 < count <= _MOST_SAMPLES:
                numbers = f"{order}{count}{_NUMBERS[kind]}"
                if struct.calcsize(numbers) > len(value):
                    (elsewhere,) = struct.unpack(order + pointer, value)
                    found[tag] = struct.unpack_from(numbers, content, elsewhere)
                else:
                    found[tag] = struct.unpack_from(numbers, value)
    except (struct.error, OverflowError):
        raise ImageError(say("it is truncated before its tags")) from None
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
    """Reject the kinds of TIFF that Pillow 13 misreads or cannot read.

    Raises:
      ImageError: with the kind of the file, and the reason.
    """
    bits, is_compressed = max(header.bits), header.compression != 1
    if header.sample_format == 3 and (len(header.bits) != 1 or bits != 32):
        raise header.fault(say("of which only a single 32-bit one is supported"))
    if header.sample_format == 2 and bits < 16:
        raise header.fault(say("which are supported with 16 or 32 bits only"))
    if is_compressed and header.is_big_endian and header.sample_format != 1:
        raise header.fault(say("compressed and in big-endian order, which is not supported"))
    if header.photometric == _WHITE_IS_ZERO and (bits > 8 or header.sample_format != 1):
        raise header.fault(say("in which 0 is white, which is supported up to 8 bits only"))
    if header.photometric == _YCBCR and not is_compressed and header.subsampling != (1, 1):
        raise header.fault(say("YCbCr with subsampling and no compression, which is not supported"))
    kind = (header.photometric, header.bits, header.extra)
    eight = (8, 8, 8)
    planes = ((_RGB, eight, ()), (_RGB, (*eight, 8), (2,)), (_CMYK, (*eight, 8), ()))
    if header.in_planes and len(header.bits) > 1 and kind not in planes:
        raise header.fault(
            say("stored plane by plane, which is supported for 8-bit RGB and CMYK only")
        )


@cache
def silence_libtiff() -> None:
    """Stop libtiff from printing errors to stderr; a failure raises anyway.

    Pillow silences libtiff's warnings only. Where Pillow links libtiff statically, as on Windows,
    the function is not found, and libtiff keeps printing.
    """
    set_handler = getattr(ctypes.CDLL(_imaging.__file__), "TIFFSetErrorHandler", None)
    if set_handler is not None:
        set_handler.argtypes, set_handler.restype = [ctypes.c_void_p], ctypes.c_void_p
        set_handler(None)
