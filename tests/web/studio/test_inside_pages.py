"""The pages of a studio's runs are made when they are asked for, and given up again."""

import shutil
import threading

from fastapi import FastAPI
from fastapi.testclient import TestClient

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


def count_threads():
    return sum(each.name.startswith("clearcnn-page") for each in threading.enumerate())
