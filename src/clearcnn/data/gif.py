"""The first frame of a GIF: its position and its colours."""

from dataclasses import dataclass

from PIL import Image

from clearcnn.data.image_error import ImageError
from clearcnn.language import say

SIGNATURES = (b"GIF87a", b"GIF89a")

_MOST_BLOCKS = 1_000_000
_EXTENSION, _GRAPHIC_CONTROL, _IMAGE = 0x21, 0xF9, 0x2C
_HAS_TABLE = 0x80


@dataclass(frozen=True)
class GifFrame:
    """The header of a GIF's first frame.

    Attributes:
      box: left, upper, right and lower edge on the canvas, in pixels.
      palette: 768 bytes of red, green and blue, padded with black.
      transparent: the index of the transparent colour; None without one.
    """

    box: tuple[int, int, int, int]
    palette: bytes
    transparent: int | None


def read_gif_frame(content: bytes) -> GifFrame:
    """Read the blocks up to the first frame.

    Args:
      content: a whole file that starts with one of `SIGNATURES`.
    Raises:
      ImageError: there is no frame, or no palette for it.
    Source: CompuServe, Graphics Interchange Format, version 89a.
    """
    try:
        palette, place = _read_table(content, content[10], 13)
        transparent = None
        for _ in range(_MOST_BLOCKS):
            kind = content[place]
            if kind == _IMAGE:
                return _read_image(content, place, palette, transparent)
            if kind != _EXTENSION:
                raise ImageError(say("it has no frame"))
            if content[place + 1] == _GRAPHIC_CONTROL and content[place + 2] >= 4:
                transparent = content[place + 6] if content[place + 3] & 1 else None
            place += 2
            while content[place]:
                place += 1 + content[place]
            place += 1
    except IndexError:
        raise ImageError(say("it is truncated before its first frame")) from None
    raise ImageError(say("it has too many blocks"))


def on_canvas(image: Image.Image, frame: GifFrame) -> Image.Image:
    """Apply the frame's own palette, and make the rest of the canvas transparent.

    Pillow fills the rest with the first colour, and may use another frame's palette.

    Args:
      image: the first frame, loaded by Pillow; its pixels are palette indices.
      frame: from `read_gif_frame`.
    """
    colored = Image.frombytes("L", image.size, image.tobytes())
    colored.putpalette(frame.palette)
    if frame.transparent is not None:
        colored.info["transparency"] = frame.transparent
    if frame.box == (0, 0, *image.size):
        return colored
    canvas = Image.new("RGBA", image.size)
    canvas.paste(colored.crop(frame.box).convert("RGBA"), frame.box[:2])
    return canvas


def _read_image(content: bytes, place: int, palette: bytes, transparent: int | None) -> GifFrame:
    left, top, width, height = (
        int.from_bytes(content[place + k : place + k + 2], "little") for k in (1, 3, 5, 7)
    )
    own, _ = _read_table(content, content[place + 9], place + 10)
    if not (own or palette):
        raise ImageError(say("it has neither a global palette nor one for its first frame"))
    return GifFrame(
        (left, top, left + width, top + height), (own or palette).ljust(768, b"\0"), transparent
    )


def _read_table(content: bytes, flags: int, place: int) -> tuple[bytes, int]:
    """Read a palette; return it, empty without one, and its end."""
    end = place + (3 << (flags & 7) + 1) if flags & _HAS_TABLE else place
    if end > len(content):
        raise ImageError(say("it is truncated in its palette"))
    return content[place:end], end
