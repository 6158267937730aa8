"""Images as PNGs large enough to see, and image sheets with one row per class."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from clearcnn.language import ENGLISH, Language, say_count
from clearcnn.report.fonts import find_font
from clearcnn.report.number_format import plain
from clearcnn.results.train import ClassCount

MOST_ROWS = 20
MOST_MISTAKES = 24
# Sides in pixels from which images are shown larger.
_LARGE = 28

_SIDE = 64
_GAP = 6
_MARGIN = 24
_NAME_WIDTH = 200
_PAPER, _INK, _MUTED = (255, 255, 255), (29, 29, 31), (110, 110, 115)


@dataclass(frozen=True)
class ReportImages:
    """The images a report shows, as arrays in the data's own dtype and range.

    Attributes:
      samples: per class in order, (k, height, width, channels), k >= 0.
      mistakes: (m, height, width, channels), the images of the first m mistakes in the order
        of `Evaluation.mistakes`; all of them, or the first `MOST_MISTAKES`.
    """

    samples: tuple[NDArray[np.generic], ...]
    mistakes: NDArray[np.generic]


def choose_samples(
    labels: ArrayLike, num_classes: int, per_class: int = 10
) -> tuple[NDArray[np.intp], ...]:
    """Choose evenly spaced images of every class.

    Args:
      labels: (n,) int, 0..num_classes - 1.
      num_classes: number of classes.
      per_class: largest number of images per class, > 0.
    Returns:
      Per class, ascending positions in `labels`, at most per_class.
    """
    every = np.asarray(labels)
    chosen = []
    for k in range(num_classes):
        positions = np.flatnonzero(every == k)
        if len(positions) > per_class:
            positions = positions[np.linspace(0, len(positions) - 1, per_class).round().astype(int)]
        chosen.append(positions)
    return tuple(chosen)


def is_large(shape: Sequence[int]) -> bool:
    """Whether images (height, width, …) have details that a small picture would not show."""
    return max(shape[:2]) >= _LARGE


def to_picture(
    image: NDArray[np.generic], value_range: tuple[float, float], side: int = _SIDE
) -> Image.Image:
    """Convert an image array to a Pillow image.

    Args:
      image: (height, width), (height, width, 1) or (height, width, 3), any real dtype.
      value_range: the values shown as black and white; others are clipped.
      side: the longer side is enlarged to at least this many pixels by an integer factor, without
        smoothing; larger images keep their size.
    Returns:
      A Pillow image, mode "L" or "RGB".
    """
    low, high = value_range
    values = np.asarray(image, dtype=np.float64)
    if values.ndim == 3 and values.shape[-1] == 1:
        values = values[..., 0]
    scaled = np.nan_to_num((values - low) / (high - low)) if high > low else np.zeros_like(values)
    picture = Image.fromarray(np.round(np.clip(scaled, 0, 1) * 255).astype(np.uint8))
    factor = math.ceil(side / max(picture.size))
    if factor > 1:
        size = (picture.width * factor, picture.height * factor)
        picture = picture.resize(size, Image.Resampling.NEAREST)
    return picture


def encode_png(picture: Image.Image) -> bytes:
    """Encode a Pillow image as PNG."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def draw_strip(images: Sequence[NDArray[np.generic]], value_range: tuple[float, float]) -> bytes:
    """Lay images side by side with transparent gaps, as a PNG.

    Args:
      images: one or more of the same shape, as for `to_picture`.
      value_range: as for `to_picture`.
    Returns:
      The bytes of a PNG with an alpha channel.
    """
    pictures = [to_picture(image, value_range) for image in images]
    width, height = pictures[0].size
    gap = max(1, width // 12)
    mode = "LA" if pictures[0].mode == "L" else "RGBA"
    strip = Image.new(mode, (len(pictures) * (width + gap) - gap, height))
    for position, picture in enumerate(pictures):
        strip.paste(picture.convert(mode), (position * (width + gap), 0))
    return encode_png(strip)


def draw_sheet(
    samples: Sequence[NDArray[np.generic]],
    classes: Sequence[ClassCount],
    value_range: tuple[float, float],
    language: Language = ENGLISH,
) -> Image.Image:
    """Draw an image sheet: one row per class with its name, its count and some images.

    Args:
      samples: per class, (k, height, width, channels), all of the same height and width.
      classes: names and counts in the same order; the first `MOST_ROWS` are drawn, the rest are
        counted in the last line.
      value_range: as for `to_picture`.
      language: of the counts.
    Returns:
      A Pillow image, mode "RGB".
    """
    drawn = list(zip(samples, classes, strict=True))[:MOST_ROWS]
    rows = [[to_picture(image, value_range) for image in images] for images, _ in drawn]
    width, height = next((row[0].size for row in rows if row), (_SIDE, _SIDE))
    columns = max(len(row) for row in rows)
    # A row is at least as high as two lines of text: name and count.
    row_height = max(height, 44) + _GAP
    rest = len(classes) - len(drawn)
    left = _MARGIN + _measure_names([plain(each.name) for _, each in drawn])
    sheet = Image.new(
        "RGB",
        (
            left + max(columns, 1) * (width + _GAP) - _GAP + _MARGIN,
            2 * _MARGIN + len(rows) * row_height - _GAP + (40 if rest else 0),
        ),
        _PAPER,
    )
    draw = ImageDraw.Draw(sheet)
    for position, ((_, each), row) in enumerate(zip(drawn, rows, strict=True)):
        top = _MARGIN + position * row_height
        middle = top + (row_height - _GAP) // 2
        _write(draw, (_MARGIN, middle - 1), plain(each.name), 20, _INK, "ls")
        _write(
            draw,
            (_MARGIN, middle + 5),
            language.translate(say_count("{number:,} image", "{number:,} images", each.total)),
            14,
            _MUTED,
            "lt",
        )
        for column, picture in enumerate(row):
            sheet.paste(picture.convert("RGB"), (left + column * (width + _GAP), top))
    if rest:
        bottom = (_MARGIN, sheet.height - _MARGIN)
        _write(
            draw,
            bottom,
            language.translate(
                say_count("and {number:,} more class", "and {number:,} more classes", rest)
            ),
            14,
            _MUTED,
            "ls",
        )
    return sheet


def _measure_names(names: Sequence[str]) -> int:
    """Width of the column of names and counts, in pixels."""
    longest = max(_font(name, 20).getlength(name) for name in names)
    return min(max(math.ceil(longest) + 2 * _GAP, 120), _NAME_WIDTH)


def _font(text: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(find_font(text)), size)


def _write(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    size: int,
    fill: tuple[int, int, int],
    anchor: str,
) -> None:
    font = _font(text, size)
    shown = text
    while font.getlength(shown) > _NAME_WIDTH - _GAP and len(shown) > 1:
        shown = shown.removesuffix("…")[:-1] + "…"
    draw.text(place, shown, fill=fill, font=font, anchor=anchor)
