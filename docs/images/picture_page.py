"""Draw the guide's pictures of the page: python docs/images/picture_page.py ADDRESS RUN.

The first is the page of `clearcnn serve` at 1440 pixels, with a 3 drawn on it, down to one
convolution close up. The second is the page with the crop of a photo, here a drawn traffic sign.
Needs Chromium, and a server whose first run is of `clearcnn train --recipe tutorial`; RUN is
another one, of photos of traffic signs.
"""

import shutil
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
THREE = [
    *((0.3, 0.27), (0.36, 0.2), (0.46, 0.16), (0.57, 0.18), (0.65, 0.26), (0.64, 0.36)),
    *((0.57, 0.43), (0.47, 0.47), (0.58, 0.5), (0.67, 0.58), (0.68, 0.7), (0.6, 0.8)),
    *((0.47, 0.84), (0.37, 0.81), (0.3, 0.74)),
]


def picture_page(address: str, run: str) -> None:
    """Write page.png and page-photo.png beside this file."""
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
        photo_path = _picture_photo(page, f"{address}#model={run}")
        browser.close()
    for each in (path, photo_path):
        Image.open(each).convert("RGB").save(each, optimize=True)


def _picture_photo(page: Page, address: str) -> Path:
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    content = BytesIO()
    _draw_sign().save(content, "PNG")
    photo = {"name": "sign.png", "mimeType": "image/png", "buffer": content.getvalue()}
    page.set_input_files("#file", photo)
    page.check("#crop")
    page.focus("#view")
    for key, times in (("-", 7), ("ArrowRight", 6), ("ArrowUp", 5)):
        for _ in range(times):
            page.keyboard.press(key)
    page.wait_for_timeout(800)
    page.evaluate("document.activeElement.blur(), scrollTo(0, 0)")
    path = HERE / "page-photo.png"
    page.screenshot(path=path, clip={"x": 0, "y": 0, "width": 1440, "height": 860})
    return path


def _draw_sign() -> Image.Image:
    """A sign beside a road, at four times its size and then reduced."""
    image = Image.new("RGB", (3200, 2000), "#9db4c8")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 1400, 3200, 2000), fill="#6f7f5a")
    pen.polygon([(500, 2000), (1300, 1400), (1500, 1400), (2000, 2000)], fill="#55575b")
    pen.rectangle((1985, 1150, 2035, 1750), fill="#7d7f83")
    for radius, colour in ((470, "#b3262b"), (350, "#e9e7e0")):
        pen.ellipse((2010 - radius, 820 - radius, 2010 + radius, 820 + radius), fill=colour)
    pen.text((2010, 820), "30", fill="#1d1d1f", anchor="mm", font=ImageFont.load_default(430))
    return image.resize((800, 500), Image.Resampling.LANCZOS)


def _draw(page: Page) -> None:
    box = page.locator("#pad").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in THREE]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()


if __name__ == "__main__":
    picture_page(*sys.argv[1:])
