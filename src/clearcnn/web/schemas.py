"""What the endpoints take and give, for OpenAPI."""

import math
from collections.abc import Sequence
from typing import Any

from clearcnn.web.tensors import DATATYPES, INPUT_NAME, OUTPUT_NAME

Schema = dict[str, Any]

_MOST_EXAMPLE_VALUES = 3_072

_REASONS = {
    400: "The request contradicts itself, or cannot be read.",
    401: "The server asks for a token, and none or another was sent.",
    403: "The request comes from a web page of another origin.",
    404: "There is nothing of that name.",
    405: "The path does not have that method.",
    408: "The body did not arrive in time.",
    413: "The body, its JSON or a picture is too large.",
    415: "The body is of another type or encoding.",
    421: "The request is for another host.",
    422: "A parameter is out of its range.",
    503: "More is asked than the server takes at once; Retry-After says when to come again.",
}

ERROR: Schema = {
    "type": "object",
    "properties": {"error": {"type": "string"}},
    "required": ["error"],
    "additionalProperties": False,
}


def describe_responses(good: Schema, *more: int) -> dict[int | str, Schema]:
    """Responses of an endpoint: the good one, and the refusals it may give.

    Args:
      good: the content of status 200, by media type.
      more: statuses beside those that every endpoint may give.
    """
    refusals = (400, 401, 403, 408, 413, 415, 421, 422, *more)
    return {
        200: {"description": "The answer.", "content": good},
        **{
            status: {
                "description": _REASONS[status],
                "content": {"application/json": {"schema": ERROR}},
            }
            for status in sorted(refusals)
        },
    }


def describe_object(**properties: Schema) -> Schema:
    """A JSON object with these properties, all of them there."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def json_content(schema: Schema) -> Schema:
    """The content of a response that is JSON."""
    return {"application/json": {"schema": schema}}


def array_of(items: Schema) -> Schema:
    """A JSON array."""
    return {"type": "array", "items": items}


TEXT: Schema = {"type": "string"}
YES_OR_NO: Schema = {"type": "boolean"}
BYTES: Schema = {"type": "string", "format": "binary"}
_WHOLE: Schema = {"type": "integer", "minimum": 0}

TENSOR_METADATA = describe_object(
    name=TEXT, datatype=TEXT, shape=array_of({"type": "integer", "minimum": -1})
)

MODEL_METADATA = describe_object(
    name=TEXT,
    versions=array_of(TEXT),
    platform=TEXT,
    inputs=array_of(TENSOR_METADATA),
    outputs=array_of(TENSOR_METADATA),
    parameters={"type": "object"},
)

_INFER_REQUEST: Schema = {
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
                    "datatype": {"enum": sorted(DATATYPES.values())},
                    "shape": {"type": "array", "items": _WHOLE, "minItems": 4, "maxItems": 4},
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
                    "parameters": {
                        "type": "object",
                        "properties": {"binary_data": YES_OR_NO},
                    },
                },
            },
        },
        "parameters": {"type": "object", "properties": {"binary_data_output": YES_OR_NO}},
    },
}

INFER_RESPONSE: Schema = {
    "type": "object",
    "required": ["model_name", "model_version", "outputs"],
    "properties": {
        "model_name": TEXT,
        "model_version": TEXT,
        "id": TEXT,
        "outputs": array_of(
            {
                "type": "object",
                "required": ["name", "datatype", "shape"],
                "properties": {
                    "name": {"const": OUTPUT_NAME},
                    "datatype": {"const": "FP32"},
                    "shape": array_of(_WHOLE),
                    "data": array_of({"type": "number", "minimum": 0, "maximum": 1}),
                },
            }
        ),
    },
}

_CHANCE: Schema = {"type": "number", "minimum": 0, "maximum": 1}

PREDICTIONS = describe_object(
    model=TEXT,
    predictions=array_of(
        describe_object(
            name=TEXT,
            prediction={"type": ["string", "null"]},
            confidence=_CHANCE,
            top=array_of(describe_object(name=TEXT, probability=_CHANCE)),
            abstained=YES_OR_NO,
            is_unlike=YES_OR_NO,
            preparation=array_of(TEXT),
            error={"type": "null"},
        )
    ),
)


def describe_infer_body(datatype: str, shape: Sequence[int]) -> Schema:
    """The body of an inference request.

    Args:
      datatype: that a model takes, for an example.
      shape: of its images, (height, width, channels).
    """
    content: Schema = {"schema": _INFER_REQUEST}
    if math.prod(shape) <= _MOST_EXAMPLE_VALUES:
        tensor = {
            "name": INPUT_NAME,
            "datatype": datatype,
            "shape": [1, *shape],
            "data": [0] * math.prod(shape),
        }
        content["example"] = {"inputs": [tensor]}
    bodies = {"application/json": content, "application/octet-stream": {"schema": BYTES}}
    return {"required": True, "content": bodies}


def name_schema(names: Sequence[str]) -> Schema:
    """A parameter that is the name of a model."""
    return {"enum": list(names)}
