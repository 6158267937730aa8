"""The one reader of picture files: bytes in, upright pixels without transparency out.

The rules: EXIF orientation is applied; transparent pixels are laid on white, as on a page;
16-bit greys and float TIFFs are kept, everything else becomes 8 bits a channel; a picture
whose channels are equal everywhere is grey; of an animation only the first frame is read.
Gamma and colour profiles are not applied. What is broken is refused wherever its format lets one
tell, and so is what viewers show differently.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

# Each plugin registers its format when imported; doing it here keeps threads from racing.
from PIL import (  # noqa: F401
    GifImagePlugin,
    Image,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from clearcnn.data import bmp, gif, jpeg, png, tiff, webp
from clearcnn.data.alpha import flatten
from clearcnn.data.color import is_grey
from clearcnn.data.image_error import PictureError
from clearcnn.data.labelled_images import Images
from clearcnn.data.memory_semaphore import Room
from clearcnn.data.png import PngHeader
from clearcnn.data.resize import Size
from clearcnn.errors import DataError

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
SUFFIXES = frozenset(
    [
        ".png",
        ".apng",
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".bmp",
        ".dib",
        ".gif",
        ".webp",
        ".tif",
        ".tiff",
    ]
)
LARGEST_PIXELS = 40_000_000
LARGEST_LENGTH = 2**16 - 1
"""Along one side: what JPEG and GIF can say."""
ROOM = Room(LARGEST_PIXELS)
"""In pixels, for all pictures that threads have unfolded and not yet resized."""

_SMALL_SIDE = 1024  # In pixels: longer pictures are measured first, and wait for room in memory.
_MOST_READS = 1_000_000
_MOST_SCANNED = 800_000_000  # Twenty scans of the largest picture; ten are usual.

# What may have been done to a picture; `{}` is the number of pictures.
NOTES = {
    "turned": "{} turned upright as their EXIF orientation says.",
    "transparent": "{} with transparency laid on white.",
    "animated": "{} with several frames, of which only the first was read.",
    "reduced": "{} with 16 bits a channel reduced to 8.",
    "converted": "{} converted to RGB from another colour space.",
    "greys": "{} stored in colour that show only greys, read as greyscale.",
    "greyed": "{} in colour converted to greyscale (ITU-R 601-2 luma).",
}

_SIGNATURES = {
    "PNG": (png.SIGNATURE,),
    "JPEG": (jpeg.SIGNATURE,),
    "BMP": (bmp.SIGNATURE,),
    "GIF": gif.SIGNATURES,
    "TIFF": tiff.SIGNATURES,
}
_ORIENTATION = 0x0112
_BITS_PER_SAMPLE = 0x0102


@dataclass(frozen=True)
class Picture:
    """A picture as read from its file.

    Attributes:
      size: (height, width) upright.
      pixels: (height, width, 1 or 3), uint8, uint16 or float32; None if only measured.
      notes: keys of NOTES.
    """

    size: Size
    pixels: Images | None
    notes: tuple[str, ...] = ()


class _Metered(BytesIO):
    """A file in memory that ends a reader which goes through millions of pieces."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._left = _MOST_READS

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, and count."""
        self._left -= 1
        if self._left < 0:
            raise PictureError("it consists of too many pieces")
        return super().read(size)


def decode(content: bytes, name: str, *, measure_above: int | None = None) -> Picture:
    """Read a picture from the bytes of its file.

    Args:
      content: the whole file.
      name: what to call the picture in an error.
      measure_above: in pixels; a picture with a longer side is measured, not read.
    Raises:
      DataError: it is broken, cut off, of another format, or has too many pixels.
    """
    kind = _find_kind(content)
    remedy = ""
    try:
        return _decode(content, kind, measure_above)
    except PictureError as fault:
        reason, remedy = str(fault), fault.remedy
    except Image.DecompressionBombError:
        reason = f"it has more than {LARGEST_PIXELS:,} pixels"
    except MemoryError:
        reason = "there is not enough memory for it"
    except Exception as error:  # Pillow's readers raise almost any kind on broken files
        reason = _explain(error, kind)
    raise DataError(
        f"{name} cannot be read as a picture: {reason}.",
        remedy=remedy
        or "Replace or remove the file, or skip what cannot be read (--skip-unreadable).",
    ) from None


@contextmanager
def unfolded(content: bytes, name: str) -> Iterator[Picture]:
    """Read a picture for as long as it is needed; large ones wait until there is room for them.

    Args:
      content, name: as for `decode`.
    Raises:
      DataError: as `decode`.
    """
    picture = decode(content, name, measure_above=_SMALL_SIDE)
    if picture.pixels is not None:
        yield picture
        return
    with ROOM.take(picture.size[0] * picture.size[1]):
        yield decode(content, name)


def _find_kind(content: bytes) -> str | None:
    """The format, as its first bytes tell it."""
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "WEBP"
    for kind, signatures in _SIGNATURES.items():
        if content.startswith(signatures):
            return kind
    return None


def _explain(error: Exception, kind: str | None) -> str:
    """What an error of Pillow's means for people; its own words are for those who wrote it."""
    if kind is None:
        return f"it is not a whole file of {', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
    if isinstance(error, EOFError) or "truncated" in str(error).lower():
        return f"its {kind} data are cut off"
    return f"its {kind} data are damaged, or of a kind that cannot be read"


