"""The report in a real browser: what a parser cannot see."""

import pytest

from clearcnn.report import score_sentence, write_report

pytestmark = pytest.mark.browser

CASES = ("digits", "korean", "hostile", "many", "two")


@pytest.fixture(scope="module")
def addresses(tmp_path_factory, request):
    found = {}
    for name in CASES:
        result, pictures = request.getfixturevalue(name)
        folder = tmp_path_factory.mktemp(name)
        write_report(folder, result, pictures, "clearcnn train")
        found[name] = (folder / "report.html").as_uri()
    return found


@pytest.fixture
def open_page(browser, addresses):
    """Opens a report; complains of anything the console says or the network is asked for."""
    complaints, pages = [], []

    def open_report(case, width=1280, scheme="light"):
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

    yield open_report
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
          .filter((e) => !e.closest(".scroll, svg, thead") &&
                         e.getBoundingClientRect().right > innerWidth + 0.5)
          .map((e) => e.outerHTML.slice(0, 80))"""
    )
    assert sticking_out == []


def test_larger_images_are_shown_larger(open_page):
    sides = {
        case: open_page(case).locator(".gallery img").first.bounding_box()["width"]
        for case in ("digits", "two")
    }
    assert sides["two"] > sides["digits"]


def test_ten_classes_fit_on_a_phone_without_scrolling(open_page):
    page = open_page("digits", 390)
    table = page.locator(".scroll.tall")
    assert table.evaluate("e => e.scrollWidth <= e.clientWidth")


@pytest.mark.parametrize("case", CASES)
def test_the_score_is_said_and_every_picture_loads(open_page, case, request):
    page = open_page(case)
    result, _ = request.getfixturevalue(case)
    said = page.locator(".sentence").inner_text().replace("\u00a0", " ")
    assert said == score_sentence(result.test.score)
    images = page.locator("img")
    assert images.count() >= len(result.test.mistakes[:24])
    assert images.evaluate_all("all => all.every((e) => e.complete && e.naturalWidth > 0)")


def test_pointing_at_a_curve_reads_an_epoch_off_both(open_page, digits):
    history = digits[0].history
    page = open_page("digits")
    chart = page.locator(".charts svg").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    # The frame reaches from 46 to 390 of 400 units; the eleventh of 43 epochs is at 10/42 of it.
    page.mouse.move(
        box["x"] + box["width"] * (46 + 344 * 10 / 42) / 400, box["y"] + box["height"] / 2
    )
    accuracy, loss = page.locator(".charts output").all_inner_texts()
    assert accuracy == (
        f"epoch 11: training {100 * history.metrics['accuracy'][10]:.1f} %, "
        f"validation {100 * history.metrics['val_accuracy'][10]:.1f} %"
    )
    assert f"training {history.metrics['loss'][10]:.4f}" in loss
    page.mouse.move(0, 0)
    assert page.locator(".charts output").all_inner_texts() == ["", ""]


def test_the_curves_can_be_read_by_keyboard(open_page):
    page = open_page("digits")
    chart = page.locator(".charts svg").first
    chart.focus()
    chart.press("Home")
    assert page.locator(".charts output").first.inner_text().startswith("epoch 1:")
    chart.press("ArrowRight")
    assert page.locator(".charts output").first.inner_text().startswith("epoch 2:")
    chart.press("End")
    assert page.locator(".charts output").first.inner_text().startswith("epoch 43:")


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_cut_off_on_paper(open_page, case):
    page = open_page(case, 720)  # A4 between margins, in CSS pixels.
    page.emulate_media(media="print")
    cut_off = page.evaluate(
        """() => [...document.querySelectorAll("img, svg, th, td, figcaption, p")]
          .filter((e) => !e.closest(".heat") && e.getBoundingClientRect().right > innerWidth + 0.5)
          .map((e) => e.outerHTML.slice(0, 80))"""
    )
    assert cut_off == []


def test_a_class_name_is_never_split_on_a_phone(open_page):
    page = open_page("two", 390)
    names = page.locator(".gallery b, .scores tbody th, .classes-table th[scope=row]")
    assert names.count() > 4
    assert all(name.get_attribute("title") for name in names.all())
    split = names.evaluate_all(
        """all => all.filter((e) => {
          const range = document.createRange();
          range.selectNodeContents(e);
          return new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1;
        }).length"""
    )
    assert split == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("case", CASES)
def test_every_word_is_readable_in_light_and_dark(open_page, poor_contrasts, case, scheme):
    page = open_page(case, scheme=scheme)
    assert page.evaluate(poor_contrasts) == []


def test_light_and_dark_differ(open_page):
    grounds = {
        scheme: open_page("digits", scheme=scheme).evaluate(
            "getComputedStyle(document.body).backgroundColor"
        )
        for scheme in ("light", "dark")
    }
    assert grounds["light"] != grounds["dark"]
