"""Decoding of image files: from bytes to upright pixels without transparency.

The rules: EXIF orientation is applied; transparent pixels are composited on white; 16-bit greyscale
and float TIFFs are kept, everything else is converted to 8 bits a channel; an image whose channels
are equal everywhere is greyscale; of an animation only the first frame is read. Gamma and colour
profiles are not applied. A damaged file raises wherever its format allows detecting the damage, and
so does a file that viewers display differently.
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

# Each plugin registers its format when it is imported. Importing them here avoids a race of
# threads.
from PIL import (  # noqa: F401
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from clearcnn.data import avif, bmp, gif, jpeg, png, png_rows, pnm, tiff, webp
from clearcnn.data.alpha import flatten
from clearcnn.data.color import is_grey
from clearcnn.data.image_error import ImageError, faults_explained
from clearcnn.data.labelled_images import Images
from clearcnn.data.memory_semaphore import MemorySemaphore
from clearcnn.data.misnamed import reject_misnamed
from clearcnn.data.plain_images import decode_plain
from clearcnn.data.png import PngHeader
from clearcnn.data.resize import Size
from clearcnn.language import say

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "AVIF", "PPM", "PGM", "PBM")
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
        ".avif",
        ".pbm",
        ".pgm",
        ".ppm",
        ".pnm",
    ]
)
LARGEST_PIXELS = 40_000_000
LARGEST_LENGTH = 2**16 - 1  # Of one side, in pixels: the largest that JPEG and GIF can store.
DECODING_MEMORY = MemorySemaphore(LARGEST_PIXELS)
"""In pixels, for all images that threads have decoded and not yet resized."""

_SMALL_SIDE = 1024  # In pixels. The size of larger images is read first, and they wait for memory.
_MOST_READS = 1_000_000
_MOST_SCANNED = 800_000_000  # Twenty scans of the largest image; ten are usual.

_SIGNATURES = {
    "PNG": (png.SIGNATURE,),
    "JPEG": (jpeg.SIGNATURE,),
    "BMP": (bmp.SIGNATURE,),
    "GIF": gif.SIGNATURES,
    "TIFF": tiff.SIGNATURES,
    "PNM": pnm.SIGNATURES,
}
_ORIENTATION = 0x0112
_BITS_PER_SAMPLE = 0x0102


@dataclass(frozen=True)
class DecodedImage:
    """An image as decoded from its file.

    Attributes:
      size: (height, width) upright.
      pixels: (height, width, 1 or 3), uint8, uint16 or float32; None if only the size was read.
      notes: keys of NOTES.
    """

    size: Size
    pixels: Images | None
    notes: tuple[str, ...] = ()


class _LimitedReads(BytesIO):
    """A file in memory that raises after a million reads, which only a hostile file needs."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._left = _MOST_READS

    def read(self, size: int | None = -1, /) -> bytes:
        """Read bytes and count the call."""
        self._left -= 1
        if self._left < 0:
            raise ImageError(say("it has too many blocks"))
        return super().read(size)


def decode(content: bytes, name: str, *, measure_above: int | None = None) -> DecodedImage:
    """Decode an image from the bytes of its file.

    Args:
      content: the whole file.
      name: the name of the image for error messages.
      measure_above: in pixels; of an image with a longer side, only the size is read.
    Raises:
      DataError: it is damaged, truncated, of an unsupported format, or has too many pixels.
    """
    if (plain := _decode_plain(content, measure_above)) is not None:
        return plain
    kind = _find_kind(content)
    with faults_explained(name, kind):
        if kind is None:
            reject_misnamed(content)
            raise ImageError(
                say(
                    "it is not a {formats} or {last_format} file",
                    formats=", ".join(FORMATS[:-1]),
                    last_format=FORMATS[-1],
                )
            )
        if kind == "HEIC":
            raise avif.refuse_heic()
        return _decode(content, kind, measure_above)


def decode_picture(picture: Image.Image, name: str) -> DecodedImage:
    """Read an image that Pillow has opened, by the rules for image files.

    Args:
      picture: not changed.
      name: for error messages.
    Raises:
      DataError: its file is damaged, it has too many pixels, or values that no image has.
    """
    with faults_explained(name, picture.format):
        _check_size(picture.width, picture.height, picture.format or "image")
        return _read(picture.copy(), None)


@contextmanager
def decode_when_memory_allows(content: bytes, name: str) -> Iterator[DecodedImage]:
    """Decode an image for the duration of a `with` block; large ones wait for memory.

    Args:
      content, name: as for `decode`.
    Raises:
      DataError: as `decode`.
    """
    image = decode(content, name, measure_above=_SMALL_SIDE)
    if image.pixels is not None:
        yield image
        return
    with DECODING_MEMORY.take(image.size[0] * image.size[1]):
        yield decode(content, name)


def _decode_plain(content: bytes, measure_above: int | None) -> DecodedImage | None:
    plain = decode_plain(content)
    if plain is None:
        return None
    size = (plain.pixels.shape[0], plain.pixels.shape[1])
    if measure_above is not None and max(size) > measure_above:
        return None
    return DecodedImage(size, plain.pixels, ("greys",) if plain.was_color else ())


def _find_kind(content: bytes) -> str | None:
    """Detect the format by the first bytes."""
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "WEBP"
    for kind, signatures in _SIGNATURES.items():
        if content.startswith(signatures):
            return kind
    return avif.find_media_kind(content)


