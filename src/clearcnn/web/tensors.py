"""Tensors of the Open Inference Protocol: from a request's bytes to an array, and back.

Source: Open Inference Protocol, version 2, "HTTP/REST"; its extension for binary tensor data as
  NVIDIA's Triton Inference Server describes it.
"""

import json
import math
from dataclasses import dataclass
from itertools import chain
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from clearcnn.bounded_json import JsonError, parse_json
from clearcnn.web.http_errors import Refusal, too_many_images

INPUT_NAME, OUTPUT_NAME = "images", "probabilities"

DATATYPES = {"uint8": "UINT8", "uint16": "UINT16", "float32": "FP32", "float64": "FP64"}

_SEEN_PARAMETERS = {"binary_data_size"}
_MEMORY_FOR_A_BYTE = 64


@dataclass(frozen=True, eq=False)
class InferRequest:
    """What a request asks for.

    Attributes:
      id: to give back; None if there was none.
      images: (n, height, width, channels), n >= 1.
      is_binary: whether the output is wanted as bytes rather than numbers in JSON.
    """

    id: str | None
    images: NDArray[Any]
    is_binary: bool


def read_request(
    body: bytes,
    header_length: int | None,
    *,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    max_json_bytes: int,
    most_images: int,
) -> InferRequest:
    """Read the body of `infer`.

    Args:
      body: JSON, and after it the bytes of binary tensors.
      header_length: bytes of the JSON, as Inference-Header-Content-Length says; None for all.
      shape: (height, width, channels) that the model takes.
      dtype: that it takes.
      max_json_bytes: the most JSON to parse.
      most_images: that the model takes at once.
    Raises:
      Refusal: 400 or 413, with what is wrong.
    """
    if header_length is None:
        header_length = len(body)
    if not 0 <= header_length <= len(body):
        _refuse(
            f"Inference-Header-Content-Length is {header_length}, and the body has {len(body)} "
            "bytes.",
            "Give the number of bytes of the JSON at the body's beginning.",
        )
    values = _parse_json(body[:header_length], max_json_bytes)
    tensor = _find_input(values)
    images = _read_tensor(tensor, body[header_length:], shape, dtype, most_images)
    identity = values.get("id")
    if identity is not None and not isinstance(identity, str):
        _refuse("The id is no text.", 'Write it in quotes, such as "id": "42".')
    return InferRequest(identity, images, _wants_binary(values))


def write_response(
    request: InferRequest, model: str, version: str, probabilities: NDArray[np.float32]
) -> tuple[bytes, int | None]:
    """Write the answer to `infer`.

    Args:
      request: that is answered.
      model, version: that answered.
      probabilities: (n, classes).
    Returns:
      The body, and how many bytes of it are JSON; None if all are.
    """
    output: dict[str, Any] = {
        "name": OUTPUT_NAME,
        "datatype": "FP32",
        "shape": list(probabilities.shape),
    }
    content = b""
    if request.is_binary:
        content = probabilities.astype("<f4").tobytes()
        output["parameters"] = {"binary_data_size": len(content)}
    else:
        output["data"] = probabilities.ravel().tolist()
    values: dict[str, Any] = {"model_name": model, "model_version": version, "outputs": [output]}
    if request.id is not None:
        values["id"] = request.id
    text = json.dumps(values, allow_nan=False).encode()
    return text + content, len(text) if request.is_binary else None


def _parse_json(text: bytes, most: int) -> dict[str, Any]:
    if len(text) > most:
        raise Refusal(
            413,
            f"The JSON has {len(text):,} bytes; at most {most:,} are parsed.",
            remedy="Send the tensor as binary data, or fewer images in one request.",
        )
    try:
        # What `most` bytes can become is what was allowed.
        values = parse_json(
            text, most_memory=_MEMORY_FOR_A_BYTE * most, refuse_constant=_refuse_constant
        )
    except JsonError as error:
        _refuse(f"The body cannot be taken: {error}.", "Send the JSON of an inference request.")
    if not isinstance(values, dict):
        _refuse("The JSON is no object.", 'Send {"inputs": [...]}.')
    return values


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _find_input(values: dict[str, Any]) -> dict[str, Any]:
    inputs = values.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        _refuse(
            "The request has not exactly one input.",
            f'Send {{"inputs": [{{"name": "{INPUT_NAME}", …}}]}}.',
        )
    tensor: dict[str, Any] = inputs[0]
    if tensor.get("name") != INPUT_NAME:
        _refuse(f"The input is called {_short(tensor.get('name'))}.", f'Call it "{INPUT_NAME}".')
    return tensor


