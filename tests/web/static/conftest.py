"""A server with three runs, and its pages in a real browser that must report no errors."""

import pytest

import clearcnn
from clearcnn.specs import LayerSpec, ModelSpec

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


@pytest.fixture(scope="package")
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
        page.set_default_timeout(120_000)
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


@pytest.fixture(scope="session")
def zoo():
    """The layers of the run zoo: nearly every kind of layer."""
    return ZOO.layers


def draw_points(page, points=THREE):
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


@pytest.fixture(scope="session")
def draw():
    """Draw a stroke with the mouse, by default a 3; return the milliseconds."""
    return draw_points


@pytest.fixture(scope="session")
def three():
    """The points of a 3, relative to the pad."""
    return THREE
