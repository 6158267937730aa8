"""Third-party clients, unchanged, against a real server."""

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def server(tmp_path_factory: Any, digits_run: Path, start: Callable[..., Any]) -> Iterator[Any]:
    with start(tmp_path_factory.mktemp("server"), digits_run) as server:
        yield server


@pytest.fixture(scope="module")
def triton() -> Any:
    return pytest.importorskip("tritonclient.http", reason="tritonclient[http] is not installed")


@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
@pytest.mark.parametrize("binary_out", [True, False, None])
@pytest.mark.parametrize("binary_in", [True, False])
def test_tritonclient(
    server: Any,
    triton: Any,
    digits: Any,
    digits_run: Path,
    ask_onnx: Any,
    binary_in: bool,
    binary_out: bool | None,
    compression: str | None,
) -> None:
    images = digits[:5]
    client = triton.InferenceServerClient(server.url.removeprefix("http://"))
    tensor = triton.InferInput("images", images.shape, "UINT8")
    tensor.set_data_from_numpy(images, binary_data=binary_in)
    outputs = None
    if binary_out is not None:
        outputs = [triton.InferRequestedOutput("probabilities", binary_data=binary_out)]
    answer = client.infer(
        "digits",
        [tensor],
        outputs=outputs,
        request_id="7",
        request_compression_algorithm=compression,
        response_compression_algorithm=compression,
    )
    assert_allclose(answer.as_numpy("probabilities"), ask_onnx(digits_run, images), atol=1e-6)
    assert answer.get_response()["id"] == "7"
    client.close()


def test_tritonclient_learns_what_is_there_and_reads_every_error(server: Any, triton: Any) -> None:
    client = triton.InferenceServerClient(server.url.removeprefix("http://"))
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("digits")
    assert not client.is_model_ready("nobody")
    assert client.get_model_metadata("digits")["inputs"][0]["shape"] == [-1, 8, 8, 1]
    tensor = triton.InferInput("images", [1, 8, 8, 1], "UINT8")
    tensor.set_data_from_numpy(np.full((1, 8, 8, 1), 99, np.uint8))
    for ask, words in (
        (lambda: client.infer("nobody", [tensor]), "There is no model"),
        (lambda: client.infer("digits", [tensor]), "99"),
        (lambda: client.get_model_config("digits"), "Not Found"),
    ):
        with pytest.raises(triton.InferenceServerException, match=words):
            ask()
    client.close()


@pytest.mark.parametrize("binary", [True, False])
def test_kserve(
    run_loop, server: Any, digits: Any, digits_run: Path, ask_onnx: Any, binary: bool
) -> None:
    kserve = pytest.importorskip("kserve", reason="kserve is not installed")
    infer_type = importlib.import_module("kserve.protocol.infer_type")
    images = digits[:5]

    async def play() -> None:
        client = kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v2"))
        assert await client.is_server_live(server.url)
        assert await client.is_server_ready(server.url)
        assert await client.is_model_ready(server.url, "digits")
        tensor = kserve.InferInput("images", list(images.shape), "UINT8")
        tensor.set_data_from_numpy(images, binary_data=binary)
        parameters = {"binary_data": binary}
        wanted = infer_type.RequestedOutput("probabilities", parameters=parameters)
        request = kserve.InferRequest("digits", [tensor], request_outputs=[wanted])
        answer = await client.infer(server.url, request, model_name="digits")
        found = answer.outputs[0].as_numpy()
        assert_allclose(found, ask_onnx(digits_run, images), atol=1e-6)
        await client.close()

    run_loop(play())
