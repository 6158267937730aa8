"""The sheet of pictures in a real browser, when requests fail and names are used again."""

import pytest
from tests.web.studio.page_actions import give_files, make_class, wait_for_count

pytestmark = pytest.mark.browser


def test_thumbnails_are_asked_for_again_after_a_failed_request(address, open_page, picture):
    page = open_page(address)
    make_class(page, "a")
    refused = []

    def refuse_first(route):
        if refused:
            return route.continue_()
        refused.append(route.request.url)
        return route.abort()

    page.route("**/studio/thumbnails", refuse_first)
    give_files(page, "a", [("1.png", picture(1))])
    wait_for_count(page, 1)
    page.wait_for_selector('[data-picture="a/1.png"] img[src^="data:"]')
    assert len(refused) == 1


def test_a_new_picture_under_the_name_of_a_broken_one_is_not_marked(
    address, open_page, picture, tmp_path
):
    page = open_page(address)
    make_class(page, "a")
    file = tmp_path / "photos" / "a" / "1.png"
    file.write_bytes(b"nothing")
    page.wait_for_selector('[data-picture="a/1.png"].unreadable')
    file.unlink()
    wait_for_count(page, 0)
    give_files(page, "a", [("1.png", picture(1))])
    page.wait_for_selector('[data-picture="a/1.png"] img[src^="data:"]')
    assert page.locator(".unreadable").count() == 0


def test_a_sentence_names_the_picture_whose_whole_name_it_has(address, open_page):
    page = open_page(address)
    found = page.evaluate(
        """async () => {
          const { Folder } = await import("/static/studio/folder.js");
          const folder = new Folder({});
          folder.classes = ["cat", "wildcat"].map((name) => ({ name, pictures: ["1.png"] }));
          return ["wildcat/1.png is damaged", "cat/1.png is damaged", "dog/1.png is damaged"]
            .map((sentence) => folder.findNamed(sentence));
        }"""
    )
    assert found == ["wildcat/1.png", "cat/1.png", None]


def test_the_time_is_measured_again_after_a_request_that_failed(address, open_page, picture):
    page = open_page(address)
    for name in "ab":
        make_class(page, name)
        give_files(page, name, [(f"{k}.png", picture(k)) for k in range(8)])
    wait_for_count(page, 16)
    page.route("**/studio/measure", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        page.click('[data-step="train"]')
    page.unroute("**/studio/measure")
    page.fill("#most-epochs", "3")
    with page.expect_response("**/studio/measure") as answer:
        page.press("#most-epochs", "Tab")
    assert answer.value.status in (202, 422)
