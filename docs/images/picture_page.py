"""Draw the guide's picture of the page: python docs/images/picture_page.py ADDRESS.

The picture is the page of `clearcnn serve` at 1440 pixels, with a 3 drawn on it, down to
one convolution close up. Needs Chromium, and a server of `clearcnn train --recipe tutorial`.
"""

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
THREE = [
    *((0.3, 0.27), (0.36, 0.2), (0.46, 0.16), (0.57, 0.18), (0.65, 0.26), (0.64, 0.36)),
    *((0.57, 0.43), (0.47, 0.47), (0.58, 0.5), (0.67, 0.58), (0.68, 0.7), (0.6, 0.8)),
    *((0.47, 0.84), (0.37, 0.81), (0.3, 0.74)),
]


def picture_page(address: str) -> None:
    """Write page.png beside this file."""
    with sync_playwright() as driver:
        options = {"executable_path": shutil.which("chromium"), "args": ["--no-sandbox"]}
        browser = driver.chromium.launch(**options)
        page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light")
        page.goto(address)
        page.wait_for_selector("body[data-ready]")
        _draw(page)
        page.locator(".layer:nth-child(3) button.tile").nth(7).click(position={"x": 24, "y": 24})
        page.mouse.move(5, 5)
        page.evaluate("document.activeElement.blur(), scrollTo(0, 0)")
        page.wait_for_timeout(300)
        box = page.locator("#closeup").bounding_box()
        path = HERE / "page.png"
        height = box["y"] + box["height"] + 32
        page.screenshot(
            path=path, full_page=True, clip={"x": 0, "y": 0, "width": 1440, "height": height}
        )
        browser.close()
    Image.open(path).convert("RGB").save(path, optimize=True)


def _draw(page: Page) -> None:
    box = page.locator("#pad").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in THREE]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()


if __name__ == "__main__":
    picture_page(sys.argv[1])
