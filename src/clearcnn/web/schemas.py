"""What the endpoints take and return, for OpenAPI. The models of responses also write them."""

import math
from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from clearcnn.results.predict import Prediction
from clearcnn.types import JsonObject
from clearcnn.web.tensors import DATATYPES, INPUT_NAME, OUTPUT_NAME, VERSION

Responses: TypeAlias = "dict[int | str, dict[str, object]]"
"""Responses of an endpoint by status, as FastAPI takes them."""

_MOST_EXAMPLE_VALUES = 3_072

_REASONS = {
    400: "The request contradicts itself, or cannot be read.",
    401: "The server requires a token, and the request has none or a wrong one.",
    403: "The request comes from a web page of another origin.",
    404: "There is nothing of that name.",
    405: "The path does not have that method.",
    408: "The body did not arrive in time.",
    413: "The body, its JSON or an image is too large.",
    415: "The body has an unsupported type or encoding.",
    421: "The request is for another host.",
    422: "A parameter is out of range.",
    503: "The server is overloaded; Retry-After says when to try again.",
}

TEXT: JsonObject = {"type": "string"}
BYTES: JsonObject = {"type": "string", "format": "binary"}
_FLAG: JsonObject = {"type": "boolean"}


class ErrorBody(BaseModel):
    """Why a request was rejected, and what to do."""

    model_config = ConfigDict(extra="forbid")

    error: str


class PredictResponse(BaseModel):
    """The response of /predict."""

    model: str
    predictions: list[Prediction]


class ServerMetadata(BaseModel):
    """The server, its version and the protocol extensions it has."""

    name: str = "clearcnn"
    version: str
    extensions: list[str] = ["binary_tensor_data"]


class ServerLive(BaseModel):
    """Whether the server is running."""

    live: bool = True


class ServerReady(BaseModel):
    """Whether the server accepts requests."""

    ready: bool


class ModelReady(ServerReady):
    """Whether a model accepts requests."""

    name: str


class TensorMetadata(BaseModel):
    """A tensor that a model takes or returns; -1 stands for any number of images."""

    name: str
    datatype: str
    shape: list[Annotated[int, Field(ge=-1)]]


class ModelParameters(BaseModel):
    """What else there is to know of a model."""

    class_names: list[str]
    value_range: list[float]
    created: str


class ModelMetadata(BaseModel):
    """What a model takes and returns."""

    name: str
    versions: list[str] = [VERSION]
    platform: str = "onnxruntime_onnx"
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]
    parameters: ModelParameters


class OutputTensor(BaseModel):
    """The probabilities of all classes; `data` is absent if they follow as bytes."""

    name: Literal["probabilities"]
    datatype: Literal["FP32"]
    shape: list[Annotated[int, Field(ge=0)]]
    data: list[Annotated[float, Field(ge=0, le=1)]] = []


class InferResponse(BaseModel):
    """The response to an inference request; `id` is absent if the request had none."""

    model_name: str
    model_version: str
    id: str = ""
    outputs: list[OutputTensor]


_INFER_REQUEST: JsonObject = {
    "type": "object",
    "required": ["inputs"],
    "properties": {
        "id": TEXT,
        "inputs": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["name", "datatype", "shape", "data"],
                "properties": {
                    "name": {"const": INPUT_NAME},
                    "datatype": {"enum": [*sorted(DATATYPES.values())]},
                    "shape": {
                        "type": "array",
                        "items": {"type": "integer", "minimum": 0},
                        "minItems": 4,
                        "maxItems": 4,
                    },
                    "data": {"type": "array", "description": "Flat, or nested as the shape is."},
                },
            },
        },
        "outputs": {
            "type": "array",
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"const": OUTPUT_NAME},
                    "parameters": {"type": "object", "properties": {"binary_data": _FLAG}},
                },
            },
        },
        "parameters": {"type": "object", "properties": {"binary_data_output": _FLAG}},
    },
}


def describe_responses(*more: int, content: JsonObject | None = None) -> Responses:
    """Describe the responses of an endpoint: status 200, and the errors.

    Args:
      more: statuses besides those that every endpoint may return.
      content: media types of status 200 besides the JSON of its response model.
    """
    errors = (400, 401, 403, 408, 413, 415, 421, 422, *more)
    good: dict[str, object] = {"description": "The response."}
    if content is not None:
        good["content"] = content
    return {
        200: good,
        **{
            status: {"description": _REASONS[status], "content": json_content(ErrorBody)}
            for status in sorted(errors)
        },
    }


def json_content(model: type[BaseModel]) -> dict[str, object]:
    """Describe a response that is the JSON of a model, whatever status 200 is."""
    return {"application/json": {"schema": model.model_json_schema()}}


def describe_infer_body(datatype: str, shape: Sequence[int]) -> JsonObject:
    """Describe the body of an inference request.

    Args:
      datatype: that a model takes, for an example.
      shape: of its images, (height, width, channels).
    """
    content: JsonObject = {"schema": _INFER_REQUEST}
    if math.prod(shape) <= _MOST_EXAMPLE_VALUES:
        tensor: JsonObject = {
            "name": INPUT_NAME,
            "datatype": datatype,
            "shape": [1, *shape],
            "data": [0] * math.prod(shape),
        }
        content["example"] = {"inputs": [tensor]}
    return {
        "required": True,
        "content": {"application/json": content, "application/octet-stream": {"schema": BYTES}},
    }


def name_schema(names: Sequence[str]) -> JsonObject:
    """Describe a parameter that is the name of a model."""
    return {"enum": list(names)}
