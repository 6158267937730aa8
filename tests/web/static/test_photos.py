"""Images from elsewhere: opened, cropped, refused, and from the camera."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

import clearcnn

pytestmark = pytest.mark.browser

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)


def make_photo(size, kind="PNG"):
    """A smooth image in colour, as cameras take them."""
    width, height = size
    row, column = np.mgrid[:height, :width]
    waves = [np.sin(row / 9 + k) + np.cos(column / (7 + k)) for k in range(3)]
    levels = (127 + 60 * np.stack(waves, axis=-1)).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(levels).save(file, kind, **({"quality": 95} if kind == "JPEG" else {}))
    return file.getvalue()


def open_file(page, content, name="photo.png"):
    page.evaluate("delete document.body.dataset.milliseconds")
    file = {"name": name, "mimeType": "image/png", "buffer": content}
    page.set_input_files("#file", file)
    page.wait_for_selector("body[data-milliseconds]")


def read_probabilities(page):
    widths = page.eval_on_selector_all("#bars .bar i", "all => all.map((bar) => bar.style.width)")
    return np.array([float(width.rstrip("%")) / 100 for width in widths])


def predict(run, content):
    (found,) = clearcnn.predict(run, [Image.open(BytesIO(content))], top=3)
    return {each.name: each.probability for each in found.top}, found.is_unlike


def assert_predicted(page, run, content):
    names = page.eval_on_selector_all("#bars .name", "all => all.map((name) => name.title)")
    expected, is_unlike = predict(run, content)
    shown = dict(zip(names, read_probabilities(page), strict=True))
    assert shown == pytest.approx({name: expected[name] for name in names}, abs=1e-3)
    page.wait_for_timeout(500)
    assert page.locator("#unlike").is_visible() == is_unlike


def test_what_is_no_drawing_is_opened_or_photographed_not_drawn(open_page):
    page = open_page("model=colours")
    for place in ("pad", "hint", "undo", "fit", "pad-keys"):
        assert page.locator(f"#{place}").is_hidden(), place
    for place in ("open", "camera"):
        assert page.locator(f"#{place}.strong").is_visible(), place
    page.click("#clear")
    assert page.inner_text("#nothing") == "Drop an image here"
    assert page.locator("#view").is_hidden() and page.locator("#clear").is_hidden()
    page.select_option("#models", "digits")
    page.wait_for_selector("#pad", state="visible")
    page.wait_for_selector("body[data-ready]")
    assert page.locator("#undo").is_visible() and page.locator("#view").is_hidden()


@pytest.mark.parametrize(
    ("size", "kind"), [((90, 40), "PNG"), ((31, 97), "PNG"), ((64, 48), "JPEG")]
)
def test_a_whole_image_is_predicted_as_predict_does(open_page, colours_run, size, kind):
    page = open_page("model=colours")
    content = make_photo(size, kind)
    open_file(page, content)
    assert page.is_checked("#whole")
    assert page.evaluate("view.width / view.height") == pytest.approx(size[0] / size[1], rel=0.01)
    assert_predicted(page, colours_run, content)


def test_a_file_that_is_opened_while_the_model_loads_stays(open_page, colours_run):
    page = open_page("model=digits")
    held = []
    page.route("**/page/models/colours/images", lambda route: held.append(route))
    with page.expect_request("**/page/models/colours/images"):
        page.select_option("#models", "colours")
    content = make_photo((90, 40))
    file = {"name": "photo.png", "mimeType": "image/png", "buffer": content}
    page.set_input_files("#file", file)
    page.wait_for_selector("#view", state="visible")
    held[0].continue_()
    page.wait_for_selector("body[data-ready]")
    assert page.evaluate("view.width / view.height") == pytest.approx(90 / 40, rel=0.01)
    assert_predicted(page, colours_run, content)


HOLD_ANSWERS = """async () => {
  const { Model } = await import("/static/model.js");
  const { run } = Model.prototype;
  window.held = [];
  Model.prototype.run = async function (pixels) {
    await new Promise((resolve) => window.held.push(resolve));
    return run.call(this, pixels);
  };
}"""


def test_an_answer_is_judged_by_the_label_of_its_own_image(open_page):
    """Another image is chosen before the model has answered."""
    page = open_page("model=digits")
    page.wait_for_selector("body[data-answer]")
    labels = page.eval_on_selector_all("#gallery button span", "all => all.map((e) => e.innerText)")
    other = next(k for k, label in enumerate(labels) if label != labels[0])
    page.evaluate(HOLD_ANSWERS)
    page.evaluate(
        """() => new MutationObserver(() => (window.told ??= []).push(sentence.textContent))
          .observe(sentence, { childList: true })"""
    )
    for number in (0, other):
        page.locator("#gallery button").nth(number).click()
    for number, label in enumerate((labels[0], labels[other])):
        page.wait_for_function("(number) => window.held.length > number", arg=number)
        page.evaluate("(number) => window.held[number]()", number)
        page.wait_for_function("(number) => window.told?.length > number", arg=number)
        is_right = page.get_attribute("body", "data-answer") == label
        judged = "The label agrees." if is_right else f"The label says {label}."
        assert page.evaluate("window.told.at(-1)").endswith(judged)


def test_a_crop_moves_and_is_predicted_as_predict_does_with_that_part(open_page, colours_run):
    page = open_page("model=colours")
    content = make_photo((90, 40))
    open_file(page, content)

    def assert_cropped(box):
        page.wait_for_timeout(400)
        part = BytesIO()
        Image.open(BytesIO(content)).crop(box).save(part, "PNG")
        assert_predicted(page, colours_run, part.getvalue())

    # The model's images are 12 wide and 10 high.
    page.check("#crop")
    assert_cropped((21, 0, 69, 40))
    page.focus("#view")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert_cropped((26, 0, 74, 40))
    box = page.locator("#view").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - box["width"], middle[1])
    page.mouse.up()
    assert_cropped((0, 0, 48, 40))
    page.locator("#crop-size").fill("50")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("view.style.aspectRatio").startswith("640 /")
    page.check("#whole")
    page.wait_for_timeout(400)
    assert_predicted(page, colours_run, content)


def truncate(content):
    return content[: len(content) // 2]


@pytest.mark.parametrize("model", ["digits", "colours"])
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (HEIC, "a.x is a HEIC image, which this browser cannot decode."),
        (make_photo((6001, 2)), "a.x has 6001×2 pixels; this page takes at most 6000 on a side."),
        (make_photo((20, 20), "TIFF"), "a.x is a TIFF image, which browsers cannot show."),
        (truncate(make_photo((200, 200), "JPEG")), "a.x cannot be read: it is no image, or it is"),
        (truncate(make_photo((200, 200))), "a.x cannot be read: it is no image, or it is damaged."),
        (b"no image", "a.x cannot be read: it is no image, or it is damaged."),
    ],
    ids=["heic", "large", "tiff", "truncated-jpeg", "truncated-png", "text"],
)
def test_what_cannot_be_read_clears_the_answer_and_says_why(open_page, model, content, told):
    page = open_page(f"model={model}")
    page.wait_for_selector("body[data-answer]")
    file = {"name": "a.x", "mimeType": "application/octet-stream", "buffer": content}
    page.set_input_files("#file", file)
    page.locator("#problem", has_text=told).wait_for()
    assert page.get_attribute("body", "data-answer") is None
    assert page.inner_text("#answer").strip() == ""
    assert page.locator("#bars").is_hidden() and page.locator("#network").is_hidden()
    assert page.locator("#gallery [aria-pressed=true]").count() == 0
    page.locator("#gallery button").first.click()
    page.wait_for_selector("body[data-answer]")
    assert page.inner_text("#problem") == ""


@pytest.mark.parametrize("model", ["digits", "colours"])
def test_the_camera_is_predicted_live_and_a_still_stays(open_page, model):
    page = open_page(f"model={model}", permissions=["camera"])
    page.click("#camera")
    page.wait_for_selector("#take", state="visible")
    assert page.evaluate("document.activeElement.id") == "take"
    assert page.is_checked("#crop") and page.get_attribute("#sentence", "aria-live") == "off"
    page.wait_for_function("seen.width > 0 && !seen.parentElement.hidden")
    first = page.evaluate("seen.toDataURL()")
    page.wait_for_function("(first) => seen.toDataURL() !== first", arg=first)
    page.click("#take")
    page.wait_for_selector("#camera", state="visible")
    page.wait_for_timeout(400)
    assert page.evaluate("video.srcObject") is None
    still = page.evaluate("[seen.toDataURL(), view.toDataURL()]")
    page.wait_for_timeout(500)
    assert page.evaluate("[seen.toDataURL(), view.toDataURL()]") == still
    page.click("#camera")
    page.wait_for_selector("#stop", state="visible")
    page.click("#stop")
    page.wait_for_selector("body:not([data-answer])")
    assert page.evaluate("video.srcObject") is None and page.locator("#view").is_hidden()


def test_a_camera_that_is_denied_is_told(open_page):
    page = open_page("model=colours&lang=ko")
    page.click("#camera")
    page.locator("#problem", has_text="카메라 사용을 막았습니다").wait_for()
    page.click("[data-language=en]")
    page.locator("#problem", has_text="does not let this page use the camera").wait_for()
    assert page.locator("#camera").is_enabled()


def test_another_model_turns_the_camera_off(open_page):
    page = open_page("model=colours", permissions=["camera"])
    page.click("#camera")
    page.wait_for_selector("#take", state="visible")
    page.select_option("#models", "digits")
    page.wait_for_selector("#pad", state="visible")
    page.wait_for_selector("body[data-ready]")
    assert page.evaluate("video.srcObject") is None and page.locator("#take").is_hidden()


def test_while_a_model_loads_nothing_looks_like_an_answer(open_page):
    page = open_page("model=digits")
    page.wait_for_selector("body[data-answer]")
    held = []
    page.route("**/page/models/colours/layers.onnx", lambda route: held.append(route))
    with page.expect_request("**/page/models/colours/layers.onnx"):
        page.select_option("#models", "colours")
    page.wait_for_timeout(300)
    assert page.inner_text("#sentence") == "Loading colours …"
    assert page.inner_text("#answer").strip() == ""
    for place in ("bars", "unlike", "computed", "network", "closeup"):
        assert page.locator(f"#{place}").is_hidden(), place
    page.click("[data-language=ko]")
    assert page.inner_text("#sentence") == "colours 모델을 불러오는 중 …"
    held[0].continue_()
    page.wait_for_selector("body[data-answer]")
    assert page.locator("#bars").is_visible()
