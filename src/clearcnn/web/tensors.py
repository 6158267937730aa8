"""Tensors of the Open Inference Protocol: from a request's bytes to an array, and back.

Source: Open Inference Protocol, version 2, "HTTP/REST"; its extension for binary tensor data as
  NVIDIA's Triton Inference Server describes it.
"""

import json
import math
from dataclasses import dataclass
from itertools import chain
from typing import NoReturn, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from clearcnn.bounded_json import JsonError, parse_json
from clearcnn.language import say
from clearcnn.types import JsonObject, JsonValue, Pixels
from clearcnn.web.http_errors import Refusal, too_many_images

INPUT_NAME, OUTPUT_NAME = "images", "probabilities"

VERSION = "1"
"""The only version of every model: a new run replaces the old one."""

DType: TypeAlias = np.dtype[np.generic]

DATATYPES = {"uint8": "UINT8", "uint16": "UINT16", "float32": "FP32", "float64": "FP64"}

_OUTPUT_REMEDY = say('Request "{output_name}", or leave outputs out.', output_name=OUTPUT_NAME)
_KNOWN_PARAMETERS = {"binary_data_size"}
_MEMORY_FOR_A_BYTE = 64


@dataclass(frozen=True, eq=False)
class InferRequest:
    """An inference request.

    Attributes:
      id: returned with the response; None if there was none.
      images: (n, height, width, channels), n >= 1.
      is_binary: whether the output is sent as bytes instead of numbers in JSON.
    """

    id: str | None
    images: Pixels
    is_binary: bool


def read_request(
    body: bytes,
    header_length: int | None,
    *,
    shape: tuple[int, ...],
    dtype: DType,
    max_json_bytes: int,
    most_images: int,
) -> InferRequest:
    """Read the body of `infer`.

    Args:
      body: JSON, followed by the bytes of binary tensors.
      header_length: bytes of the JSON, from Inference-Header-Content-Length; None: all of it.
      shape: (height, width, channels) of the model's input.
      dtype: of the model's input.
      max_json_bytes: the most JSON to parse.
      most_images: the most images in one request.
    Raises:
      Refusal: 400 or 413, the request is invalid or too large.
    """
    if header_length is None:
        header_length = len(body)
    if not 0 <= header_length <= len(body):
        _refuse(
            say(
                "Inference-Header-Content-Length is {header_length}, but the body has "
                "{num_bytes} bytes.",
                header_length=header_length,
                num_bytes=len(body),
            ),
            say("Send the number of bytes of the JSON at the start of the body."),
        )
    values = _parse_json(body[:header_length], max_json_bytes)
    tensor = _find_input(values)
    images = _read_tensor(tensor, body[header_length:], shape, dtype, most_images)
    identity = values.get("id")
    if identity is not None and not isinstance(identity, str):
        _refuse(say("The id is not a string."), say('Write it in quotes, such as "id": "42".'))
    return InferRequest(identity, images, _wants_binary(values))


def write_response(
    request: InferRequest, model: str, version: str, probabilities: NDArray[np.float32]
) -> tuple[bytes, int | None]:
    """Write the response to `infer`.

    Args:
      request: the request.
      model, version: the model that was used.
      probabilities: (n, classes).
    Returns:
      The body, and the number of its bytes that are JSON; None: all of them.
    """
    output: JsonObject = {
        "name": OUTPUT_NAME,
        "datatype": "FP32",
        "shape": list(probabilities.shape),
    }
    content = b""
    if request.is_binary:
        content = probabilities.astype("<f4").tobytes()
        output["parameters"] = {"binary_data_size": len(content)}
    else:
        output["data"] = cast(list[JsonValue], probabilities.ravel().tolist())
    values: JsonObject = {"model_name": model, "model_version": version, "outputs": [output]}
    if request.id is not None:
        values["id"] = request.id
    text = json.dumps(values, allow_nan=False).encode()
    return text + content, len(text) if request.is_binary else None


