"""The workshop, as people use it."""

import pytest

pytestmark = pytest.mark.browser


def test_the_workshop_trains_and_compares(open_page, draw):
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
    draw(page)
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
