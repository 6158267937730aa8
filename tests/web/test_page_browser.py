"""The page in a real browser, with a real server behind it."""

import json
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clearcnn
from clearcnn.data import prepare_one_picture
from clearcnn.specs import LayerSpec, ModelSpec

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / ".cache" / "axe" / "axe.min.js"
THREE = [
    *((0.3, 0.25), (0.4, 0.18), (0.55, 0.18), (0.65, 0.28), (0.6, 0.42), (0.48, 0.48)),
    *((0.62, 0.54), (0.68, 0.66), (0.6, 0.8), (0.45, 0.84), (0.32, 0.76)),
]
SOFTMAX = LayerSpec("Dense", {"units": 10, "activation": "softmax"})
ZOO = ModelSpec(
    "zoo",
    (
        LayerSpec("Rescaling", {"scale": 0.125, "offset": -1.0}),
        LayerSpec("Conv2D", {"filters": 6, "kernel_size": (3, 2), "padding": "same"}),
        LayerSpec("BatchNormalization"),
        LayerSpec("Activation", {"activation": "relu"}),
        LayerSpec(
            "DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2, "activation": "tanh"}
        ),
        LayerSpec(
            "SeparableConv2D",
            {"filters": 5, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "elu"},
        ),
        LayerSpec("ZeroPadding2D", {"padding": 1}),
        LayerSpec("AveragePooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}),
        LayerSpec("Conv2D", {"filters": 4, "kernel_size": 2, "dilation_rate": 2}),
        LayerSpec("Dropout", {"rate": 0.1}),
        LayerSpec("Flatten"),
        SOFTMAX,
    ),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory, serving, colours_run):
    place = tmp_path_factory.mktemp("page")
    clearcnn.train("digits", recipe="tutorial", epochs=60, out=place / "digits")
    clearcnn.train("digits", model=ZOO, epochs=1, out=place / "zoo")
    with serving(place, place / "digits", place / "zoo", colours_run) as opened:
        yield opened


@pytest.fixture
def open_page(browser, server):
    complaints, pages = [], []

    def show(state="", *, width=1280, locale="en", scheme="light", **more):
        page = browser.new_page(
            viewport={"width": width, "height": 900}, locale=locale, color_scheme=scheme, **more
        )
        pages.append(page)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith(server.url) else complaints.append(request.url)
            ),
        )
        page.goto(f"{server.url}/#{state}")
        page.wait_for_selector("body[data-ready]")
        return page

    yield show
    for page in pages:
        page.close()
    assert complaints == []


def draw(page, points):
    page.locator("#pad").scroll_into_view_if_needed()
    box = page.locator("#pad").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    times = []
    for place in places[1:]:
        page.mouse.move(*place, steps=3)
        page.wait_for_timeout(40)
        times.append(float(page.get_attribute("body", "data-milliseconds")))
    page.mouse.up()
    return times


def test_a_drawn_three_is_read_as_three(open_page):
    page = open_page()
    times = draw(page, THREE)
    page.wait_for_selector("body[data-answer='3']")
    assert "3" in page.inner_text("#sentence")
    median = np.median(times)
    sys.stdout.write(f"from stroke to bars: median {median:.1f} ms, all {sorted(times)}\n")


def test_a_three_drawn_small_in_a_corner_is_read_too(open_page):
    page = open_page()
    draw(page, [(x / 3, y / 3) for x, y in THREE])
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


def test_a_three_can_be_drawn_with_a_finger(open_page):
    page = open_page(width=390, has_touch=True, is_mobile=True)
    box = page.locator("#pad").bounding_box()
    session = page.context.new_cdp_session(page)

    def touch(kind, *points):
        places = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in points
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    touch("touchStart", THREE[0])
    for point in THREE[1:]:
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


def test_what_is_no_picture_is_refused(open_page):
    page = open_page()
    page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": b"no"})
    page.locator("#problem", has_text="a.png cannot be read as a picture").wait_for()


