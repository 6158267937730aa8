"""The Open Inference Protocol, version 2, over HTTP.

Source: https://github.com/kserve/open-inference-protocol, "HTTP/REST".
"""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from clearcnn.version import __version__
from clearcnn.web import schemas
from clearcnn.web.disconnects import while_client_waits
from clearcnn.web.drain import Drain
from clearcnn.web.http_errors import Refusal
from clearcnn.web.metrics import Metrics
from clearcnn.web.run_watcher import RunWatcher
from clearcnn.web.served_runs import ServedRun
from clearcnn.web.settings import ServeSettings
from clearcnn.web.tensors import (
    DATATYPES,
    INPUT_NAME,
    OUTPUT_NAME,
    InferRequest,
    read_request,
    write_response,
)
from clearcnn.web.work_estimate import QUICK_SECONDS, estimate_reading
from clearcnn.web.workers import Work, Workers

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

VERSION = "1"
"""The only version of every model: a new run replaces the old one."""

LENGTH_HEADER = "Inference-Header-Content-Length"

_LENGTH_PARAMETER = {
    "name": LENGTH_HEADER,
    "in": "header",
    "required": False,
    "description": "Bytes of the JSON before binary tensor data.",
    "schema": {"type": "string", "pattern": "^[0-9]{1,9}$"},
}
_INFER_CONTENT = {
    **schemas.json_content(schemas.INFER_RESPONSE),
    "application/octet-stream": {"schema": schemas.BYTES},
}


def make_inference_router(
    watcher: RunWatcher,
    workers: Workers,
    metrics: Metrics,
    settings: ServeSettings,
    drain: Drain,
) -> APIRouter:
    """Make the endpoints under /v2.

    Args:
      watcher: provides the models.
      workers: whose threads work.
      metrics: to count in.
      settings: with `max_json_bytes`.
      drain: while it is on, nothing is ready.
    """
    first = watcher.first
    router = APIRouter(prefix="/v2", tags=["Open Inference Protocol"])
    Name = Annotated[str, Path(json_schema_extra=schemas.name_schema(watcher.names))]  # noqa: N806
    Version = Annotated[str, Path(json_schema_extra={"const": VERSION})]  # noqa: N806

    def get(path: str, answer: schemas.Schema, *more: int) -> Decorator:
        content = schemas.json_content(answer)
        return router.get(path, responses=schemas.describe_responses(content, *more))

    @get("", schemas.describe_object(name=schemas.TEXT, version=schemas.TEXT))
    async def server_metadata() -> JSONResponse:
        """Name, version and extensions of the server."""
        extensions = ["binary_tensor_data"]
        values = {"name": "clearcnn", "version": __version__, "extensions": extensions}
        return JSONResponse(values)

    @get("/health/live", schemas.describe_object(live=schemas.YES_OR_NO))
    async def is_live() -> JSONResponse:
        """Whether the server lives."""
        return JSONResponse({"live": True})

    def get_ready(path: str, answer: schemas.Schema, *more: int) -> Decorator:
        content = schemas.json_content(answer)
        responses = schemas.describe_responses(content, *more)
        responses[503] = {"description": "The server is about to end.", "content": content}
        return router.get(path, responses=responses)

    def say_ready(**values: str) -> JSONResponse:
        return JSONResponse({**values, "ready": not drain.is_on}, 503 if drain.is_on else 200)

    @get_ready("/health/ready", schemas.describe_object(ready=schemas.YES_OR_NO))
    async def is_ready() -> JSONResponse:
        """Whether the server takes requests: all models are loaded before it listens."""
        return say_ready()

    @get("/models/{model}", schemas.MODEL_METADATA, 404)
    async def model_metadata(model: Name) -> JSONResponse:
        """What a model takes and gives."""
        return JSONResponse(_describe(watcher.get(model)))

    @get("/models/{model}/versions/{version}", schemas.MODEL_METADATA, 404)
    async def version_metadata(model: Name, version: Version) -> JSONResponse:
        """What a model takes and gives."""
        _check_version(version)
        return JSONResponse(_describe(watcher.get(model)))

    readiness = schemas.describe_object(name=schemas.TEXT, ready=schemas.YES_OR_NO)

    @get_ready("/models/{model}/ready", readiness, 404)
    async def is_model_ready(model: Name) -> JSONResponse:
        """Whether a model takes requests."""
        return say_ready(name=watcher.get(model).name)

    @get_ready("/models/{model}/versions/{version}/ready", readiness, 404)
    async def is_version_ready(model: Name, version: Version) -> JSONResponse:
        """Whether a model takes requests."""
        _check_version(version)
        return say_ready(name=watcher.get(model).name)

    async def infer(model: str, request: Request) -> Response:
        served, body = watcher.get(model), await request.body()
        header_length = _read_length(request.headers.get(LENGTH_HEADER))

        def work() -> Work[tuple[InferRequest, bytes, int | None]]:
            if (seconds := estimate_reading(len(body))) > QUICK_SECONDS:
                yield seconds
            asked = read_request(
                body,
                header_length,
                shape=served.shape,
                dtype=served.dtype,
                max_json_bytes=settings.max_json_bytes,
                most_images=served.most_images,
            )
            served.check_values(asked.images)
            probabilities = yield from served.predict(asked.images)
            return asked, *write_response(asked, served.name, VERSION, probabilities)

        async with while_client_waits(request.receive):
            asked, content, json_length = await workers.run(work())
        metrics.images.labels(served.name).inc(len(asked.images))
        request.scope["clearcnn.fields"] = {"model": served.name, "images": len(asked.images)}
        if json_length is None:
            return Response(content, media_type="application/json")
        headers = {LENGTH_HEADER: str(json_length)}
        return Response(content, media_type="application/octet-stream", headers=headers)

    post: dict[str, Any] = {
        "responses": schemas.describe_responses(_INFER_CONTENT, 404, 503),
        "openapi_extra": {
            "parameters": [_LENGTH_PARAMETER],
            "requestBody": schemas.describe_infer_body(DATATYPES[first.dtype.name], first.shape),
        },
    }

    @router.post("/models/{model}/infer", **post)
    async def infer_model(model: Name, request: Request) -> Response:
        """Give the probabilities of every class for a tensor of images."""
        return await infer(model, request)

    @router.post("/models/{model}/versions/{version}/infer", **post)
    async def infer_version(model: Name, version: Version, request: Request) -> Response:
        """Give the probabilities of every class for a tensor of images."""
        _check_version(version)
        return await infer(model, request)

    return router


def _describe(model: ServedRun) -> dict[str, Any]:
    contract = model.manifest.input
    return {
        "name": model.name,
        "versions": [VERSION],
        "platform": "onnxruntime_onnx",
        "inputs": [
            {
                "name": INPUT_NAME,
                "datatype": DATATYPES[model.dtype.name],
                "shape": [-1, *model.shape],
            }
        ],
        "outputs": [
            {"name": OUTPUT_NAME, "datatype": "FP32", "shape": [-1, len(model.class_names)]}
        ],
        "parameters": {
            "class_names": list(model.class_names),
            "value_range": list(contract.value_range),
            "created": model.manifest.created,
        },
    }


def _check_version(version: str) -> None:
    if version != VERSION:
        raise Refusal(
            404, f"There is no version {version!r} of a model.", remedy=f"Ask for {VERSION}."
        )


def _read_length(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise Refusal(
            400,
            f"{LENGTH_HEADER} is {text[:40]!r}, which is no number of bytes.",
            remedy="Give the number of bytes of the JSON at the body's beginning.",
        )
    return int(text)
