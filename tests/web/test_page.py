"""The page's routes, without a browser."""

import base64
import gzip
import hashlib
import json
import re
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import clearcnn
from clearcnn.bundle import read_bundle
from clearcnn.web import page as page_module
from clearcnn.web.memory_budget import MemoryBudget
from clearcnn.workflows.playground import page_data
from clearcnn.workflows.playground.playground import Playground
from clearcnn.workflows.runs.load_keras_model import load_keras_model

STATIC = Path(page_module.__file__).parent / "static"
TEXTS = [path for path in STATIC.glob("*") if path.suffix in (".js", ".html", ".css", ".svg")]


def test_the_page_forbids_what_it_does_not_need(client):
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'self'; script-src 'self' 'wasm-unsafe-eval';")
    assert "unsafe-inline" not in policy and "'unsafe-eval'" not in policy
    allowed = answer.headers["permissions-policy"].split(", ")
    assert allowed[0] == "camera=(self)"
    assert all(each.endswith("=()") for each in allowed[1:])


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_nothing_is_asked_of_another_server(path):
    text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|//cdn|\bimport\(", text)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_sources_are_short(path):
    assert len(path.read_text("utf-8").splitlines()) <= 400


def test_both_languages_say_the_same_things(client):
    keys = {
        code: re.findall(r'^  "?([\w.]+)"?:', (STATIC / f"{code}.js").read_text("utf-8"), re.M)
        for code in ("en", "ko")
    }
    assert keys["en"] == keys["ko"]
    assert len(set(keys["en"])) == len(keys["en"])
    used = set(re.findall(r'data-t(?:-label)?="([\w.]+)"', (STATIC / "index.html").read_text()))
    assert used <= set(keys["en"])


def test_the_vendored_runtime_is_the_one_it_says(client):
    origin = client.get("/static/vendor/ORIGIN.txt").text
    assert "MIT License" in origin
    stated = dict(re.findall(r"^([0-9a-f]{64})  (\S+)$", origin, re.M)[::-1])
    for digest, name in stated.items():
        served = client.get(f"/static/vendor/{name}").content
        assert hashlib.sha256(served).hexdigest() == digest
    assert len(stated) == 3


def test_assets_are_compressed_and_asked_for_once(client):
    address = "/static/vendor/ort-wasm-simd-threaded.wasm"
    answer = client.get(address)
    assert answer.headers["content-type"] == "application/wasm"
    assert answer.headers["content-encoding"] == "gzip"
    plain = client.get(address, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    stored = (STATIC / "vendor" / "ort-wasm-simd-threaded.wasm.gz").read_bytes()
    assert plain.content == gzip.decompress(stored)
    again = client.get(address, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["nothing.js", "../page.py", "%2e%2e/page.py", "vendor/", ""])
def test_no_other_file_is_served(client, path):
    assert client.get(f"/static/{path}").status_code == 404


def test_a_model_is_described_as_keras_has_it(client, digits_run):
    network = load_keras_model(read_bundle(digits_run))
    answer = client.get("/page/models/digits").json()
    assert answer["class_names"] == list("0123456789")
    layers = answer["network"]["layers"]
    assert [layer["name"] for layer in layers] == [layer.name for layer in network.layers]
    for described, layer in zip(layers, network.layers, strict=True):
        assert described["layer"] == type(layer).__name__
        assert tuple(described["output_shape"]) == layer.output.shape[1:]
        assert tuple(described["input_shape"]) == layer.input.shape[1:]
        assert described["parameters"] == layer.count_params()
    test = json.loads((digits_run / "metrics.json").read_text())["test"]["score"]
    assert answer["test"] == test


def test_a_pad_is_for_grey_figures_on_a_plain_ground(client):
    told = {
        name: client.get(f"/page/models/{name}").json()["is_drawing"]
        for name in ("digits", "colours")
    }
    assert told == {"digits": True, "colours": False}


@pytest.mark.parametrize(
    ("color_mode", "polarity", "expected"),
    [
        ("grayscale", "light_on_dark", True),
        ("grayscale", "dark_on_light", True),
        ("grayscale", "unknown", False),
        ("rgb", "light_on_dark", False),
    ],
)
def test_colour_or_no_plain_ground_is_no_drawing(digits_run, color_mode, polarity, expected):
    run = read_bundle(digits_run)
    shape = (8, 8, 3 if color_mode == "rgb" else 1)
    contract = replace(run.manifest.input, shape=shape, color_mode=color_mode, polarity=polarity)
    assert page_data._is_drawing(contract) is expected


def test_the_pace_is_that_of_the_run(client, digits_run):
    metrics = json.loads((digits_run / "metrics.json").read_text())
    assert client.get("/page/models/digits").json()["pace"] == {
        "seconds": metrics["seconds"]["fit"],
        "epochs": 2,
        "train": metrics["data"]["train"],
        "compile_seconds": metrics["seconds"]["compile"],
    }


def test_weights_are_keras_weights(client, digits_run):
    content = client.get("/page/models/digits/weights").content
    (length,) = struct.unpack("<I", content[:4])
    header = json.loads(content[4 : 4 + length])
    values = np.frombuffer(content[4 + length :], "<f4")
    network = load_keras_model(read_bundle(digits_run))
    entry = header["conv2d_1/kernel"]
    kernel = values[entry["start"] :][: np.prod(entry["shape"])].reshape(entry["shape"])
    np.testing.assert_array_equal(
        kernel, np.asarray(network.layers[0].kernel).transpose(3, 2, 0, 1)
    )
    assert len(values) == network.count_params()


def test_only_what_is_made_for_one_answer_counts_as_held_by_it(client, monkeypatch):
    held = []
    monkeypatch.setattr("clearcnn.web.responses._PIECE_BYTES", 1000)
    monkeypatch.setattr(MemoryBudget, "take", lambda _, share, count: held.append(count) or True)
    sizes = [
        len(client.get(f"/page/models/digits/{name}").content) for name in ("weights", "images")
    ]
    assert min(sizes) > 1000
    # Requests without bodies take nothing.
    assert [count for count in held if count] == sizes[1:]


def test_images_are_those_of_the_test_part(client, digits, digits_run):
    found = client.get("/page/models/digits/images").json()["images"]
    with (digits_run / "predictions.csv").open() as file:
        tested = {int(line.split(",")[0]) for line in list(file)[1:]}
    assert len(found) == 80
    assert [image["label"] for image in found[:10]] == list(range(10))
    for image in found:
        assert image["row"] in tested
        pixels = np.frombuffer(base64.b64decode(image["pixels"]), np.uint8).reshape(8, 8, 1)
        np.testing.assert_array_equal(pixels, digits[image["row"]])


def test_without_the_source_there_are_no_images_but_a_reason(client, colours_run):
    source = colours_run.parent / "colours.npz"
    moved = source.rename(source.with_suffix(".away"))
    try:
        answer = client.get("/page/models/colours/images").json()
    finally:
        moved.rename(source)
    assert answer["images"] == []
    assert "could not be read" in answer["why"]


def test_an_unknown_model_is_404(client):
    for path in ("", "/images", "/weights", "/layers.onnx"):
        answer = client.get(f"/page/models/none{path}")
        assert answer.status_code == 404
        assert "There is no model 'none'" in answer.json()["error"]


def test_the_page_is_no_part_of_the_schema(client):
    assert not [path for path in client.get("/openapi.json").json()["paths"] if "page" in path]


LAYERS = [
    {"layer": "Conv2D", "arguments": {"filters": 4, "kernel_size": 3}},
    {"layer": "Flatten"},
    {"layer": "Dense", "arguments": {"units": 10, "activation": "softmax"}},
]


def test_a_changed_model_is_summed_up(client):
    answer = client.post("/page/playground/check", json={"run": "digits", "layers": LAYERS}).json()
    assert [layer["output_shape"] for layer in answer["layers"]] == [[6, 6, 4], [144], [10]]
    assert answer["parameters"] == 40 + 1450
    assert answer["layers"][0]["receptive_field"] == [3, 3]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"kernel_size": 9}, "Layer 1 (Conv2D on 8×8×1) needs at least 9×9 pixels"),
        ({"filters": "many"}, "Layer 1 (Conv2D on 8×8×1) has filters='many'"),
        ({"filters": 60000, "kernel_size": 1}, "the playground trains up to 5,000,000"),
    ],
)
def test_an_impossible_model_is_explained(client, change, problem):
    layers = [{"layer": "Conv2D", "arguments": LAYERS[0]["arguments"] | change}, *LAYERS[1:]]
    body = {"run": "digits", "layers": layers}
    answer = client.post("/page/playground/check", json=body)
    assert answer.status_code == 200
    assert problem in answer.json()["error"]
    refused = client.post("/page/playground/attempts", json=body | {"epochs": 1})
    assert (refused.status_code, refused.json()) == (422, answer.json())