def _decode(content: bytes, kind: str, measure_above: int | None) -> DecodedImage:
    if kind == "BMP":
        bmp_header = bmp.read_bmp_header(content)
        _check_size(bmp_header.width, bmp_header.height, kind)
        if measure_above is not None and max(bmp_header.width, bmp_header.height) > measure_above:
            return DecodedImage((bmp_header.height, bmp_header.width), None)
        return _read(bmp.read_bmp(content, bmp_header), None)
    if kind == "PNM":
        return _decode_pnm(content, measure_above)
    png_header = png.verify_png(content) if kind == "PNG" else None
    tiff_header = tiff.read_tiff_header(content) if kind == "TIFF" else None
    if tiff_header is not None:
        tiff.check_tiff_kind(tiff_header)
        tiff.silence_libtiff()
    if kind == "WEBP":
        _check_size(*webp.read_webp_size(content), kind)
        content = webp.with_transparent_canvas(content)
    if kind == "AVIF":
        avif.require_avif()
    try:
        image = _open(content, kind)
    except (SyntaxError, IndexError, TypeError, struct.error):
        if tiff_header is not None:
            raise tiff_header.fault() from None
        raise
    with image:
        _check_size(image.width, image.height, kind)
        if measure_above is not None and max(image.size) > measure_above:
            return DecodedImage(_upright_size(image), None)
        if kind == "JPEG":
            _check_scans(image, content)
            _check_wholeness(image, content)
        if kind == "PNG":
            png_rows.verify_rows(content)
        return _read(image, png_header, gif.read_gif_frame(content) if kind == "GIF" else None)


def _open(content: bytes, kind: str) -> ImageFile.ImageFile:
    """Open an image with the reader of its format.

    `Image.open` would first compare the size with Pillow's own limit, a global that any library may
    change.
    """
    factory, _ = Image.OPEN[kind]
    return factory(_LimitedReads(content), "")


def _decode_pnm(content: bytes, measure_above: int | None) -> DecodedImage:
    header = pnm.read_pnm_header(content)
    _check_size(header.width, header.height, "PNM")
    size = (header.height, header.width)
    if measure_above is not None and max(size) > measure_above:
        return DecodedImage(size, None)
    pixels = pnm.read_pnm(content, header)
    notes = ("reduced",) if header.is_reduced else ()
    if pixels.shape[-1] == 3 and is_grey(pixels):
        pixels, notes = pixels[..., :1], (*notes, "greys")
    return DecodedImage(size, pixels, notes)


def _check_size(width: int, height: int, kind: str) -> None:
    # The decoders of WebP and AVIF hold three copies of every pixel.
    most = LARGEST_PIXELS // 2 if kind in ("WEBP", "AVIF") else LARGEST_PIXELS
    if width * height > most or max(width, height) > LARGEST_LENGTH:
        raise ImageError(
            say(
                "it decompresses to {width}×{height} pixels; at most {most:,} are allowed in "
                "total, and {largest_length:,} along a side",
                width=width,
                height=height,
                most=most,
                largest_length=LARGEST_LENGTH,
            )
        )


def _check_scans(image: Image.Image, content: bytes) -> None:
    """Reject a JPEG with many tiny scans, each of which is decoded over the whole image."""
    scans = content.count(b"\xff\xda")
    if scans * image.width * image.height > _MOST_SCANNED:
        raise ImageError(
            say(
                "it has {scans:,} scans of {width}×{height} pixels, which are too many",
                scans=scans,
                width=image.width,
                height=image.height,
            )
        )


def _check_wholeness(image: Image.Image, content: bytes) -> None:
    """Reject a JPEG in which data are missing before a marker; loads the image."""
    other = jpeg.with_other_padding(content)
    if other is None:
        return
    if _digest_file(other) != _digest(image):
        raise ImageError(say("its JPEG data are truncated before the end marker"))


def _digest_file(content: bytes) -> int:
    with _open(content, "JPEG") as image:
        return _digest(image)


def _digest(image: Image.Image) -> int:
    """Compute a checksum of the pixels without copying all of them."""
    image.load()
    rows, digest = max(1, 2**20 // image.width), 0
    for top in range(0, image.height, rows):
        box = (0, top, image.width, min(image.height, top + rows))
        digest = zlib.crc32(image.crop(box).tobytes(), digest)
    return digest


def _read(
    image: Image.Image, header: PngHeader | None, frame: gif.GifFrame | None = None
) -> DecodedImage:
    notes = []
    if image.format != "MPO" and getattr(image, "is_animated", False):
        notes.append("animated")
    if _is_reduced(image, header):
        notes.append("reduced")
    if _orientation(image) != 1:  # Before loading: the TIFF loader applies the tag and drops it.
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
    return DecodedImage((pixels.shape[0], pixels.shape[1]), pixels, tuple(notes))


def _check_palette(image: Image.Image, header: PngHeader) -> None:
    """Reject a PNG whose pixels use colours missing in its palette; Pillow shows greys instead."""
    if image.mode == "P":
        image.load()
        _, last = image.getextrema()
        if isinstance(last, (int, float)) and last >= header.num_colors:
            raise ImageError(
                say(
                    "a pixel has the palette index {last:.0f}, but the palette has "
                    "{num_colors} colours",
                    last=last,
                    num_colors=header.num_colors,
                )
            )


def _is_opaque(image: Image.Image) -> bool:
    """Whether the first frame of an animated WebP covers its whole canvas."""
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
        # Checked first, since Pillow converts every declared value of a tag to a Python number.
        try:
            tiff.read_tiff_header(exif.removeprefix(b"Exif\0\0"))
        except ImageError:
            return 1
    orientation = image.getexif().get(_ORIENTATION, 1)
    return orientation if orientation in range(2, 9) else 1


def _upright_size(image: Image.Image) -> Size:
    width, height = image.size
    # Pillow returns a TIFF's size upright; a PNG's orientation is known only after reading it all.
    lies = image.format not in ("TIFF", "PNG") and _orientation(image) >= 5
    return (width, height) if lies else (height, width)
