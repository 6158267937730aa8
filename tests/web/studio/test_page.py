"""The studio end to end, in a real browser with a fake camera."""

import json
import re
import unicodedata
from pathlib import Path

import pytest
from PIL import Image
from tests.web.studio.page_actions import (
    find_serious,
    give_files,
    headline,
    listing,
    make_class,
    train,
    wait_for_count,
)

pytestmark = pytest.mark.browser


def test_from_nothing_to_a_kept_run(address, open_page, picture, tmp_path):
    page = open_page(address)
    make_class(page, "cup")
    make_class(page, "고양이")
    page.click('[data-act="openCamera cup"]')
    for burst in range(3):
        page.wait_for_selector("#take-burst:enabled")
        page.click("#take-burst")
        wait_for_count(page, 12 * (burst + 1))
        page.wait_for_selector("#take-burst:enabled")
    page.click("#close-camera")
    taken = listing(tmp_path)
    assert len(taken) == 36 and len({name.split("~")[1] for name in taken}) == 3
    for name in taken:
        with Image.open(tmp_path / "photos" / name) as image:
            assert image.size == (256, 256)
    cats = [(f"고양이 {k}.png", picture(k, side=24)) for k in range(12)]
    give_files(page, "고양이", [*cats, ("broken.png", b"nothing")])
    wait_for_count(page, 48)
    page.wait_for_selector("#refused li")
    assert "broken.png cannot be read" in page.inner_text("#refused")
    assert listing(tmp_path) == sorted([*taken, *(f"고양이/{name}" for name, _ in cats)])
    assert page.locator("[data-picture]").count() == 48

    train(page, seed=1)
    assert re.match(r"On new pictures, [\d.]+ % to [\d.]+ % correct", headline(page))
    (run,) = (tmp_path / "runs").iterdir()
    score = json.loads((run / "metrics.json").read_text("utf-8"))["test"]["score"]
    assert f"{score['correct']} of {score['total']} test pictures correct" in page.inner_text(
        "#result"
    )
    assert "3 scenes" not in page.inner_text("#result") and "15 scenes" in page.inner_text(
        "#result"
    )

    page.click('[data-step="collect"]')
    page.focus(f'[data-picture="{taken[0]}"]')
    page.keyboard.press("2")
    page.wait_for_selector(f'[data-picture="고양이/{taken[0].partition("/")[2]}"]')
    train(page, seed=2)
    assert find_serious(page) == []
    page.click('[data-step="improve"]')
    page.wait_for_selector("table.attempts tbody tr:nth-child(2)")
    assert find_serious(page) == []
    assert re.search(
        r"Better|Worse|told apart|compared", page.inner_text("table.attempts tbody tr")
    )

    page.reload()
    page.wait_for_selector("table.attempts tbody tr:nth-child(2)")
    page.click('[data-step="keep"]')
    assert find_serious(page) == []
    with page.expect_download() as download:
        page.click(".keeping a[download$='model.onnx']")
    latest = max((tmp_path / "runs").iterdir())
    assert Path(download.value.path()).read_bytes() == (latest / "model.onnx").read_bytes()
    with page.context.expect_page() as opened:
        page.click(".keeping button:has-text('Look inside')")
    opened.value.wait_for_selector("body[data-ready]")
    assert opened.value.inner_text("#title") == latest.name


def test_what_check_finds_stands_beside_its_picture(address, open_page, picture, tmp_path):
    page = open_page(address, locale="ko")
    make_class(page, "a")
    make_class(page, "b")
    give_files(page, "a", [(f"{k}.png", picture(k)) for k in range(4)])
    wait_for_count(page, 4)
    give_files(
        page, "b", [(f"{k}.png", picture(k, 1)) for k in range(3)] + [("same.png", picture(0))]
    )
    wait_for_count(page, 8)
    page.click('[data-step="look"]')
    page.click("#start-look")
    page.wait_for_selector('.noted[data-picture="b/same.png"]')
    assert page.locator(".noted").count() == 2
    findings = page.inner_text("#findings")
    assert re.search(r"[가-힣]", findings) and page.locator("#findings [lang=en]").count() == 0
    page.click("[data-language=en]")
    page.wait_for_function("!/[가-힣]/.test(document.querySelector('#findings').innerText)")
    page.click("[data-language=ko]")
    page.wait_for_function("/[가-힣]/.test(document.querySelector('#findings').innerText)")
    assert "다른 레이블: a/0.png" in page.inner_text('[data-picture="b/same.png"]')
    assert find_serious(page) == []
    page.click("#kinds [data-kind=other_label]")
    assert find_serious(page) == []
    assert page.locator("[data-picture]").count() == 2
    assert page.inner_text("#kinds [aria-pressed=true]") == "레이블이 둘 2"
    page.focus('[data-picture="b/same.png"]')
    page.keyboard.press("Delete")
    wait_for_count(page, 7)
    assert "b/same.png" not in listing(tmp_path)
    page.keyboard.press("Control+z")
    wait_for_count(page, 8)
    assert "b/same.png" in listing(tmp_path)
    page.wait_for_selector('.noted[data-picture="b/same.png"]')
    page.click("#kinds [data-kind='']")
    assert page.locator("[data-picture]").count() == 8


