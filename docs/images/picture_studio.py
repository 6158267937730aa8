"""Draw the guide's pictures of the studio: python docs/images/picture_studio.py ADDRESS.

They are its five steps with scikit-learn's digits, of which a few are spoiled and put right again,
at 1280 pixels. Needs Chromium, and `clearcnn studio --no-browser` with an empty folder.
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
_LONGEST_MILLISECONDS = 900_000
# Of this computer's folders, only the last is shown.
_HIDE_PATHS = """() => {
  const above = document.getElementById("folder").title.replace(/[/\\\\][^/\\\\]*$/, "");
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode())
    walker.currentNode.data = walker.currentNode.data.replaceAll(above, "/home/mina");
}"""


def picture_studio(address: str) -> None:
    """Write studio-collect, -look, -result, -improve and -keep.png beside this file."""
    with sync_playwright() as driver:
        options = {"executable_path": shutil.which("chromium"), "args": ["--no-sandbox"]}
        browser = driver.chromium.launch(**options)
        page = browser.new_page(viewport={"width": 1280, "height": 960}, color_scheme="light")
        page.set_default_timeout(_LONGEST_MILLISECONDS)
        page.goto(address)
        page.wait_for_selector("body[data-ready]")
        page.click("#from-computer summary")
        page.fill("#source", "digits")
        page.press("#source", "Enter")
        page.wait_for_selector("body[data-count='1797']")
        page.wait_for_selector("#source:enabled")
        page.reload()
        page.wait_for_selector("body[data-ready]")
        _take(page, "studio-collect.png")

        changes = _spoil(page, address)
        page.click("[data-step='look']")
        page.click("#start-look")
        page.wait_for_selector("#kinds:visible")
        page.click("#kinds [data-kind='any']")
        _take(page, "studio-look.png")

        _train(page, 1)
        for _ in range(changes):
            page.request.post(f"{address}/studio/undo")
        _train(page, 2)
        _take(page, "studio-result.png")

        page.click(".mistakes button >> nth=0")
        page.wait_for_selector(".neighbours li")
        _take(page, "studio-improve.png")
        page.click("[data-step='keep']")
        _take(page, "studio-keep.png")
        browser.close()


def _spoil(page: Page, address: str) -> int:
    """Add a duplicate, a second label and an empty picture; move four; return the changes."""
    state = page.request.get(f"{address}/studio/state").json()
    names = {each["name"]: each["pictures"] for each in state["classes"]}

    def read(name: str, number: int) -> bytes:
        return Path(state["root"], name, names[name][number]).read_bytes()

    def add(name: str, file: str, content: bytes) -> None:
        asked = {"class_name": name, "name": file}
        answer = page.request.post(f"{address}/studio/pictures", params=asked, data=content)
        assert answer.ok, answer.text()

    empty = io.BytesIO()
    Image.new("L", (8, 8)).save(empty, "PNG")
    add("0", "repeated.png", read("0", 3))
    add("6", "both.png", read("5", 4))
    add("1", "empty.png", empty.getvalue())
    wrong = {"pictures": [f"0/{each}" for each in names["0"][20:22]], "name": "7"}
    assert page.request.post(f"{address}/studio/move", data=wrong).ok
    wrong = {"pictures": [f"4/{each}" for each in names["4"][30:32]], "name": "2"}
    assert page.request.post(f"{address}/studio/move", data=wrong).ok
    page.wait_for_selector("body[data-count='1800']")
    return 5


def _train(page: Page, attempt: int) -> None:
    page.wait_for_timeout(2000)
    page.click("[data-step='train']")
    page.click("#start-train")
    page.wait_for_selector(f"body[data-attempts='{attempt}']")
    page.wait_for_selector("#result .headline")


def _take(page: Page, name: str) -> None:
    path = HERE / name
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    page.wait_for_timeout(3000)
    page.evaluate(_HIDE_PATHS)
    page.screenshot(path=path)
    Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)


if __name__ == "__main__":
    picture_studio(sys.argv[1])
