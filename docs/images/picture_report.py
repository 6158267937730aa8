"""Draw the README's pictures from a report: python docs/images/picture_report.py REPORT.

The pictures are the page at 1280 pixels, in light and dark, with some of its parts left out.
The report shown is that of `clearcnn train --split group`. Needs Chromium.
"""

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
COLORS = 128
STYLE = """
  nav, #data, #model, #confidence, #confusion, #classes, #reproduce,
  #training > div > :not(p:first-child, .legend, .charts) { display: none !important }
  header, section { margin-bottom: 0 !important }
  .charts { margin-bottom: 0 !important }
  body { padding: 2.5rem 4rem 1.5rem !important }
"""


def picture_report(report: Path) -> None:
    """Write report-light.png and report-dark.png beside this file."""
    with sync_playwright() as driver:
        options = {"executable_path": shutil.which("chromium"), "args": ["--no-sandbox"]}
        browser = driver.chromium.launch(**options)
        for scheme in ("light", "dark"):
            page = browser.new_page(
                viewport={"width": 1280, "height": 900},
                color_scheme=scheme,
                device_scale_factor=1.5,
            )
            page.goto(report.absolute().as_uri())
            page.add_style_tag(content=STYLE)
            path = HERE / f"report-{scheme}.png"
            page.screenshot(path=path, full_page=True)
            picture = Image.open(path).convert("RGB")
            picture.quantize(COLORS, dither=Image.Dither.NONE).save(path, optimize=True)
        browser.close()


if __name__ == "__main__":
    picture_report(Path(sys.argv[1]))