@pytest.mark.parametrize("width", [390, 1280])
def test_by_keyboard_alone(address, open_page, picture, tmp_path, width):
    page = open_page(address, width=width)

    def tab_to(selector):
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                return
        raise AssertionError(f"the keyboard does not reach {selector}")

    for name in "ab":
        tab_to("#class-name")
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        page.wait_for_selector(f'[data-class="{name}"]')
    tab_to("[data-act='openCamera a']")
    page.keyboard.press("Enter")
    page.wait_for_selector("#take-one:enabled")
    page.wait_for_selector("#take-one:focus")
    page.keyboard.press("Enter")
    wait_for_count(page, 1)
    page.wait_for_selector("#take-one:focus")
    page.keyboard.press("Enter")
    wait_for_count(page, 2)
    page.keyboard.press("Escape")
    page.wait_for_selector("#camera", state="hidden")
    first, second = listing(tmp_path)
    tab_to("[data-picture]")
    page.keyboard.press("Home")  # Two of one second are in no certain order.
    page.keyboard.press("Shift+ArrowRight")
    assert page.locator("[aria-selected=true]").count() == 2
    page.keyboard.press("2")
    page.wait_for_selector(f'[data-picture="{second.replace("a/", "b/")}"]')
    assert listing(tmp_path) == [name.replace("a/", "b/") for name in (first, second)]
    page.keyboard.press("Control+z")
    page.wait_for_selector(f'[data-picture="{second}"]')
    assert listing(tmp_path) == [first, second]
    page.wait_for_selector("[data-picture]:focus")
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Delete")
    wait_for_count(page, 0)


def test_tabs_see_each_other_and_do_no_harm(address, open_page, picture, tmp_path):
    pages = [open_page(address) for _ in range(8)]  # More than a browser has connections for.
    make_class(pages[0], "a")
    pages[1].wait_for_selector('[data-class="a"]')
    for k, page in enumerate(pages[1:]):
        page.wait_for_selector('[data-class="a"]')
        give_files(page, "a", [("same.png", picture(k))])
    for page in pages:
        wait_for_count(page, 7)
    found = {(tmp_path / "photos" / name).read_bytes() for name in listing(tmp_path)}
    assert found == {picture(k) for k in range(7)}
    pages[2].click('[data-act="removeClass a"]')
    wait_for_count(pages[3], 0)
    pages[3].click("#undo")
    wait_for_count(pages[4], 7)


def test_closing_loses_nothing(run_studio, open_page, picture, tmp_path):
    with run_studio(tmp_path / "photos") as found:
        page = open_page(found)
        make_class(page, "a")
        give_files(page, "a", [(f"{k}.png", picture(k)) for k in range(3)])
        wait_for_count(page, 3)
    with run_studio(tmp_path / "photos") as found:  # The first one was killed.
        page = open_page(found)
        wait_for_count(page, 3)
        page.click("#undo")
        wait_for_count(page, 0)


PASTE = """(bytes) => {
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([new Uint8Array(bytes)], "image.png", { type: "image/png" }));
  document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
}"""


def drop(page, paths, target):
    """Drop files and folders as the operating system does."""
    page.locator(target).scroll_into_view_if_needed()
    box = page.locator(target).bounding_box()
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + 8}
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    devtools = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send("Input.dispatchDragEvent", {"type": kind, "data": data, **place})


