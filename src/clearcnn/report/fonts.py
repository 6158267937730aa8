"""Find a font with glyphs for every letter of a name."""

from functools import cache
from pathlib import Path

# Font families for Korean, Japanese and Chinese on Linux, macOS and Windows.
_WIDE_FAMILIES = (
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "NanumGothic",
    "NanumBarunGothic",
    "Apple SD Gothic Neo",
    "AppleGothic",
    "Malgun Gothic",
    "Noto Sans CJK JP",
    "Hiragino Sans",
    "Yu Gothic",
    "Noto Sans CJK SC",
    "PingFang SC",
    "Microsoft YaHei",
    "Arial Unicode MS",
)


def find_font(text: str) -> Path:
    """Find a font file with a glyph for every letter.

    Returns:
      DejaVu Sans, which comes with Matplotlib, if it has them all; else the first installed font
      of a known CJK family that does; else DejaVu Sans, with boxes for missing glyphs.
    """
    letters = {ord(letter) for letter in text if letter.isprintable()}
    candidates = _candidates()
    return next((path for path in candidates if letters <= _letters(path)), candidates[0])


@cache
def _candidates() -> tuple[Path, ...]:
    from matplotlib import get_data_path
    from matplotlib.font_manager import fontManager

    dejavu = Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    regular = {
        font.name: Path(font.fname)
        for font in fontManager.ttflist
        if font.style == "normal" and font.weight in (400, "normal", "regular")
    }
    return (dejavu, *(regular[name] for name in _WIDE_FAMILIES if name in regular))


@cache
def _letters(path: Path) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(FT2Font(str(path)).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()
