"""Draw the picture of an evaluation: python docs/images/picture_evaluation.py REPORT.

The picture is the table of models with groups left out, at 1280 pixels. The report shown is that of
`clearcnn evaluate --recipe tutorial --compare default`. Needs Chromium.
"""

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
COLORS = 128
STYLE = """
  nav, .notices, .headline .note, main > section:not(#models), #models :is(.note, h2, h3),
  #models table:nth-of-type(n + 2) { display: none !important }
  #models { display: block !important; margin-top: 1rem !important }
  .headline { margin: 1rem 0 !important }
  body { padding: 2.5rem 4rem 1.5rem !important }
"""


def picture_evaluation(report: Path) -> None:
    """Write evaluation.png beside this file."""
    with sync_playwright() as driver:
        options = {"executable_path": shutil.which("chromium"), "args": ["--no-sandbox"]}
        browser = driver.chromium.launch(**options)
        page = browser.new_page(
            viewport={"width": 1280, "height": 700}, device_scale_factor=1.5, color_scheme="light"
        )
        page.goto(report.absolute().as_uri())
        page.add_style_tag(content=STYLE)
        path = HERE / "evaluation.png"
        page.screenshot(path=path, full_page=True)
        picture = Image.open(path).convert("RGB")
        picture.quantize(COLORS, dither=Image.Dither.NONE).save(path, optimize=True)
        browser.close()


if __name__ == "__main__":
    picture_evaluation(Path(sys.argv[1]))