def _parse_json(text: bytes, most: int) -> JsonObject:
    if len(text) > most:
        raise Refusal(
            413,
            say(
                "The JSON has {num_bytes:,} bytes; at most {most:,} are parsed.",
                num_bytes=len(text),
                most=most,
            ),
            remedy=say("Send the tensor as binary data, or fewer images in one request."),
        )
    try:
        # JSON of the permitted size may need this much memory.
        values = parse_json(
            text, most_memory=_MEMORY_FOR_A_BYTE * most, refuse_constant=_refuse_constant
        )
    except JsonError as error:
        _refuse(
            say("The body cannot be read: {error}.", error=error),
            say("Send the JSON of an inference request."),
        )
    if not isinstance(values, dict):
        _refuse(say("The JSON is not an object."), 'Send {"inputs": [...]}.')
    return values


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a JSON number")


def _find_input(values: JsonObject) -> JsonObject:
    inputs = values.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        _refuse(
            say("The request does not have exactly one input."),
            say('Send {{"inputs": [{{"name": "{input_name}", …}}]}}.', input_name=INPUT_NAME),
        )
    tensor: JsonObject = inputs[0]
    if tensor.get("name") != INPUT_NAME:
        _refuse(
            say("The input is named {name}.", name=_short(tensor.get("name"))),
            say('Name it "{input_name}".', input_name=INPUT_NAME),
        )
    return tensor


def _read_tensor(
    tensor: JsonObject,
    content: bytes,
    shape: tuple[int, ...],
    dtype: DType,
    most_images: int,
) -> Pixels:
    datatype = DATATYPES[dtype.name]
    sent = dtype
    if dtype == np.float32 and tensor.get("datatype") == "FP64":
        # float64 training images are stored as float32, so their clients may send FP64.
        sent = np.dtype(np.float64)
    elif tensor.get("datatype") != datatype:
        _refuse(
            say(
                "The datatype is {found}; the model takes {datatype}.",
                found=_short(tensor.get("datatype")),
                datatype=datatype,
            ),
            say("Convert the images to {datatype}.", datatype=datatype),
        )
    given = _read_shape(tensor.get("shape"), shape, most_images)
    parameters = tensor.get("parameters") or {}
    if not isinstance(parameters, dict) or parameters.keys() - _KNOWN_PARAMETERS:
        _refuse(
            say(
                "The input has the parameters {parameters}; only binary_data_size is supported.",
                parameters=_short(parameters),
            ),
            say("Send the data in the request, not through shared memory."),
        )
    if "binary_data_size" in parameters:
        if "data" in tensor:
            _refuse(say("The input has both data and binary_data_size."), say("Send one of them."))
        with np.errstate(over="ignore"):
            images = _read_binary(parameters["binary_data_size"], content, given, sent)
            return _require_finite(images.astype(dtype, copy=False))
    if content:
        _refuse(
            say(
                "{num_bytes} bytes follow the JSON, but no input has the parameter "
                "binary_data_size.",
                num_bytes=len(content),
            ),
            say("Add the parameter binary_data_size to the input."),
        )
    return _read_numbers(tensor.get("data"), given, dtype)


def _read_shape(given: JsonValue, shape: tuple[int, ...], most_images: int) -> list[int]:
    sides = [side for side in given if type(side) is int] if isinstance(given, list) else []
    if given != sides or tuple(sides[1:]) != shape or sides[0] < 1:
        wanted = ", ".join(map(str, ("n", *shape)))
        _refuse(
            say(
                "The shape is {given}; the model takes [{wanted}] with n of at least 1.",
                given=_short(given),
                wanted=wanted,
            ),
            say("Resize the images, or send image files to /predict."),
        )
    if sides[0] > most_images:
        raise too_many_images(sides[0], most_images)
    return sides