def test_a_model_is_prepared_only_if_it_can_be_and_for_pages_of_this_server(client, monkeypatch):
    wishes = []
    monkeypatch.setattr(Playground, "prepare", lambda _, run, model, epochs: wishes.append(epochs))
    body = {"run": "digits", "layers": LAYERS, "epochs": 7}
    elsewhere = client.post(
        "/page/playground/prepare", json=body, headers={"Origin": "http://example.com"}
    )
    assert elsewhere.status_code == 403
    assert client.post("/page/playground/prepare", json=body | {"layers": []}).status_code == 422
    assert wishes == []
    assert client.post("/page/playground/prepare", json=body).status_code == 204
    assert wishes == [7]


@pytest.mark.parametrize("route", ["prepare", "attempts"])
def test_epochs_out_of_range_are_refused_alike(client, route):
    body = {"run": "digits", "layers": LAYERS, "epochs": 0}
    answer = client.post(f"/page/playground/{route}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "epochs_range")


def test_attempts_that_are_unknown_are_404(client):
    for method, path in (("GET", "/events"), ("DELETE", ""), ("GET", "/weights")):
        answer = client.request(method, f"/page/playground/attempts/7{path}")
        assert answer.status_code == 404


def test_the_playground_can_be_left_out(make_client):
    without = make_client(playground=False)
    assert without.get("/page/models").json() == {
        "models": ["digits", "colours"],
        "playground": False,
    }
    assert without.post("/page/playground/prepare").status_code == 404


def test_an_image_is_judged_as_predict_judges_it(client, digits, digits_run):
    random = np.random.default_rng(0)
    noise = random.integers(0, 17, (20, 8, 8, 1), dtype=np.uint8)
    images = np.concatenate([digits[:20], noise])
    told = [
        client.post("/page/models/digits/unlike", content=image.tobytes()).json()["is_unlike"]
        for image in images
    ]
    answers = clearcnn.predict(digits_run, images, keep_polarity=True)
    assert told == [each.is_unlike for each in answers]


@pytest.mark.parametrize("content", [b"", b"1" * 63, b"\xff" * 64])
def test_what_is_no_image_of_the_model_is_rejected(client, content):
    assert client.post("/page/models/digits/unlike", content=content).status_code == 400
    assert client.post("/page/models/none/unlike", content=content).status_code == 404
