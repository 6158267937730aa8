"""The page's data of a run, also while its folder changes."""

import asyncio
import shutil
import time

import onnx
import pytest
from fastapi.testclient import TestClient

from clearcnn.bundle import read_bundle, write_manifest
from clearcnn.web import run_watcher
from clearcnn.web.app import make_app
from clearcnn.web.http_errors import Refusal
from clearcnn.web.run_watcher import RunWatcher


@pytest.fixture
def place(digits_run, tmp_path):
    shutil.copytree(digits_run, tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def watch(place):
    watcher = RunWatcher([place])
    yield watcher
    watcher.close()


def test_what_many_ask_for_first_is_made_once(watch, run_loop):
    calls = []

    def make(_):
        calls.append(1)
        time.sleep(0.05)
        return object()

    async def ask():
        return await asyncio.gather(*(watch.get().make_once("thing", make) for _ in range(20)))

    first, later = run_loop(ask()), run_loop(ask())
    assert len(calls) == 1
    assert len({*first, *later}) == 1


def test_a_failure_is_not_kept(watch, run_loop):
    def fail(_):
        raise OSError("gone")

    with pytest.raises(Refusal, match="gone") as caught:
        run_loop(watch.get().make_once("thing", fail))
    assert caught.value.status == 409
    assert run_loop(watch.get().make_once("thing", lambda _: 1)) == 1


def test_the_page_and_predict_change_to_a_new_run_together(place, colours_run, monkeypatch):
    monkeypatch.setattr(run_watcher, "_SECONDS_BETWEEN_CHECKS", 0.0)

    def ask():
        page = client.get("/page/models/model").json()["class_names"]
        return page, client.get("/v2/models/model").json()["parameters"]["class_names"]

    with TestClient(make_app([place]), base_url="http://localhost") as client:
        before = ask()
        assert before[0] == before[1] == list("0123456789")
        place.rename(place.with_name("old"))
        shutil.copytree(colours_run, place)
        latest = time.monotonic() + 20
        while ask() == before:
            assert time.monotonic() < latest
            time.sleep(0.01)
        assert ask() == (["b", "g", "r"], ["b", "g", "r"])


@pytest.mark.parametrize("name", ["metrics.json", "model_layers.onnx"])
def test_a_run_that_lacks_a_file_is_a_conflict_that_says_what(place, name):
    (place / name).unlink()
    path = "/page/models/model" + ("/weights" if name.endswith("onnx") else "")
    with TestClient(make_app([place]), base_url="http://localhost") as client:
        answer = client.get(path)
    assert answer.status_code == 409
    assert name in answer.json()["error"]


def seal(place, name, content):
    """Replace the content of a file, and its hash in the manifest."""
    (place / name).write_bytes(content)
    write_manifest(place, read_bundle(place, only=()).manifest)


def test_a_run_whose_score_is_not_as_clearcnn_writes_it_is_a_conflict(place):
    seal(place, "metrics.json", b"{}")
    with TestClient(make_app([place]), base_url="http://localhost") as client:
        answer = client.get("/page/models/model")
    assert answer.status_code == 409
    assert (
        "metrics.json is damaged: metrics lacks recipe, history, test, seconds."
        in answer.json()["error"]
    )
    assert "\n" not in answer.json()["error"]


def test_files_that_go_while_a_run_is_shown_are_a_conflict(place):
    with TestClient(make_app([place]), base_url="http://localhost") as client:
        assert client.get("/page/models/model").status_code == 200
        (place / "model_layers.onnx").unlink()
        for name in ("weights", "layers.onnx"):
            answer = client.get(f"/page/models/model/{name}")
            assert answer.status_code == 409
            assert "model_layers.onnx" in answer.json()["error"]


def test_an_unknown_name_is_not_found(place):
    with TestClient(make_app([place]), base_url="http://localhost") as client:
        answer = client.get("/page/models/other")
    assert answer.status_code == 404
    assert "There is no model 'other'. Ask for one of: model." in answer.json()["error"]


def keep_elsewhere(content):
    model = onnx.load_from_string(content)
    tensor = max(model.graph.initializer, key=lambda each: len(each.raw_data))
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="secret.txt")
    return model.SerializeToString()


@pytest.mark.parametrize("write", [keep_elsewhere, lambda _: b"\xff" * 20_000, lambda _: b""])
def test_no_file_of_the_working_folder_is_given_out(place, write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.txt").write_bytes(b"secret! " * 10_000)
    seal(place, "model_layers.onnx", write((place / "model_layers.onnx").read_bytes()))
    with TestClient(make_app([place]), base_url="http://localhost") as client:
        for name in ("weights", "layers.onnx"):
            answer = client.get(f"/page/models/model/{name}")
            assert answer.status_code == 409
            assert "model_layers.onnx is damaged" in answer.json()["error"]
            assert b"secret! " not in answer.content
        assert client.get("/page/models/model").status_code == 200


def test_what_the_page_is_given_is_what_was_checked(place):
    expected = (place / "model_layers.onnx").read_bytes()
    with TestClient(make_app([place]), base_url="http://localhost") as client:
        assert client.get("/page/models/model/layers.onnx").content == expected
        (place / "model_layers.onnx").write_bytes(b"another")
        assert client.get("/page/models/model/layers.onnx").content == expected


def test_metrics_that_become_gigabytes_are_a_conflict(place):
    seal(place, "metrics.json", b"[{}" + b",{}" * 3_000_000 + b"]")
    with TestClient(make_app([place]), base_url="http://localhost") as client:
        answer = client.get("/page/models/model")
    assert answer.status_code == 409
    assert "bytes in memory, and at most" in answer.json()["error"]