def test_files_and_folders_can_be_dropped_and_pasted(address, open_page, picture, tmp_path):
    decomposed = unicodedata.normalize("NFD", "강아지")  # As macOS writes it.
    given = tmp_path / "given"
    for name in (decomposed, "고양이"):
        (given / "사진" / name).mkdir(parents=True)
        for k in range(2):
            (given / "사진" / name / f"{name} {k}.png").write_bytes(picture(k))
    (given / "사진" / ".DS_Store").write_bytes(b"x")
    (given / "한 장.png").write_bytes(picture(7))
    page = open_page(address, width=390, locale="ko", scheme="dark")
    make_class(page, "고양이")
    drop(page, [given / "사진"], "#collect-title")
    wait_for_count(page, 4)
    expected = [f"{name}/{name} {k}.png" for name in ("강아지", "고양이") for k in range(2)]
    assert listing(tmp_path) == sorted(expected)
    page.wait_for_selector('[data-class="강아지"]')
    drop(page, [given / "한 장.png"], '[data-class="강아지"]')
    wait_for_count(page, 5)
    page.check('[data-class="고양이"] input[type=radio]')
    page.evaluate(PASTE, [*picture(8)])
    wait_for_count(page, 6)
    expected += ["강아지/한 장.png", "고양이/image.png"]
    assert listing(tmp_path) == sorted(expected)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize(
    ("locale", "scheme", "width"), [("en", "light", 1280), ("ko", "dark", 390)]
)
def test_axe_finds_nothing_serious(address, open_page, picture, locale, scheme, width):
    page = open_page(address, locale=locale, scheme=scheme, width=width)
    make_class(page, "a")
    make_class(page, "b")
    give_files(page, "a", [(f"{k}.png", picture(k)) for k in range(4)] + [("x.png", b"no")])
    wait_for_count(page, 4)
    page.locator("[data-picture]").first.click()
    assert find_serious(page) == []
    page.click('[data-act="openCamera a"]')
    page.wait_for_selector("#take-one:enabled")
    assert find_serious(page) == []
    page.click("#close-camera")
    for step in ("look", "train", "improve", "keep"):
        page.click(f'[data-step="{step}"]')
        assert find_serious(page) == [], step
        assert page.evaluate("document.documentElement.scrollWidth") <= width


ATTACK = """async (address) => {
  const post = { method: "POST", mode: "no-cors", credentials: "include" };
  const attempts = [
    fetch(address + "/studio/state"),
    fetch(address + "/studio/state", { mode: "no-cors" }),
    fetch(address + "/studio/undo", post),
    fetch(address + "/studio/pictures?class_name=a&name=evil.png", { ...post, body: "x" }),
    fetch(address + "/studio/classes/remove", { ...post, body: '{"name": "a"}' }),
    fetch(address + "/studio/sources", { ...post, body: '{"source": "digits"}' }),
  ];
  const image = new Image();
  image.src = address + "/studio/thumbnail?picture=a/1.png";
  await Promise.allSettled([...attempts, image.decode()]);
  navigator.sendBeacon(address + "/studio/undo", "x");
  const first = await attempts[0].then(() => "read", (error) => error.name);
  return [first, image.naturalWidth];
}"""


def test_a_page_of_another_origin_gets_nothing(run_studio, open_page, picture, tmp_path, browser):
    """Another port of this computer is another origin, as any other server is."""
    (tmp_path / "other").mkdir()
    with (
        run_studio(tmp_path / "photos") as ours,
        run_studio(tmp_path / "other" / "evil") as theirs,
    ):
        page = open_page(ours)
        make_class(page, "a")
        give_files(page, "a", [("1.png", picture(1))])
        wait_for_count(page, 1)
        evil = browser.new_page(bypass_csp=True)
        evil.goto(theirs)
        assert evil.evaluate(ATTACK, ours) == ["TypeError", 0]
        evil.wait_for_timeout(500)
        rebound = ours.replace("127.0.0.1", "rebound.test")
        assert evil.goto(rebound).status == 421
        evil.close()
        assert listing(tmp_path) == ["a/1.png"]
        assert (tmp_path / "photos" / "a" / "1.png").read_bytes() == picture(1)
        page.click("#undo")  # The latest change is still the picture.
        wait_for_count(page, 0)