def _decode(content: bytes, kind: str | None, measure_above: int | None) -> Picture:
    if kind == "BMP":
        bmp_header = bmp.read_bmp_header(content)
        _check_size(bmp_header.width, bmp_header.height, kind)
        if measure_above is not None and max(bmp_header.width, bmp_header.height) > measure_above:
            return Picture((bmp_header.height, bmp_header.width), None)
        return _read(bmp.read_bmp(content, bmp_header), None)
    png_header = png.verify_png(content) if kind == "PNG" else None
    tiff_header = tiff.read_tiff_header(content) if kind == "TIFF" else None
    if tiff_header is not None:
        tiff.check_tiff_kind(tiff_header)
        tiff.silence_libtiff()
    if kind == "WEBP":
        content = webp.with_transparent_canvas(content)
    try:
        image = Image.open(_Metered(content), formats=FORMATS)
    except UnidentifiedImageError:
        if tiff_header is not None:
            raise tiff_header.fault() from None
        raise
    with image:
        _check_size(image.width, image.height, kind)
        if measure_above is not None and max(image.size) > measure_above:
            return Picture(_upright_size(image), None)
        if kind == "JPEG":
            _check_scans(image, content)
            _check_wholeness(image, content)
        return _read(image, png_header, gif.read_gif_frame(content) if kind == "GIF" else None)


def _check_size(width: int, height: int, kind: str | None) -> None:
    # The decoder of WebP holds every pixel three times before Pillow does.
    most = LARGEST_PIXELS // 2 if kind == "WEBP" else LARGEST_PIXELS
    if width * height > most or max(width, height) > LARGEST_LENGTH:
        raise PictureError(
            f"it unfolds to {width}×{height} pixels; at most {most:,} are allowed, and at most "
            f"{LARGEST_LENGTH:,} along a side"
        )


def _check_scans(image: Image.Image, content: bytes) -> None:
    """Refuse a JPEG whose scans, of a few bytes each, go over all its pixels again and again."""
    scans = content.count(b"\xff\xda")
    if scans * image.width * image.height > _MOST_SCANNED:
        raise PictureError(f"it goes over {image.width}×{image.height} pixels {scans:,} times")


def _check_wholeness(image: Image.Image, content: bytes) -> None:
    """Refuse a JPEG in which data are missing before a marker; the image is loaded then."""
    other = jpeg.with_other_padding(content)
    if other is None:
        return
    if _digest_file(other) != _digest(image):
        raise PictureError("its JPEG data are cut off, though an end marker follows them")


def _digest_file(content: bytes) -> int:
    with Image.open(_Metered(content), formats=("JPEG",)) as image:
        return _digest(image)


def _digest(image: Image.Image) -> int:
    """A checksum of the pixels, without another copy of all of them."""
    image.load()
    rows, digest = max(1, 2**20 // image.width), 0
    for top in range(0, image.height, rows):
        box = (0, top, image.width, min(image.height, top + rows))
        digest = zlib.crc32(image.crop(box).tobytes(), digest)
    return digest


def _read(
    image: Image.Image, header: PngHeader | None, frame: gif.GifFrame | None = None
) -> Picture:
    notes = []
    if image.format != "MPO" and getattr(image, "is_animated", False):
        notes.append("animated")
    if _is_reduced(image, header):
        notes.append("reduced")
    if _orientation(image) != 1:  # asked before loading: TIFF's loader turns and drops the tag
        notes.append("turned")
        ImageOps.exif_transpose(image, in_place=True)
    if frame is not None:
        image.load()
        image = gif.on_canvas(image, frame)
    if header is not None:
        _check_palette(image, header)
    if image.has_transparency_data and not _is_opaque(image):
        notes.append("transparent")
    elif image.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        notes.append("converted")
    pixels = flatten(image, header)
    if pixels.shape[-1] == 3 and is_grey(pixels):
        pixels = pixels[..., :1]
        if image.mode not in ("LA", "L", "1"):
            notes.append("greys")
    return Picture((pixels.shape[0], pixels.shape[1]), pixels, tuple(notes))


def _check_palette(image: Image.Image, header: PngHeader) -> None:
    """Refuse a PNG with colours that its palette lacks; Pillow makes greys of them."""
    if image.mode == "P":
        image.load()
        _, last = image.getextrema()
        if isinstance(last, (int, float)) and last >= header.num_colors:
            raise PictureError(
                f"a pixel has colour {last:.0f} of a palette of {header.num_colors} colours"
            )


def _is_opaque(image: Image.Image) -> bool:
    """Whether an animated WebP, read as if it had an alpha channel, covers its canvas."""
    if image.format != "WEBP":
        return False
    image.load()
    return image.getextrema()[-1] == (255, 255)


def _is_reduced(image: Image.Image, header: PngHeader | None) -> bool:
    if image.mode.startswith("I"):
        return False
    if header is not None:
        return header.bit_depth == 16
    tags = getattr(image, "tag_v2", None)
    return image.mode != "F" and tags is not None and max(tags.get(_BITS_PER_SAMPLE, (8,))) > 8


def _orientation(image: Image.Image) -> int:
    if image.format == "PNG":
        image.load()  # Its EXIF data may follow the pixels.
    if exif := image.info.get("exif"):
        # Pillow would make a Python number of each that a tag declares.
        try:
            tiff.read_tiff_header(exif.removeprefix(b"Exif\0\0"))
        except PictureError:
            return 1
    orientation = image.getexif().get(_ORIENTATION, 1)
    return orientation if orientation in range(2, 9) else 1


def _upright_size(image: Image.Image) -> Size:
    width, height = image.size
    # TIFF gives its size upright; PNG would have to be read whole to know its orientation.
    lies = image.format not in ("TIFF", "PNG") and _orientation(image) >= 5
    return (width, height) if lies else (height, width)
