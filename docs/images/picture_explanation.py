"""Draw the guide's picture of an explanation: python docs/images/picture_explanation.py PAGE.

The picture is the page at 1280 pixels, with some of its parts left out. The page shown explains a
mistake of `clearcnn train --split group`. Needs Chromium.
"""

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
COLORS = 200
STYLE = """
  nav, section:not(#pixels, #layers, #convolution),
  #pixels > div > :not(.deciding), .layers > li:not(:nth-child(2)),
  #convolution > div > :not(.sum, p:first-child) { display: none !important }
  .layers > li::before { display: none !important }
  header, section { margin-bottom: 0 !important }
  section { margin-top: 1.5rem !important; padding-top: 1.5rem !important }
  .hero { margin-bottom: 0 !important }
  body { padding: 2.5rem 4rem 1.5rem !important }
"""


def picture_explanation(page_path: Path) -> None:
    """Write explanation.png beside this file."""
    with sync_playwright() as driver:
        options = {"executable_path": shutil.which("chromium"), "args": ["--no-sandbox"]}
        browser = driver.chromium.launch(**options)
        page = browser.new_page(
            viewport={"width": 1280, "height": 900}, color_scheme="light", device_scale_factor=1.5
        )
        page.goto(page_path.absolute().as_uri())
        page.add_style_tag(content=STYLE)
        path = HERE / "explanation.png"
        page.screenshot(path=path, full_page=True)
        browser.close()
    picture = Image.open(path).convert("RGB")
    picture.quantize(COLORS, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    picture_explanation(Path(sys.argv[1]))
