"""The image sheet of label issues: each image with its label and the suggested class."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from clearcnn.language import ENGLISH, Language, say
from clearcnn.report.fonts import find_font
from clearcnn.report.image_sheets import to_picture
from clearcnn.report.number_format import plain

MOST_SUSPECTS = 60

_COLUMNS = 10
_SIDE, _GAP, _MARGIN, _LINE = 96, 16, 24, 20
_PAPER, _INK, _MUTED = (255, 255, 255), (29, 29, 31), (176, 74, 18)


def draw_suspects(
    images: NDArray[np.generic],
    captions: Sequence[tuple[str, str]],
    value_range: tuple[float, float],
    language: Language = ENGLISH,
) -> Image.Image:
    """Draw the sheet, the most suspect first.

    Args:
      images: (n, height, width, channels), n > 0.
      captions: (given label, suggested class) per image.
      value_range: the values shown as black and white.
      language: of the captions.
    Returns:
      A Pillow image, mode "RGB"; under each image are its label and, in orange, the suggested
      class.
    """
    pictures = [to_picture(image, value_range, side=_SIDE) for image in images]
    width, height = pictures[0].size
    columns = min(_COLUMNS, len(pictures))
    rows = -(-len(pictures) // columns)
    step = height + 2 * _LINE + _GAP
    size = (columns * (width + _GAP) - _GAP + 2 * _MARGIN, rows * step - _GAP + 2 * _MARGIN)
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, (picture, (label, suggestion)) in enumerate(zip(pictures, captions, strict=True)):
        left = _MARGIN + number % columns * (width + _GAP)
        top = _MARGIN + number // columns * step
        sheet.paste(picture.convert("RGB"), (left, top))
        _write(draw, (left, top + height + 2), label, _INK, width)
        _write(
            draw,
            (left, top + height + 2 + _LINE),
            language.translate(say("looks like {suggestion}", suggestion=suggestion)),
            _MUTED,
            width,
        )
    return sheet


def _write(
    draw: ImageDraw.ImageDraw, place: tuple[int, int], text: str, fill: tuple[int, ...], width: int
) -> None:
    shown = plain(text)
    font = ImageFont.truetype(str(find_font(shown)), 13)
    while font.getlength(shown) > width + _GAP - 4 and len(shown) > 1:
        shown = shown.removesuffix("…")[:-1] + "…"
    draw.text(place, shown, fill=fill, font=font)
