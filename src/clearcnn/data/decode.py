"""The one reader of picture files: bytes in, upright pixels without transparency out.

The rules: EXIF orientation is applied; transparent pixels are laid on white, as on a page;
16-bit greys and float TIFFs are kept, everything else becomes 8 bits a channel; a picture
whose channels are equal everywhere is grey; of an animation only the first frame is read.
Gamma and colour profiles are not applied. What is broken anywhere is refused.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

import numpy as np

# Each plugin registers its format when imported; doing it here keeps threads from racing.
from PIL import (  # noqa: F401
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from clearcnn.data.color import is_grey
from clearcnn.data.images import Images
from clearcnn.data.png import SIGNATURE, PngHeader, verify_png
from clearcnn.data.resize import Size
from clearcnn.data.room import Room
from clearcnn.data.tiff import SIGNATURES as TIFF_SIGNATURES
from clearcnn.data.tiff import verify_tiff
from clearcnn.data.tiles import read_tiles
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
WHITE = 255

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
            raise ValueError("it consists of too many pieces")
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
    try:
        header = verify_png(content) if content.startswith(SIGNATURE) else None
        if content.startswith(TIFF_SIGNATURES):
            verify_tiff(content)
        with Image.open(_Metered(content), formats=FORMATS) as image:
            # The decoder of WebP holds every pixel three times before Pillow does.
            most = LARGEST_PIXELS // 2 if image.format == "WEBP" else LARGEST_PIXELS
            if image.width * image.height > most or max(image.size) > LARGEST_LENGTH:
                raise ValueError(
                    f"it unfolds to {image.width}×{image.height} pixels; at most {most:,} are "
                    f"allowed, and at most {LARGEST_LENGTH:,} along a side"
                )
            if measure_above is not None and max(image.size) > measure_above:
                return Picture(_upright_size(image), None)
            _check_scans(image, content)
            return _read(image, header)
    except UnidentifiedImageError:
        reason = f"it is not a whole file of {', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
    except Exception as error:  # Pillow's readers raise almost any kind on broken files
        reason = str(error).rstrip(".") or type(error).__name__
    raise DataError(
        f"{name} cannot be read as a picture: {reason}.",
        remedy="Replace or remove the file, or skip what cannot be read (--skip-unreadable).",
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


def _check_scans(image: Image.Image, content: bytes) -> None:
    """Refuse a JPEG whose scans, of a few bytes each, go over all its pixels again and again."""
    if image.format in ("JPEG", "MPO"):
        scans = content.count(b"\xff\xda")
        if scans * image.width * image.height > _MOST_SCANNED:
            raise ValueError(f"it goes over {image.width}×{image.height} pixels {scans:,} times")


def _read(image: Image.Image, header: PngHeader | None) -> Picture:
    notes = []
    if image.format != "MPO" and getattr(image, "is_animated", False):
        notes.append("animated")
    if _is_reduced(image, header):
        notes.append("reduced")
    if _orientation(image) != 1:  # asked before loading: TIFF's loader turns and drops the tag
        notes.append("turned")
        ImageOps.exif_transpose(image, in_place=True)
    if image.has_transparency_data:
        notes.append("transparent")
    elif image.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        notes.append("converted")
    pixels = _pixels(image, header)
    if pixels.shape[-1] == 3 and is_grey(pixels):
        pixels = pixels[..., :1]
        if image.mode not in ("LA", "L", "1"):
            notes.append("greys")
    return Picture((pixels.shape[0], pixels.shape[1]), pixels, tuple(notes))


def _pixels(image: Image.Image, header: PngHeader | None) -> Images:
    """Pixels (height, width, 1 or 3) of an upright image, laid on white."""
    image.load()
    if image.mode == "F":
        return read_tiles(image, _deep_pixels, channels=1, dtype="float32")
    if image.mode.startswith("I"):
        return read_tiles(image, _deep_pixels, channels=1, dtype="uint16")
    if image.has_transparency_data:
        _scale_transparent_value(image, header)
        return read_tiles(image, _on_white, channels=3, dtype="uint8")
    if image.mode in ("1", "L"):
        return read_tiles(image, _grey_pixels, channels=1, dtype="uint8")
    return read_tiles(image, _rgb_pixels, channels=3, dtype="uint8")


def _on_white(image: Image.Image) -> Images:
    layer = image.convert("RGBA")
    page = Image.new("RGB", layer.size, (WHITE, WHITE, WHITE))
    page.paste(layer, mask=layer)
    return np.asarray(page)


def _grey_pixels(image: Image.Image) -> Images:
    return np.asarray(image.convert("L"))[..., np.newaxis]


def _rgb_pixels(image: Image.Image) -> Images:
    return np.asarray(image.convert("RGB"))


def _deep_pixels(image: Image.Image) -> Images:
    """Greys of more than 8 bits: (height, width, 1) uint16 or float32."""
    pixels = np.asarray(image)[..., np.newaxis]
    if image.mode == "F":
        if not np.isfinite(pixels).all():
            raise ValueError("it holds NaN or infinite values")
        return pixels.astype(np.float32)
    if pixels.min() < 0 or pixels.max() > 65535:
        raise ValueError(
            f"its values range from {pixels.min()} to {pixels.max()}; 0 to 65,535 can be read"
        )
    pixels = pixels.astype(np.uint16)
    transparent = image.info.get("transparency")
    return pixels if transparent is None else np.where(pixels == transparent, 65535, pixels)


def _scale_transparent_value(image: Image.Image, header: PngHeader | None) -> None:
    """Bring a PNG's transparent grey or colour to 8 bits, as Pillow did with the pixels."""
    value = image.info.get("transparency")
    if header is None or value is None:
        return
    if image.mode == "RGB" and header.bit_depth == 16:
        image.info["transparency"] = tuple(sample >> 8 for sample in value)
    elif image.mode == "L":
        image.info["transparency"] = value * 255 // (2**header.bit_depth - 1)


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
            verify_tiff(exif.removeprefix(b"Exif\0\0"))
        except ValueError:
            return 1
    orientation = image.getexif().get(_ORIENTATION, 1)
    return orientation if orientation in range(2, 9) else 1


def _upright_size(image: Image.Image) -> Size:
    width, height = image.size
    # TIFF gives its size upright; PNG would have to be read whole to know its orientation.
    lies = image.format not in ("TIFF", "PNG") and _orientation(image) >= 5
    return (width, height) if lies else (height, width)
