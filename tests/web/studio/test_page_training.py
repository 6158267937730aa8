"""Training in the studio, in a real browser."""

import json
import re

import pytest
from tests.web.studio.page_actions import (
    find_serious,
    give_files,
    listing,
    make_class,
    train,
    wait_for_count,
)

pytestmark = pytest.mark.browser


def test_from_a_mistake_to_its_neighbours_and_back(address, open_page, picture, tmp_path):
    page = open_page(address, locale="ko")
    for name in "ab":
        make_class(page, name)
    # No model can tell these classes apart.
    give_files(page, "a", [(f"{k}.png", picture(k)) for k in range(20)])
    wait_for_count(page, 20)
    give_files(page, "b", [(f"{k}.png", picture(k)) for k in range(20, 40)])
    wait_for_count(page, 40)
    page.click('[data-step="train"]')
    page.wait_for_selector("#estimate:has-text('이 컴퓨터에서 측정한 값입니다')")
    train(page, seed=1)
    page.wait_for_selector("#estimate:has-text('지난 시도의 속도로')")
    (run,) = (tmp_path / "runs").iterdir()
    assert '<html lang="ko">' in (run / "report.html").read_text("utf-8")[:300]
    tested = json.loads((run / "metrics.json").read_text("utf-8"))["test"]["mistakes"]
    page.click(".mistakes button >> nth=0")
    page.wait_for_selector(".neighbours li")
    assert find_serious(page) == []
    assert tested[0]["name"] in page.inner_text("#mistake")
    card = page.locator(".neighbours select").first
    near = card.get_attribute("data-act")
    assert near in listing(tmp_path)
    before, other = ("a", "b") if near.startswith("a") else ("b", "a")
    card.select_option(other)
    page.wait_for_selector(f'.neighbours select[data-act^="{other}/"]:focus')
    after = listing(tmp_path)
    assert near not in after and len([name for name in after if name.startswith(before)]) == 19
    page.click("#undo")
    wait_for_count(page, 40)
    page.click('[data-act="toMistakes"]')
    page.wait_for_selector("#result .mistakes button")


def test_a_file_that_cannot_be_read_is_marked_and_found(address, open_page, picture, tmp_path):
    for name in "ab":
        (tmp_path / "photos" / name).mkdir()
        for k in range(6):
            (tmp_path / "photos" / name / f"{k}.png").write_bytes(picture(k))
    (tmp_path / "photos" / "b" / "broken.png").write_bytes(b"nothing")
    page = open_page(address, step="train")
    wait_for_count(page, 13)
    page.click("#start-train")
    page.wait_for_selector("#problem:has-text('b/broken.png cannot be read')")
    page.click("#problem button")
    page.wait_for_selector('.unreadable[data-picture="b/broken.png"]:has-text("Cannot be read")')
    page.wait_for_selector('[data-picture="b/broken.png"]:focus')
    page.keyboard.press("Delete")
    wait_for_count(page, 12)
    train(page, seed=1)


def test_a_training_within_a_time_limit(address, open_page, picture, tmp_path):
    page = open_page(address)
    for channel, name in enumerate("ab"):
        make_class(page, name)
        give_files(page, name, [(f"{k}.png", picture(k, channel)) for k in range(12)])
        wait_for_count(page, 12 * (channel + 1))
    page.click('[data-step="train"]')
    page.fill("#most-epochs", "7")
    page.select_option("#budget", "300")
    assert page.is_disabled("#most-epochs")
    assert page.inner_text("#estimate") == "The number of epochs follows from the time limit."
    page.click("#start-train")
    page.wait_for_selector('body[data-attempts="1"]')
    page.wait_for_selector("#result .headline")
    (run,) = (tmp_path / "runs").iterdir()
    metrics = json.loads((run / "metrics.json").read_text("utf-8"))
    epochs, trained = metrics["train"]["epochs"], len(metrics["history"]["metrics"]["loss"])
    assert epochs != 7 and 2 <= trained <= epochs
    assert sum(metrics["seconds"].values()) <= 300
    # The page says what fits into it, and the report has a command that gives the same again.
    assert re.match(rf"{epochs} epochs of \d+ images, about ", page.inner_text("#train-plan"))
    report = (run / "report.html").read_text("utf-8")
    assert re.search(rf"clearcnn train [^<]*--epochs {epochs}\b", report)
    assert "--budget" not in report
    page.click("[data-language=ko]")
    page.wait_for_selector(f"#train-plan:has-text('에포크 {epochs}번')")
    assert "학습, 테스트, 저장을 마쳤습니다" in page.inner_text("#train-status")
    page.click('[data-step="improve"]')
    assert str(trained) in page.inner_text("table.attempts tbody td:nth-child(3)")
