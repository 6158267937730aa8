"""The page of an explanation in a real browser."""

import pytest

from clearcnn.report import write_explanation

pytestmark = pytest.mark.browser

HOSTILE = "</style><script>alert(1)</script><img src=x onerror=alert(2)>"
CASES = {
    "digit": {"class_names": tuple("7210345689"), "label": "2"},
    "colour": {"class_names": ("cat", "a dog with a very long name"), "shape": (12, 20, 3)},
    "hostile": {
        "class_names": (HOSTILE, "b" * 300),
        "name": f"{HOSTILE}{'long' * 40}.png",
        "label": "b" * 300,
        "warnings": (HOSTILE,),
    },
    "wide": {"class_names": ("a", "b"), "shape": (16, 16, 1), "side": 11},
    "deep": {"class_names": ("a", "b"), "repeats": 5},
    "bare": {
        "class_names": ("고양이", "강아지"),
        "convolution": None,
        "pooling": None,
        "neighbours": None,
    },
}


@pytest.fixture(scope="module")
def addresses(tmp_path_factory, make_explained):
    found = {}
    for name, case in CASES.items():
        result, pictures = make_explained(**case)
        folder = tmp_path_factory.mktemp(name)
        write_explanation(folder, result, pictures, "clearcnn explain runs/one 7")
        found[name] = (folder / "explanation.html").as_uri()
    return found


@pytest.fixture
def open_page(browser, addresses):
    complaints, pages = [], []

    def open_explanation(case, width=1280, scheme="light"):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        pages.append(page)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.on(
            "request",
            lambda request: (
                None
                if request.url == addresses[case] or request.url.startswith("data:")
                else complaints.append(request.url)
            ),
        )
        page.goto(addresses[case])
        return page

    yield open_explanation
    for page in pages:
        page.close()
    assert complaints == []


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1920])
def test_nothing_sticks_out_sideways(open_page, case, width):
    page = open_page(case, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sticking_out = page.evaluate(
        """() => [...document.querySelectorAll("body *")]
          .filter((e) => !e.closest(".scroll, .framed") &&
                         e.getBoundingClientRect().right > innerWidth + 0.5)
          .map((e) => e.outerHTML.slice(0, 80))"""
    )
    assert sticking_out == []


@pytest.mark.parametrize("case", CASES)
def test_every_picture_loads_and_is_named(open_page, case):
    page = open_page(case)
    images = page.locator("img")
    assert images.count() > 70
    assert images.evaluate_all("all => all.every((e) => e.complete && e.naturalWidth > 0)")
    assert images.evaluate_all("all => all.every((e) => e.alt || e.className == 'under')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("case", CASES)
def test_every_word_is_readable_in_light_and_dark(open_page, poor_contrasts, case, scheme):
    page = open_page(case, scheme=scheme)
    assert page.evaluate(poor_contrasts) == []


def test_the_frame_of_the_window_lies_on_its_pixels(open_page):
    page = open_page("digit")
    picture = page.locator("#convolution .framed img").first.bounding_box()
    frame = page.locator("#convolution .framed i").first.bounding_box()
    # Rows -1 to 1 and columns 6 to 8 of 9×8 pixels.
    pixel = picture["width"] / 8
    assert frame["x"] - picture["x"] == pytest.approx(6 * pixel, abs=0.6)
    assert frame["y"] - picture["y"] == pytest.approx(-pixel, abs=0.6)
    assert frame["width"] == pytest.approx(3 * pixel, abs=0.6)
    assert frame["height"] == pytest.approx(3 * pixel, abs=0.6)


def test_every_section_is_reached_from_the_top(open_page):
    page = open_page("digit")
    links = page.locator("nav a").evaluate_all("all => all.map((e) => e.hash.slice(1))")
    assert links == page.locator("main section").evaluate_all("all => all.map((e) => e.id)")
    for link in page.locator("nav a").all():
        link.focus()
        assert page.evaluate("document.activeElement.hash") == link.get_attribute("href")


def test_it_says_a_mistake_and_what_failed(open_page):
    page = open_page("digit")
    assert page.locator(".answer").inner_text() == "7"
    assert "The label says “2”: a mistake." in page.locator(".sure").inner_text()
    said = page.locator(".checks").inner_text()
    assert "Passed: on average |ρ| 0.15" in said.replace("\n", " ")
    assert "Failed: on average |ρ| 0.80" in said.replace("\n", " ")


def test_the_slider_sets_how_much_of_the_image_shows_below_the_maps(open_page):
    page = open_page("colour")
    slider, image = page.get_by_label("The image below the maps"), page.locator(".under").first
    opacity = "e => Number(getComputedStyle(e).opacity)"
    assert image.evaluate(opacity) == pytest.approx(0.4)
    slider.focus()
    slider.press("Home")
    assert image.evaluate(opacity) == 0
    slider.press("End")
    assert image.evaluate(opacity) == 1


def test_many_maps_are_folded_and_can_be_unfolded(open_page):
    page = open_page("digit")
    layer = page.locator(".layers > li").first
    shown = layer.locator(".tiles > li:visible")
    assert shown.count() == 10
    layer.get_by_text("60 more maps").click()
    assert shown.count() == 64
    assert layer.get_by_text("and 6 more maps, not drawn.").is_visible()


def test_deep_layers_are_folded(open_page):
    page = open_page("deep")
    counts = page.locator(".layers > li").evaluate_all(
        "all => all.map((e) => [...e.querySelectorAll('.tiles > li')]"
        ".filter((tile) => tile.checkVisibility()).length)"
    )
    assert all(counts[:6])
    assert not any(counts[6:])
    assert len(counts) > 12