def _read_binary(size: JsonValue, content: bytes, shape: list[int], dtype: DType) -> Pixels:
    expected = math.prod(shape) * dtype.itemsize
    if type(size) is not int or size != len(content) or size != expected:
        _refuse(
            say(
                "The shape {shape} needs {expected} bytes; binary_data_size is {size}, and "
                "{num_bytes} bytes follow the JSON.",
                shape=shape,
                expected=expected,
                size=_short(size),
                num_bytes=len(content),
            ),
            say("Make all three equal."),
        )
    return np.frombuffer(content, dtype.newbyteorder("<")).reshape(shape).astype(dtype)


def _read_numbers(data: JsonValue, shape: list[int], dtype: DType) -> Pixels:
    values = data if isinstance(data, list) else []
    while values and type(values[0]) is list:
        if any(type(row) is not list for row in values):
            _refuse(
                say("The data mixes numbers and lists."), say("Send the numbers in one flat list.")
            )
        values = list(chain.from_iterable(cast(list[list[JsonValue]], values)))
    kinds = set(map(type, values))
    if len(values) != math.prod(shape) or kinds - {int, float}:
        _refuse(
            say(
                "The data holds {num_values:,} values, of the types {types}; {num_expected:,} "
                "numbers were expected for the shape {shape}.",
                num_values=len(values),
                types=", ".join(sorted(kind.__name__ for kind in kinds)) or say("none"),
                num_expected=math.prod(shape),
                shape=shape,
            ),
            say("Send one number for each pixel and channel, row by row."),
        )
    numbers = cast(list[float], values)
    if dtype.kind == "u":
        most = int(np.iinfo(dtype.name).max)
        if float in kinds or not 0 <= min(numbers) <= max(numbers) <= most:
            _refuse(
                say("The data holds fractions or values outside 0 to {most}.", most=most),
                say("Send whole numbers from 0 to {most}.", most=most),
            )
        return np.array(numbers, dtype).reshape(shape)
    try:
        with np.errstate(over="ignore"):
            return _require_finite(np.array(numbers, np.float64).astype(dtype).reshape(shape))
    except OverflowError:
        _refuse_infinite()


def _require_finite(images: Pixels) -> Pixels:
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        _refuse_infinite()
    return images


def _refuse_infinite() -> NoReturn:
    _refuse(say("The data holds NaN or infinite values."), say("Send finite numbers."))


def _wants_binary(values: JsonObject) -> bool:
    of_all = _parameters(values, "binary_data_output").get("binary_data_output", False)
    outputs = values.get("outputs")
    if outputs is None or outputs == []:
        return _flag(of_all)
    if not isinstance(outputs, list) or len(outputs) != 1 or not isinstance(outputs[0], dict):
        _refuse(
            say("The outputs are not a list of one output."),
            _OUTPUT_REMEDY,
        )
    if outputs[0].get("name") != OUTPUT_NAME:
        _refuse(
            say("The model has no output {name}.", name=_short(outputs[0].get("name"))),
            _OUTPUT_REMEDY,
        )
    return _flag(_parameters(outputs[0], "binary_data").get("binary_data", of_all))


def _parameters(values: JsonObject, known: str) -> JsonObject:
    parameters = values.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        _refuse(
            say("The parameters are not an object."), say('Send {{"{known}": true}}.', known=known)
        )
    # Clients add parameters of their own. Only those that ask for another output are rejected.
    unknown = parameters.keys() & {"classification", "shared_memory_region", "sequence_id"}
    if unknown:
        _refuse(
            say("{unknown} is not supported.", unknown=", ".join(sorted(unknown))),
            say("Request the probabilities; the class names are in the model's metadata."),
        )
    return parameters


def _flag(value: JsonValue) -> bool:
    if not isinstance(value, bool):
        _refuse(
            say("The flag for binary output is {value}.", value=_short(value)),
            say("Send true or false."),
        )
    return value


def _short(value: JsonValue) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."


def _refuse(problem: str, remedy: str) -> NoReturn:
    raise Refusal(400, problem, remedy=remedy)