def test_another_model_can_be_chosen(open_page):
    page = open_page()
    for name in ("zoo", "colours", "digits"):
        page.select_option("#models", name)
        page.locator("#title", has_text=name).wait_for()
        page.wait_for_selector("body[data-ready]")
        assert page.locator("#closeup .arithmetic").count() >= 1


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
            """async () => {
              const {fromFile, polarityOf, invert} = await import("/static/picture.js");
              const {Model, ask} = await import("/static/model.js");
              const told = await ask("page/models/digits");
              const model = await Model.load("page/models/digits", told.network, told.input,
                                             told.class_names, told.temperature);
              const pixels = await fromFile(document.getElementById("file").files[0], told.input);
              return [...(await model.run(pixels)).probabilities];
            }"""
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
    page.set_input_files("#file", path)
    page.wait_for_selector("#polarity:not([hidden])")
    found = page.evaluate(
        """async (name) => {
          const {fromFile} = await import("/static/picture.js");
          const {input} = await (await fetch("page/models/" + name)).json();
          return [[...await fromFile(document.getElementById("file").files[0], input)], input];
        }""",
        model,
    )
    pixels, contract = found
    expected = prepare_one_picture(
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


SUMS = """async (name) => {
  const sums = await import("/static/arithmetic.js");
  const {Model, ask} = await import("/static/model.js");
  const told = await ask("page/models/" + name);
  const model = await Model.load("page/models/" + name, told.network, told.input, told.class_names);
  const size = told.input.shape.reduce((a, b) => a * b);
  const kinds = {uint8: Uint8Array, float32: Float32Array};
  const pixels = kinds[told.input.dtype].from({length: size},
    (_, k) => told.input.value_range[1] * ((k * 37) % 17) / 16);
  const result = await model.run(pixels);
  const acts = {linear: (x) => x, relu: (x) => Math.max(0, x), tanh: Math.tanh,
                elu: (x) => (x > 0 ? x : Math.expm1(x))};
  const checked = {};
  model.layers.forEach((layer, position) => {
    const {values, shape} = model.inputOf(position, result);
    const output = result.outputs.get(layer.name);
    const [height, width, channels] = layer.output_shape;
    const note = (found, wanted) => {
      const gap = Math.abs(found - wanted);
      checked[layer.name] = Math.max(checked[layer.name] ?? 0, Number.isFinite(gap) ? gap : 99);
    };
    if (sums.isConvolution(layer) || sums.isPooling(layer)) {
      for (let at = 0; at < output.length; at++) {
        const place = sums.unflatten(at, layer.output_shape);
        if (sums.isConvolution(layer)) {
          const {sum} = sums.convolve(layer, model.weights, values, place);
          note(acts[layer.arguments.activation](sum), output[at]);
        } else {
          const {sum, most, there} = sums.pool(layer, values, place);
          note(layer.layer === "MaxPooling2D" ? most : sum / there.length, output[at]);
        }
      }
    } else if (layer.layer === "Dense") {
      const logits = Array.from({length: output.length},
        (_, unit) => sums.weigh(layer, model.weights, values, unit).sum);
      const given = layer.arguments.activation;
      const wanted = given === "softmax" ? sums.softmax(logits).shares : logits.map(acts[given]);
      wanted.forEach((share, unit) => note(share, output[unit]));
    } else if (layer.layer === "Flatten") {
      output.forEach((value, at) => {
        const [row, column, channel] = sums.unflatten(at, shape);
        note(values[(row * shape[1] + column) * shape[2] + channel], value);
      });
    }
  });
  return checked;
}"""


@pytest.mark.parametrize("model", ["digits", "zoo", "colours"])
def test_every_sum_shown_is_what_onnx_runtime_gives(open_page, model):
    gaps = open_page(f"model={model}").evaluate(SUMS, model)
    assert len(gaps) >= 4
    assert max(gaps.values()) < 2e-4, gaps


def test_every_layer_of_the_zoo_can_be_seen_close_up(open_page):
    page = open_page("model=zoo")
    tiles = page.locator("li.layer button.tile[tabindex='0']")
    assert tiles.count() == len(ZOO.layers) - 1  # Dropout has nothing to show.
    for k in range(tiles.count()):
        tiles.nth(k).click()
        assert page.locator("#closeup .arithmetic").count() >= 1
        page.click("#unpin")


def test_hovering_shows_the_window_and_a_press_holds_it(open_page):
    page = open_page()
    tile = page.locator(".layer:nth-child(3) button.tile").first
    box = tile.bounding_box()
    tile.hover(position={"x": box["width"] * 0.75, "y": box["height"] * 0.25})
    assert "row 2, column 5" in page.inner_text("#closeup header")
    assert page.locator("#closeup .grid").count() == 3
    tile.click(position={"x": 2, "y": 2})
    assert "row 1, column 1" in page.inner_text("#closeup header")
    tile.hover(position={"x": box["width"] * 0.75, "y": box["height"] * 0.25})
    assert "row 1, column 1" in page.inner_text("#closeup header")
    page.click("#unpin")
    tile.hover(position={"x": box["width"] * 0.9, "y": box["height"] * 0.9})
    assert "row 6, column 6" in page.inner_text("#closeup header")


def test_the_network_is_walked_with_the_keyboard(open_page):
    page = open_page()
    page.locator(".layer:nth-child(3) button.tile").first.focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.ariaLabel") == "conv2d_1, map 3"
    assert "map 3" in page.inner_text("#closeup header")
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.ariaLabel") == "activation_1, map 1"
    page.focus("#closeup [role=slider]") if page.locator("#closeup [role=slider]").count() else None
    page.locator(".layer:nth-child(3) button.tile").first.click()
    page.focus("#closeup [role=slider]")
    before = page.inner_text("#closeup header")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#closeup header") != before
    assert page.evaluate("document.activeElement.role") == "slider"


def test_the_workshop_trains_and_compares(open_page):
    page = open_page("epochs=3")
    filters = page.locator("#layers input").first
    filters.fill("6")
    page.locator("#layers .told b", has_text="6×6×6").first.wait_for()
    assert "3,320 parameters" in page.inner_text("#sums")
    page.click("#train-both")
    page.wait_for_selector("body[data-attempts='2']", timeout=120_000)
    assert page.locator("#curve .curve").count() == 2
    rows = page.locator("#attempts tr")
    assert rows.count() == 3
    assert "/ 252" in rows.nth(1).inner_text()
    assert "MLP 2" in page.inner_text("#verdict") and "p = " in page.inner_text("#verdict")
    draw(page, THREE)
    page.wait_for_selector("#both figure:first-child li:nth-child(4).best")
    rows.nth(2).get_by_role("button").click()
    page.wait_for_selector("#look-back:not([hidden])")
    page.locator(".layer:nth-child(3) .shape", has_text="6×6×6").wait_for()


def test_a_training_can_be_cancelled(open_page):
    page = open_page("epochs=200")
    page.locator("#layers input").first.fill("37")
    page.click("#train")
    page.click("#cancel")
    page.wait_for_selector("#cancel", state="hidden", timeout=30_000)
    assert page.inner_text("#training-status") == "Cancelled."
    assert page.is_enabled("#train")


def test_an_impossible_model_is_explained_before_it_is_tried(open_page):
    page = open_page()
    page.locator("#layers input").nth(1).fill("9")
    page.wait_for_selector("#impossible b")
    assert "needs at least 9×9 pixels but receives 8×8" in page.inner_text("#impossible")
    assert page.is_disabled("#train")
    assert page.locator("#layers li.wrong").count() == 1
    page.locator("#layers input").nth(1).fill("3")
    page.wait_for_selector("#train:not([disabled])")
    assert page.inner_text("#impossible") == ""


def test_korean_shows_by_browser_language_and_by_switch(open_page):
    page = open_page(locale="ko-KR")
    assert page.get_attribute("html", "lang") == "ko"
    assert page.inner_text("#workshop-title") == "작업실"
    page.click("[data-language=en]")
    assert page.inner_text("#workshop-title") == "Workshop"
    assert open_page("lang=ko").inner_text("#inside-title") == "네트워크 들여다보기"


def test_the_address_holds_the_whole_state(open_page):
    page = open_page()
    draw(page, THREE)
    page.locator(".layer:nth-child(3) button.tile").nth(4).click(position={"x": 3, "y": 3})
    page.locator("#layers input").first.fill("7")
    page.fill("#epochs", "9")
    page.click("[data-language=ko]")
    page.wait_for_timeout(400)
    bars, header = page.inner_text("#bars"), page.inner_text("#closeup header b")
    state = page.url.partition("#")[2]
    other = open_page(state)
    assert other.inner_text("#bars") == bars
    assert other.inner_text("#closeup header b") == header
    assert other.input_value("#layers input >> nth=0") == "7"
    assert other.input_value("#epochs") == "9"
    assert other.get_attribute("html", "lang") == "ko"


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1920])
@pytest.mark.parametrize("model", ["digits", "colours"])
def test_nothing_sticks_out_sideways(open_page, model, width):
    page = open_page(f"model={model}", width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en", "ko"])
def test_axe_finds_nothing_serious(open_page, scheme, locale):
    if not AXE.is_file():
        pytest.skip("put axe-core's axe.min.js into .cache/axe")
    page = open_page(locale=locale, scheme=scheme)
    page.evaluate(AXE.read_text("utf-8"))
    for tile in (0, 2, 3, 5):
        page.locator("li.layer button.tile[tabindex='0']").nth(tile).click()
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        serious = [
            (rule["id"], [node["html"] for node in rule["nodes"]][:3])
            for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")
        ]
        assert serious == []
