"""Drawing, pictures, and the answer to them."""

import json
import sys
import urllib.request

import numpy as np
import pytest
from PIL import Image

from clearcnn.data import prepare_image

pytestmark = pytest.mark.browser


def test_a_drawn_three_is_read_as_three(open_page, draw):
    page = open_page()
    times = draw(page)
    page.wait_for_selector("body[data-answer='3']")
    assert "3" in page.inner_text("#sentence")
    median = np.median(times)
    sys.stdout.write(f"from stroke to bars: median {median:.1f} ms, all {sorted(times)}\n")


def test_a_three_drawn_small_in_a_corner_is_read_too(open_page, draw, three):
    page = open_page()
    draw(page, [(x / 3, y / 3) for x, y in three])
    page.wait_for_selector("body[data-answer='3']")


def test_a_three_can_be_drawn_with_the_keyboard(open_page):
    page = open_page()
    page.focus("#pad")
    page.keyboard.press("Delete")
    for key, times in (("ArrowUp", 10), ("ArrowLeft", 5)):
        for _ in range(times):
            page.keyboard.press(key)
    page.keyboard.press("Space")
    ways = ["ArrowRight", "ArrowDown", "ArrowLeft"] * 2
    for way, times in zip(ways, (9, 9, 6, 6, 10, 9), strict=True):
        for _ in range(times):
            page.keyboard.press(way)
    page.keyboard.press("Space")
    page.wait_for_selector("body[data-answer='3']")
    page.keyboard.press("Backspace")
    page.wait_for_selector("#hint:not([hidden])")


def test_a_three_can_be_drawn_with_a_finger(open_page, three):
    page = open_page(width=390, has_touch=True, is_mobile=True)
    box = page.locator("#pad").bounding_box()
    session = page.context.new_cdp_session(page)

    def touch(kind, *points):
        places = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in points
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    touch("touchStart", three[0])
    for point in three[1:]:
        touch("touchMove", point)
    touch("touchEnd")
    page.wait_for_selector("#hint", state="hidden")
    page.wait_for_selector("body[data-answer='3']")


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_a_picture_is_taken_and_light_and_dark_are_exchanged(open_page, png, digits, way):
    page = open_page()
    content = png((255 - digits[7] * 15).astype(np.uint8))
    page.evaluate(
        """([bytes, way]) => {
          const file = new File([new Uint8Array(bytes)], "seven.png", {type: "image/png"});
          const data = new DataTransfer();
          data.items.add(file);
          dispatchEvent(way === "paste" ? new ClipboardEvent("paste", {clipboardData: data})
                                        : new DragEvent("drop", {dataTransfer: data}));
        }""",
        [list(content), way],
    )
    page.wait_for_selector("#inverted:not([hidden])")
    page.wait_for_selector("body[data-answer='7']")


def test_a_cleared_pad_shows_no_answer(open_page, draw):
    page = open_page()
    draw(page)
    page.wait_for_selector("body[data-answer='3']")
    page.click("#clear")
    page.wait_for_selector("body:not([data-answer])")
    assert page.inner_text("#answer").strip() == ""
    assert page.inner_text("#sentence") == "Draw a figure, or open an image."
    for place in ("bars", "seen", "unlike", "network", "closeup"):
        assert page.locator(f"#{place}").is_hidden(), place
    draw(page)
    page.wait_for_selector("body[data-answer='3']")
    assert page.locator("#closeup").is_visible()
    page.click("#undo")
    page.wait_for_selector("body:not([data-answer])")


def test_the_flag_is_that_of_the_server(open_page, server, png, digits):
    """Noise that /predict flags is flagged on the page; a digit that it does not flag is not."""
    random = np.random.default_rng(5)
    noise = [random.integers(0, 256, (8, 8)).astype(np.uint8) for _ in range(20)]
    pictures = [(digits[row] * 15).astype(np.uint8) for row in (3, 7, 1000)] + noise
    flagged = []
    for picture in pictures:
        address = f"{server.url}/predict?keep_polarity=true"
        request = urllib.request.Request(address, png(picture), {"Content-Type": "image/png"})
        with urllib.request.urlopen(request) as answer:
            flagged.append(json.load(answer)["predictions"][0]["is_unlike"])
    assert set(flagged) == {True, False}
    page = open_page()
    for wanted in (True, False):
        content = png(pictures[flagged.index(wanted)])
        page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": content})
        page.wait_for_selector("#unlike", state="visible" if wanted else "hidden")
    page.wait_for_timeout(400)
    assert page.locator("#unlike").is_hidden()


def test_probabilities_are_those_of_the_server(open_page, server, png, digits):
    page = open_page()
    for row in (3, 7, 1000):
        content = png((digits[row] * 15).astype(np.uint8))
        page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": content})
        page.wait_for_selector("#polarity:not([hidden])")
        page.wait_for_timeout(150)
        request = urllib.request.Request(
            f"{server.url}/predict?top=10", content, {"Content-Type": "image/png"}
        )
        with urllib.request.urlopen(request) as answer:
            (found,) = json.load(answer)["predictions"]
        server_says = {each["name"]: each["probability"] for each in found["top"]}
        page_says = page.evaluate(
            """async (bytes) => {
              const {fromFile} = await import("/static/picture.js");
              const {Model} = await import("/static/model.js");
              const {ask} = await import("/static/ask.js");
              const told = await ask("page/models/digits");
              const model = await Model.load("page/models/digits", told.network, told.input,
                                             told.class_names, told.temperature);
              const pixels = await fromFile(new Blob([new Uint8Array(bytes)]), told.input);
              return [...(await model.run(pixels)).probabilities];
            }""",
            list(content),
        )
        for name, chance in server_says.items():
            assert page_says[int(name)] == pytest.approx(chance, abs=1e-4)
        shown = page.inner_text(
            f".answering .bars li:nth-child({1 + int(found['prediction'])}) .share"
        )
        assert float(shown.rstrip(" %")) == pytest.approx(100 * max(page_says), abs=0.051)


@pytest.mark.parametrize(("model", "mode"), [("digits", "L"), ("colours", "RGB"), ("digits", "P")])
@pytest.mark.parametrize("size", [(40, 31), (8, 8), (5, 3), (300, 211)])
def test_pictures_are_resized_as_pillow_does(open_page, tmp_path, model, mode, size):
    random = np.random.default_rng(sum(size))
    values = random.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    path = tmp_path / "picture.png"
    Image.fromarray(values).convert(mode).save(path)
    page = open_page(f"model={model}")
    found = page.evaluate(
        """async ([name, bytes]) => {
          const {fromFile} = await import("/static/picture.js");
          const {input} = await (await fetch("page/models/" + name)).json();
          return [[...await fromFile(new Blob([new Uint8Array(bytes)]), input)], input];
        }""",
        [model, list(path.read_bytes())],
    )
    pixels, contract = found
    expected = prepare_image(
        path.read_bytes(),
        "picture",
        size=tuple(contract["shape"][:2]),
        color_mode=contract["color_mode"],
        dtype=contract["dtype"],
        value_range=tuple(contract["value_range"]),
    ).pixels
    level = (contract["value_range"][1] - contract["value_range"][0]) / 255
    # A whole number of the contract may be rounded the other way.
    within = 2 * level if contract["dtype"].startswith("f") else max(1, 2 * level)
    difference = np.abs(np.array(pixels).reshape(expected.shape) - expected.astype(float))
    assert difference.max() <= within
