"""Draw the guide's pictures of the studio: python docs/images/picture_studio.py ADDRESS.

They are the sheet of scikit-learn's digits and the result of a training, at 1280 pixels. Needs
Chromium, and `clearcnn studio --no-browser` with an empty folder.
"""

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
_LONGEST_MILLISECONDS = 600_000


def picture_studio(address: str) -> None:
    """Write studio-collect.png and studio-result.png beside this file."""
    with sync_playwright() as driver:
        options = {"executable_path": shutil.which("chromium"), "args": ["--no-sandbox"]}
        browser = driver.chromium.launch(**options)
        page = browser.new_page(viewport={"width": 1280, "height": 1200}, color_scheme="light")
        page.set_default_timeout(_LONGEST_MILLISECONDS)
        page.goto(address)
        page.wait_for_selector("body[data-ready]")
        if page.get_attribute("body", "data-count") == "0":
            page.click("#from-computer summary")
            page.fill("#source", "digits")
            page.press("#source", "Enter")
            page.wait_for_selector("body[data-count='1797']")
            page.wait_for_selector("#source:enabled")
        page.reload()
        page.wait_for_selector("body[data-ready]")
        page.wait_for_timeout(3000)
        _take(page, "studio-collect.png")
        page.click("[data-step='train']")
        page.click("#start-train")
        page.wait_for_selector("#result .headline")
        page.wait_for_timeout(1500)
        _take(page, "studio-result.png")
        browser.close()


def _take(page: Page, name: str) -> None:
    path = HERE / name
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=path)
    Image.open(path).convert("RGB").save(path, optimize=True)


if __name__ == "__main__":
    picture_studio(sys.argv[1])
