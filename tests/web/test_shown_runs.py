"""The runs of the page, when their folders change under it."""

import shutil

import onnx
import pytest
from fastapi import HTTPException
from fastapi.testclient import TestClient

from clearcnn.bundle import read_bundle, write_manifest
from clearcnn.web.app import make_app
from clearcnn.web.shown_runs import ShownRuns


@pytest.fixture
def place(digits_run, tmp_path):
    shutil.copytree(digits_run, tmp_path / "model")
    return tmp_path / "model"


def test_a_run_is_read_once_and_what_was_made_of_it_is_kept(place):
    runs = ShownRuns({"model": place})
    run = runs.find("model")
    assert runs.find("model") is run
    made = [run.make_once("thing", lambda _: object()) for _ in range(2)]
    assert made[0] is made[1]


def test_a_replaced_run_is_read_anew(place, colours_run):
    runs = ShownRuns({"model": place})
    before = runs.find("model")
    place.rename(place.with_name("old"))
    shutil.copytree(colours_run, place)
    after = runs.find("model")
    assert before.bundle.manifest.class_names == tuple("0123456789")
    assert after.bundle.manifest.class_names == ("b", "g", "r")
    assert after.made == {}


@pytest.mark.parametrize("name", ["bundle.json", "model.onnx", "model_layers.onnx"])
def test_a_broken_run_is_a_conflict_that_says_what(place, name):
    (place / name).unlink()
    with pytest.raises(HTTPException) as caught:
        ShownRuns({"model": place}).find("model")
    assert caught.value.status_code == 409
    assert name in caught.value.detail


def seal(place, name, content):
    """Give one file another content, and a hash that fits."""
    (place / name).write_bytes(content)
    write_manifest(place, read_bundle(place, only=()).manifest)


def test_a_run_whose_score_is_not_as_clearcnn_writes_it_is_a_conflict(place):
    seal(place, "metrics.json", b"{}")
    with TestClient(make_app([place]), base_url="http://localhost") as client:
        answer = client.get("/page/models/model")
    assert answer.status_code == 409
    assert "metrics.json is damaged: metrics lacks recipe, history, test." in answer.json()["error"]
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
    with pytest.raises(HTTPException, match=r"404.*There is no model 'other'"):
        ShownRuns({"model": place}).find("other")


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
