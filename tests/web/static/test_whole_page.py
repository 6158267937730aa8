"""What holds for the whole page: language, address, width, access."""

import re
from importlib.resources import files

import numpy as np
import pytest

from clearcnn.results.percent import percent

pytestmark = pytest.mark.browser


def test_another_model_can_be_chosen(open_page):
    page = open_page()
    for name in ("zoo", "colours", "digits"):
        page.select_option("#models", name)
        page.locator("#title", has_text=name).wait_for()
        page.wait_for_selector("body[data-ready]")
        assert page.locator("#closeup .arithmetic").count() >= 1


def test_korean_shows_by_browser_language_and_by_switch(open_page):
    page = open_page(locale="ko-KR")
    assert page.get_attribute("html", "lang") == "ko"
    assert page.inner_text("#playground-title") == "실험실"
    page.click("[data-language=en]")
    assert page.inner_text("#playground-title") == "Playground"
    assert open_page("lang=ko").inner_text("#inside-title") == "네트워크 들여다보기"


def test_the_address_holds_the_whole_state(open_page, draw):
    page = open_page()
    draw(page)
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


def test_the_score_is_spelled_as_in_the_report(open_page):
    page = open_page()
    about = page.inner_text("#about")
    counts = r"\(\d+ of \d+, 95 % interval [\d.]+–[\d.]+ %\)"
    assert re.search(rf"% of test images correct {counts}", about)
    shares = [0.0, 1e-12, 0.0004, 0.004, 0.5, 0.99, 0.9994, 0.99968, 0.9999999, 1.0, 1 + 1e-16]
    found = page.evaluate(
        """async (shares) => {
            const { finePercent } = await import("/static/numbers.js");
            return shares.map(finePercent);
        }""",
        shares,
    )
    assert found == [f"{percent(share)} %" for share in shares]


def test_korean_spells_percent_without_a_space(open_page):
    page = open_page("model=digits&lang=ko")
    texts = [page.inner_text(place) for place in ("#about", "#sentence", "#bars", "#curve")]
    assert all("%" in text for text in texts)
    assert not [text for text in texts if " %" in text]
    page.click("[data-language=en]")
    page.locator("#about", has_text="95 % interval").wait_for()
    page.locator("#bars", has_text=" %").wait_for()


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1920])
@pytest.mark.parametrize("model", ["digits", "colours"])
def test_nothing_sticks_out_sideways(open_page, model, width):
    page = open_page(f"model={model}", width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("locale", "scheme"),
    [
        ("en", "light"),
        ("ko", "dark"),
        pytest.param("en", "dark", marks=pytest.mark.release),
        pytest.param("ko", "light", marks=pytest.mark.release),
    ],
)
def test_axe_finds_nothing_serious(open_page, scheme, locale):
    page = open_page(locale=locale, scheme=scheme)
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    for tile in (0, 2, 3, 5):
        page.locator("li.layer button.tile[tabindex='0']").nth(tile).click()
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        serious = [
            (rule["id"], [node["html"] for node in rule["nodes"]][:3])
            for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")
        ]
        assert serious == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_beside_a_photo(open_page, png, scheme):
    page = open_page("model=colours", scheme=scheme)
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    picture = {"name": "a.png", "mimeType": "image/png", "buffer": png(np.eye(60, dtype=np.uint8))}
    for prepare in (
        lambda: page.click("#clear"),
        lambda: (page.set_input_files("#file", picture), page.check("#crop")),
        lambda: page.set_input_files("#file", {**picture, "buffer": b"no"}),
    ):
        prepare()
        page.wait_for_timeout(300)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        serious = [
            (rule["id"], [node["html"] for node in rule["nodes"]][:3])
            for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")
        ]
        assert serious == []