def _read_tensor(
    tensor: dict[str, Any],
    content: bytes,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    most_images: int,
) -> NDArray[Any]:
    datatype = DATATYPES[dtype.name]
    sent = dtype
    if dtype == np.float32 and tensor.get("datatype") == "FP64":
        # What clients have who trained on float64, which is stored as float32.
        sent = np.dtype(np.float64)
    elif tensor.get("datatype") != datatype:
        _refuse(
            f"The datatype is {_short(tensor.get('datatype'))}; the model takes {datatype}.",
            f"Convert the images to {datatype}.",
        )
    given = tensor.get("shape")
    if (
        not isinstance(given, list)
        or not all(type(side) is int for side in given)
        or tuple(given[1:]) != shape
        or given[0] < 1
    ):
        wanted = ["n", *shape]
        _refuse(
            f"The shape is {_short(given)}; the model takes [{', '.join(map(str, wanted))}] with n "
            "of at least 1.",
            "Bring the images to that size, or send picture files to /predict.",
        )
    if given[0] > most_images:
        raise too_many_images(given[0], most_images)
    parameters = tensor.get("parameters") or {}
    if not isinstance(parameters, dict) or parameters.keys() - _SEEN_PARAMETERS:
        _refuse(
            f"The input has the parameters {_short(parameters)}; only binary_data_size is known.",
            "Send the data in the request, not through shared memory.",
        )
    if "binary_data_size" in parameters:
        if "data" in tensor:
            _refuse("The input has both data and binary_data_size.", "Send one of them.")
        with np.errstate(over="ignore"):
            images = _read_binary(parameters["binary_data_size"], content, given, sent)
            return _require_finite(images.astype(dtype, copy=False))
    if content:
        _refuse(
            f"{len(content)} bytes follow the JSON, and no input says that they are its own.",
            "Give the input the parameter binary_data_size.",
        )
    return _read_numbers(tensor.get("data"), given, dtype)


def _read_binary(size: Any, content: bytes, shape: list[int], dtype: np.dtype[Any]) -> NDArray[Any]:
    expected = math.prod(shape) * dtype.itemsize
    if type(size) is not int or size != len(content) or size != expected:
        _refuse(
            f"The shape {shape} needs {expected} bytes; binary_data_size is {_short(size)}, and "
            f"{len(content)} bytes follow the JSON.",
            "Send all three alike.",
        )
    return np.frombuffer(content, dtype.newbyteorder("<")).reshape(shape).astype(dtype)


def _read_numbers(data: Any, shape: list[int], dtype: np.dtype[Any]) -> NDArray[Any]:
    values = data if isinstance(data, list) else []
    while values and type(values[0]) is list:
        if any(type(row) is not list for row in values):
            _refuse("The data mixes numbers and lists.", "Send the numbers in one flat list.")
        values = list(chain.from_iterable(values))
    kinds = set(map(type, values))
    if len(values) != math.prod(shape) or kinds - {int, float}:
        _refuse(
            f"The data holds {len(values):,} values, of the kinds "
            f"{', '.join(sorted(kind.__name__ for kind in kinds)) or 'none'}; "
            f"{math.prod(shape):,} numbers were expected for the shape {shape}.",
            "Send one number for each pixel and channel, row by row.",
        )
    if dtype.kind == "u":
        most = int(np.iinfo(dtype).max)
        if float in kinds or not 0 <= min(values) <= max(values) <= most:
            _refuse(
                f"The data holds fractions or values outside 0 to {most}.",
                f"Send whole numbers from 0 to {most}.",
            )
        return np.array(values, dtype).reshape(shape)
    try:
        with np.errstate(over="ignore"):
            return _require_finite(np.array(values, np.float64).astype(dtype).reshape(shape))
    except OverflowError:
        _refuse_infinite()


def _require_finite(images: NDArray[Any]) -> NDArray[Any]:
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        _refuse_infinite()
    return images


def _refuse_infinite() -> NoReturn:
    _refuse("The data holds NaN or infinite values.", "Send finite numbers.")


def _wants_binary(values: dict[str, Any]) -> bool:
    of_all = _parameters(values, "binary_data_output").get("binary_data_output", False)
    outputs = values.get("outputs")
    if outputs is None or outputs == []:
        return _flag(of_all)
    if not isinstance(outputs, list) or len(outputs) != 1 or not isinstance(outputs[0], dict):
        _refuse("The outputs are no list of one.", f'Ask for "{OUTPUT_NAME}", or for none.')
    if outputs[0].get("name") != OUTPUT_NAME:
        _refuse(
            f"The model has no output {_short(outputs[0].get('name'))}.",
            f'Ask for "{OUTPUT_NAME}", or for none.',
        )
    return _flag(_parameters(outputs[0], "binary_data").get("binary_data", of_all))


def _parameters(values: dict[str, Any], known: str) -> dict[str, Any]:
    parameters = values.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        _refuse("The parameters are no object.", f'Send {{"{known}": true}}.')
    # Clients send parameters of their own along; those that ask for another answer are refused.
    unknown = parameters.keys() & {"classification", "shared_memory_region", "sequence_id"}
    if unknown:
        _refuse(
            f"{', '.join(sorted(unknown))} is not offered.",
            "Ask for the probabilities; the model's class names are in its metadata.",
        )
    return parameters


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        _refuse(f"Whether the output is binary is {_short(value)}.", "Say true or false.")
    return value


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."


def _refuse(problem: str, remedy: str) -> NoReturn:
    raise Refusal(400, problem, remedy=remedy)
