"""Heat maps of signed numbers: orange below 0, transparent at 0, teal above.

Opacity grows with the distance from 0, so that one image fits a light and a dark page. The limit
is the value with the strongest colour on either side.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from clearcnn.language import ENGLISH, Language, say
from clearcnn.report.fonts import find_font
from clearcnn.report.number_format import plain

BELOW, ABOVE = (214, 92, 28), (15, 143, 136)
_PAPER, _INK, _MUTED, _EMPTY = (255, 255, 255), (29, 29, 31), (110, 110, 115), (244, 242, 238)
_SHEET_WIDTH = 1280
_MARGIN = 24
_FEW = 4


def find_limit(values: ArrayLike) -> float:
    """Return the largest absolute value, the limit of a colour scale; 1 if all are 0."""
    return float(np.abs(np.asarray(values)).max()) or 1.0


def paint(values: ArrayLike, limit: float, side: int = 1) -> Image.Image:
    """Draw a heat map.

    Args:
      values: (height, width), any real dtype.
      limit: > 0, as `find_limit` returns it for all maps on the same scale.
      side: the longer side is enlarged to at least this many pixels, without smoothing.
    Returns:
      A Pillow image, mode "RGBA".
    """
    numbers = np.asarray(values, dtype=np.float64)
    strength = np.clip(np.abs(numbers) / limit, 0, 1)
    colors = np.where((numbers < 0)[..., np.newaxis], BELOW, ABOVE)
    opacity = np.rint(255 * strength)[..., np.newaxis]
    picture = Image.fromarray(np.concatenate([colors, opacity], axis=-1).astype(np.uint8), "RGBA")
    factor = math.ceil(side / max(picture.size))
    size = (picture.width * factor, picture.height * factor)
    return picture.resize(size, Image.Resampling.NEAREST) if factor > 1 else picture


def wrap(values: NDArray[np.generic], per_row: int = 16) -> NDArray[np.float64]:
    """Reshape a vector (n,) into rows, padded with 0."""
    numbers = np.asarray(values, dtype=np.float64)
    columns = min(per_row, len(numbers))
    rows = -(-len(numbers) // columns)
    return np.pad(numbers, (0, rows * columns - len(numbers))).reshape(rows, columns)


def draw_maps(
    title: str,
    maps: Sequence[NDArray[np.generic]],
    names: Sequence[str],
    side: int = 480,
    language: Language = ENGLISH,
) -> Image.Image:
    """Draw maps side by side on one scale, with a title and names, for slides.

    Args:
      title: one line.
      maps: one or more (height, width), all of the same shape.
      names: one per map.
      side: largest size of a map's longer side in pixels.
      language: of the title and the names.
    Returns:
      A Pillow image, mode "RGB", at most 1280 pixels wide.
    """
    title, names = language.translate(title), [language.translate(name) for name in names]
    limit = find_limit(np.concatenate([np.ravel(each) for each in maps]))
    columns = _count_columns(len(maps))
    gap = 14
    width = (_SHEET_WIDTH - 2 * _MARGIN - (columns - 1) * gap) // columns
    factor = max(1, min(width, side) // max(maps[0].shape))
    size = (maps[0].shape[1] * factor, maps[0].shape[0] * factor)
    step_x = size[0] + gap if columns <= _FEW else width + gap
    step_y = size[1] + 34
    rows = -(-len(maps) // columns)
    top = _MARGIN + 64
    # Few small maps get a narrow figure, but wide enough for the title.
    content = 2 * _MARGIN + (columns - 1) * step_x + size[0]
    sheet_width = max(content, 640) if columns <= _FEW else _SHEET_WIDTH
    sheet = Image.new("RGB", (sheet_width, top + rows * step_y + _MARGIN - 10), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN), plain(title), fill=_INK, font=_font(title, 20))
    scale = language.translate(
        say("orange {low:.3g} · white 0 · teal {high:.3g}", low=-limit, high=limit)
    )
    draw.text((_MARGIN, _MARGIN + 30), scale, fill=_MUTED, font=_font(scale, 14))
    for position, (values, name) in enumerate(zip(maps, names, strict=True)):
        row, column = divmod(position, columns)
        place = (_MARGIN + column * step_x, top + row * step_y)
        tile = paint(values, limit).resize(size, Image.Resampling.NEAREST)
        draw.rectangle((*place, place[0] + size[0] - 1, place[1] + size[1] - 1), fill=_PAPER)
        sheet.paste(tile, place, tile)
        corner = (place[0] + size[0], place[1] + size[1])
        draw.rectangle((place[0] - 1, place[1] - 1, *corner), outline=_EMPTY)
        draw.text((place[0], corner[1] + 5), plain(name, 30), fill=_MUTED, font=_font(name, 13))
    return sheet


def _count_columns(number: int) -> int:
    return (
        number if number <= _FEW else next(c for c in (6, 8, 12, 16) if c * c >= number or c == 16)
    )


def _font(text: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(find_font(text)), size)
