"""The row of layers, and one value close up."""

import pytest

pytestmark = pytest.mark.browser


SUMS = """async (name) => {
  const sums = await import("/static/arithmetic.js");
  const {Model} = await import("/static/model.js");
  const {ask} = await import("/static/ask.js");
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


def test_every_layer_of_the_zoo_can_be_seen_close_up(open_page, zoo):
    page = open_page("model=zoo")
    tiles = page.locator("li.layer button.tile[tabindex='0']")
    assert tiles.count() == len(zoo) - 1  # Dropout has nothing to show.
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


def test_the_window_slides_until_it_is_paused_or_another_map_is_seen(open_page):
    page = open_page()
    page.locator(".layer:nth-child(3) button.tile").first.click(position={"x": 2, "y": 2})
    header = page.locator("#closeup header")
    assert "row 1, column 1" in header.inner_text()
    page.locator("#closeup button", has_text="Slide the window").click()
    header.filter(has_text="row 2,").wait_for()
    page.locator("#closeup button", has_text="Pause").dispatch_event("pointerdown")
    held = header.inner_text()
    page.wait_for_timeout(400)
    assert header.inner_text() == held
    page.locator("#closeup button", has_text="Slide the window").press("Enter")
    header.filter(has_text="row 3,").wait_for()
    page.locator(".layer:nth-child(7) button.tile").first.click(position={"x": 2, "y": 2})
    page.wait_for_timeout(400)
    assert "row 1, column 1" in header.inner_text()
