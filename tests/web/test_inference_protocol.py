"""The Open Inference Protocol, as its specification states it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from numpy.testing import assert_allclose

from clearcnn.bundle import read_bundle
from clearcnn.models import count_operations
from clearcnn.web import work_estimate

INFER = "/v2/models/digits/infer"
LENGTH = "Inference-Header-Content-Length"


def tensor(images: Any, **changes: Any) -> dict[str, Any]:
    values = {"name": "images", "datatype": "UINT8", "shape": list(images.shape)}
    return {**values, "data": images.ravel().tolist(), **changes}


def binary_request(images: Any, **more: Any) -> tuple[bytes, dict[str, str]]:
    content = images.tobytes()
    described = tensor(images, parameters={"binary_data_size": len(content)})
    del described["data"]
    text = json.dumps({"inputs": [described], **more}).encode()
    return text + content, {LENGTH: str(len(text))}


def read_binary(answer: Any) -> tuple[dict[str, Any], Any]:
    assert answer.status_code == 200, answer.text
    length = int(answer.headers[LENGTH])
    values = json.loads(answer.content[:length])
    (output,) = values["outputs"]
    content = answer.content[length:]
    assert output["parameters"]["binary_data_size"] == len(content)
    return values, np.frombuffer(content, "<f4").reshape(output["shape"])


def test_a_server_and_its_models_describe_themselves(client: TestClient) -> None:
    assert client.get("/v2").json()["name"] == "clearcnn"
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    assert client.get("/v2/models/colours/ready").json() == {"name": "colours", "ready": True}
    for path in ("/v2/models/colours", "/v2/models/colours/versions/1"):
        about = client.get(path).json()
        assert about["inputs"] == [{"name": "images", "datatype": "FP32", "shape": [-1, 10, 12, 3]}]
        assert about["outputs"] == [{"name": "probabilities", "datatype": "FP32", "shape": [-1, 3]}]
        assert sorted(about["parameters"]["class_names"]) == ["b", "g", "r"]


def test_numbers_in_and_out(
    client: TestClient, digits: Any, digits_run: Path, ask_onnx: Any
) -> None:
    images = digits[:70]  # More than one batch.
    for data in (images.ravel().tolist(), images.tolist()):
        answer = client.post(INFER, json={"id": "a", "inputs": [tensor(images, data=data)]}).json()
        assert (answer["model_name"], answer["model_version"]) == ("digits", "1")
        assert answer["id"] == "a"
        (output,) = answer["outputs"]
        assert output["shape"] == [70, 10]
        found = np.array(output["data"]).reshape(70, 10)
        assert_allclose(found, ask_onnx(digits_run, images), atol=1e-6)


@pytest.mark.parametrize(
    "more",
    [
        {"parameters": {"binary_data_output": True}},
        {"outputs": [{"name": "probabilities", "parameters": {"binary_data": True}}]},
        {"outputs": [{"name": "probabilities"}], "parameters": {"binary_data_output": True}},
    ],
)
def test_bytes_in_and_out(
    client: TestClient, digits: Any, digits_run: Path, ask_onnx: Any, more: dict[str, Any]
) -> None:
    body, headers = binary_request(digits[:3], **more)
    values, found = read_binary(client.post(INFER, content=body, headers=headers))
    assert "id" not in values
    assert_allclose(found, ask_onnx(digits_run, digits[:3]), atol=1e-6)


def test_floats_in_colour(client: TestClient, colours_run: Path, ask_onnx: Any) -> None:
    images = np.random.default_rng(1).uniform(0, 1, (4, 10, 12, 3)).astype(np.float32)
    expected = ask_onnx(colours_run, images)
    path = "/v2/models/colours/versions/1/infer"
    numbers = client.post(path, json={"inputs": [tensor(images, datatype="FP32")]}).json()
    assert_allclose(np.reshape(numbers["outputs"][0]["data"], (4, 3)), expected, atol=1e-6)
    body, headers = binary_request(images)
    body = body.replace(b'"UINT8"', b'"FP32"')
    headers[LENGTH] = str(int(headers[LENGTH]) - 1)
    answer = client.post(path, content=body, headers=headers).json()
    assert_allclose(np.reshape(answer["outputs"][0]["data"], (4, 3)), expected, atol=1e-6)


def test_doubles_are_taken_where_the_model_takes_floats(
    client: TestClient, colours_run: Path, ask_onnx: Any
) -> None:
    images = np.random.default_rng(1).uniform(0, 1, (4, 10, 12, 3))
    expected = ask_onnx(colours_run, images.astype(np.float32))
    path = "/v2/models/colours/versions/1/infer"
    numbers = client.post(path, json={"inputs": [tensor(images, datatype="FP64")]}).json()
    body, headers = binary_request(images)
    body = body.replace(b'"UINT8"', b'"FP64"')
    headers[LENGTH] = str(int(headers[LENGTH]) - 1)
    for answer in (numbers, client.post(path, content=body, headers=headers).json()):
        assert_allclose(np.reshape(answer["outputs"][0]["data"], (4, 3)), expected, atol=1e-6)
    images[0, 0, 0, 0] = 1e300
    answer = client.post(path, json={"inputs": [tensor(images, datatype="FP64")]})
    assert (answer.status_code, "NaN or infinite" in answer.text) == (400, True)


ONE = np.zeros((1, 8, 8, 1), np.uint8)
GOOD = tensor(ONE)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "exactly one input"),
        ({"inputs": []}, "exactly one input"),
        ({"inputs": [GOOD, GOOD]}, "exactly one input"),
        ([], "not an object"),
        ({"inputs": [{**GOOD, "name": "x"}]}, 'named "x"'),
        ({"inputs": [{**GOOD, "datatype": "FP32"}]}, "takes UINT8"),
        ({"inputs": [{**GOOD, "shape": [1, 8, 8]}]}, "The shape is"),
        ({"inputs": [{**GOOD, "shape": [0, 8, 8, 1], "data": []}]}, "at least 1"),
        ({"inputs": [{**GOOD, "shape": [True, 8, 8, 1]}]}, "The shape is"),
        ({"inputs": [{**GOOD, "shape": "x" * 500}]}, "The shape is"),
        ({"inputs": [{**GOOD, "shape": [2, 8, 8, 1]}]}, "64 values"),
        ({"inputs": [{**GOOD, "data": [0] * 63}]}, "63 values"),
        ({"inputs": [{**GOOD, "data": [0] * 63 + [True]}]}, "bool"),
        ({"inputs": [{**GOOD, "data": ["0"] * 64}]}, "str"),
        ({"inputs": [{**GOOD, "data": [[0] * 32, 5]}]}, "mixes"),
        ({"inputs": [{**GOOD, "data": [0.5] * 64}]}, "fractions"),
        ({"inputs": [{**GOOD, "data": [-1] * 64}]}, "outside 0 to 255"),
        ({"inputs": [{**GOOD, "data": [256] * 64}]}, "outside 0 to 255"),
        ({"inputs": [{**GOOD, "data": [17] * 64}]}, "from 17 to 17"),
        ({"inputs": [{**GOOD, "parameters": {"binary_data_size": 64}}]}, "both"),
        ({"inputs": [{**GOOD, "parameters": {"shared_memory_region": "x"}}]}, "parameters"),
        ({"inputs": [GOOD], "outputs": [{"name": "logits"}]}, "no output"),
        ({"inputs": [GOOD], "outputs": [{}, {}]}, "not a list of one"),
        ({"inputs": [GOOD], "parameters": []}, "not an object"),
        ({"inputs": [GOOD], "parameters": {"binary_data_output": 1}}, "true or false"),
        (
            {
                "inputs": [GOOD],
                "outputs": [{"name": "probabilities", "parameters": {"classification": 3}}],
            },
            "classification is not supported",
        ),
        ({"inputs": [GOOD], "id": 7}, "id is not a string"),
    ],
)
def test_what_contradicts_itself_is_refused(client: TestClient, values: Any, words: str) -> None:
    answer = client.post(INFER, json=values)
    assert answer.status_code == 400, answer.text
    assert list(answer.json()) == ["error"]
    assert words in answer.json()["error"]
    assert len(answer.json()["error"]) < 400


@pytest.mark.parametrize("count", [4097, 10**9, 10**30])
def test_only_so_many_images_are_taken(client: TestClient, count: int) -> None:
    answer = client.post(INFER, json={"inputs": [{**GOOD, "shape": [count, 8, 8, 1]}]})
    assert answer.status_code == 413


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_finite_number_is_refused(client: TestClient, word: str) -> None:
    zeros = ",".join([word, *["0"] * 359])
    text = (
        '{"inputs": [{"name": "images", "datatype": "FP32", "shape": [1, 10, 12, 3], '
        f'"data": [{zeros}]}}]}}'
    )
    answer = client.post("/v2/models/colours/infer", content=text)
    assert answer.status_code == 400
    assert "not a JSON number" in answer.text or "NaN or infinite" in answer.text


def test_nan_in_bytes_is_refused(client: TestClient) -> None:
    images = np.full((1, 10, 12, 3), np.nan, np.float32)
    body, headers = binary_request(images)
    body = body.replace(b'"UINT8"', b'"FP32"')
    headers[LENGTH] = str(int(headers[LENGTH]) - 1)
    answer = client.post("/v2/models/colours/infer", content=body, headers=headers)
    assert (answer.status_code, "NaN" in answer.text) == (400, True)


@pytest.mark.parametrize("length", ["-1", "9999999", "1e3", "10000000000", "x"])
def test_a_length_that_cannot_be_is_refused(client: TestClient, length: str) -> None:
    answer = client.post(INFER, json={"inputs": [GOOD]}, headers={LENGTH: length})
    assert answer.status_code == 400
    assert LENGTH in answer.json()["error"]


@pytest.mark.parametrize("change", [b"", b"x"])
def test_bytes_that_do_not_fit_their_size_are_refused(client: TestClient, change: bytes) -> None:
    body, headers = binary_request(ONE)
    body = body + change if change else body[:-1]
    answer = client.post(INFER, content=body, headers=headers)
    assert answer.status_code == 400
    assert "needs 64 bytes" in answer.json()["error"]


def test_bytes_that_belong_to_no_input_are_refused(client: TestClient) -> None:
    text = json.dumps({"inputs": [GOOD]}).encode()
    answer = client.post(INFER, content=text + b"more", headers={LENGTH: str(len(text))})
    assert (answer.status_code, "4 bytes follow" in answer.text) == (400, True)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[" * 100_000, b'{"inputs": ' + b"[" * 9999])
def test_what_is_no_json_is_refused(client: TestClient, text: bytes) -> None:
    answer = client.post(INFER, content=text)
    assert answer.status_code == 400
    assert "The body cannot be read: it is n" in answer.json()["error"]


def test_only_so_much_json_is_parsed(make_client: Callable[..., TestClient]) -> None:
    client = make_client(max_json_bytes=200)
    assert client.post(INFER, json={"inputs": [GOOD]}).status_code == 413
    body, headers = binary_request(ONE)
    assert client.post(INFER, content=body, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/models/nobody", 404),
        ("GET", "/v2/models/nobody/ready", 404),
        ("POST", "/v2/models/nobody/infer", 404),
        ("GET", "/v2/models/digits/versions/2", 404),
        ("POST", "/v2/models/digits/versions/2/infer", 404),
        ("GET", "/v2/models/digits/config", 404),
        ("GET", "/no/such/path", 404),
        ("GET", INFER, 405),
        ("DELETE", "/v2", 405),
    ],
)
def test_every_refusal_is_an_error_in_json(
    client: TestClient, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["error"]


def test_a_slow_model_takes_fewer_images_and_lets_others_go_first(
    make_client: Callable[..., TestClient],
    digits: Any,
    digits_run: Path,
    ask_onnx: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = read_bundle(digits_run).manifest.model
    operations = count_operations(model, (8, 8, 1))
    monkeypatch.setattr(
        work_estimate, "_OPERATIONS_A_SECOND", 2.0 * operations
    )  # Two images a second.
    client = make_client()
    answer = client.post(INFER, json={"inputs": [tensor(digits[:60])]})
    (output,) = answer.json()["outputs"]
    found = np.reshape(output["data"], output["shape"])
    assert_allclose(found, ask_onnx(digits_run, digits[:60]), atol=1e-6)
    too_many = client.post(INFER, json={"inputs": [tensor(digits[:61])]})
    assert too_many.status_code == 413
    assert "61 images; at most 60 are taken at once" in too_many.json()["error"]
