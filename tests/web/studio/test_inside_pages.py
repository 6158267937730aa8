"""The pages of a studio's runs are made when they are asked for, and given up again."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

from fastapi import FastAPI
from fastapi.testclient import TestClient

from clearcnn.web.app import add_refusals
from clearcnn.web.inside_pages import InsidePages
from clearcnn.web.workers import Workers


def test_pages_that_nobody_uses_are_given_up_and_made_again(digits_run, tmp_path):
    names = [f"run {k}" for k in range(6)]
    for name in names:
        shutil.copytree(digits_run, tmp_path / name)
    workers = Workers(1, 10)
    pages = InsidePages(tmp_path.__truediv__, workers)
    app = FastAPI()
    app.mount("/inside/{run}", pages)
    before = count_threads()
    with TestClient(app, base_url="http://localhost", client=("127.0.0.1", 5)) as client:
        for name in [*names, *names[:2]]:
            found = client.get(f"/inside/{name}/page/models")
            assert found.json()["models"] == [name]
            assert client.get(f"/inside/{name}/page/models/{name}").json()["class_names"][9] == "9"
            assert client.get(f"/inside/{name}/").text.startswith("<!doctype html>")
        assert 1 <= count_threads() - before <= 3 * 2
        pages.close()
        assert count_threads() == before
    workers.close()


class SlowPages(InsidePages):
    """Makes the page of the run "slow" only when `may_go` is set."""

    has_begun, may_go = threading.Event(), threading.Event()

    def _make(self, folder):
        if folder.name == "slow":
            self.has_begun.set()
            self.may_go.wait(60)
        return super()._make(folder)


def test_a_page_answers_while_another_one_is_made(digits_run, tmp_path):
    for name in ("quick", "slow"):
        shutil.copytree(digits_run, tmp_path / name)
    workers = Workers(1, 10)
    pages = SlowPages(tmp_path.__truediv__, workers)
    app = FastAPI()
    app.mount("/inside/{run}", pages)
    with (
        TestClient(app, base_url="http://localhost", client=("127.0.0.1", 5)) as client,
        ThreadPoolExecutor(1) as threads,
    ):
        assert client.get("/inside/quick/page/models").status_code == 200
        waiting = threads.submit(client.get, "/inside/slow/page/models")
        assert pages.has_begun.wait(60)
        assert client.get("/inside/quick/page/models").status_code == 200
        assert not waiting.done()
        pages.may_go.set()
        assert waiting.result().json()["models"] == ["slow"]
        pages.close()
    workers.close()


def test_nothing_is_looked_up_for_another_computer(tmp_path):
    asked = []
    workers = Workers(1, 10)
    pages = InsidePages(asked.append, workers)
    app = FastAPI()
    app.mount("/inside/{run}", pages)
    add_refusals(app)
    forwarded = {"X-Forwarded-For": "203.0.113.9"}
    with TestClient(app, base_url="http://localhost", client=("127.0.0.1", 5)) as client:
        assert client.get("/inside/none/page/models", headers=forwarded).status_code == 403
    assert asked == []
    workers.close()


def count_threads():
    return sum(each.name.startswith("clearcnn-page") for each in threading.enumerate())
