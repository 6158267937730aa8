"""The Open Inference Protocol, version 2, over HTTP.

Source: https://github.com/kserve/open-inference-protocol, "HTTP/REST".
"""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from clearcnn.language import say
from clearcnn.types import JsonObject
from clearcnn.version import __version__
from clearcnn.web import schemas
from clearcnn.web.disconnects import while_client_waits
from clearcnn.web.drain import Drain
from clearcnn.web.http_errors import Refusal
from clearcnn.web.metrics import Metrics
from clearcnn.web.run_watcher import RunWatcher
from clearcnn.web.schemas import (
    InferResponse,
    ModelMetadata,
    ModelParameters,
    ModelReady,
    ServerLive,
    ServerMetadata,
    ServerReady,
    TensorMetadata,
    describe_responses,
)
from clearcnn.web.served_runs import ServedRun
from clearcnn.web.settings import ServeSettings
from clearcnn.web.tensors import (
    DATATYPES,
    INPUT_NAME,
    OUTPUT_NAME,
    VERSION,
    InferRequest,
    read_request,
    write_response,
)
from clearcnn.web.work_estimate import QUICK_SECONDS, estimate_reading
from clearcnn.web.workers import Work, Workers

LENGTH_HEADER = "Inference-Header-Content-Length"

_LENGTH_PARAMETER: JsonObject = {
    "name": LENGTH_HEADER,
    "in": "header",
    "required": False,
    "description": say("Bytes of the JSON before binary tensor data."),
    "schema": {"type": "string", "pattern": "^[0-9]{1,9}$"},
}
_BINARY: JsonObject = {"application/octet-stream": {"schema": schemas.BYTES}}


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

    def ready_responses(model: type[ServerReady], *more: int) -> schemas.Responses:
        content = schemas.json_content(model)
        drains: dict[str, object] = {
            "description": say("The server is shutting down."),
            "content": content,
        }
        return {**describe_responses(*more), 503: drains}

    def say_ready(model: ServerReady) -> JSONResponse:
        return JSONResponse(model.model_dump(), 200 if model.ready else 503)

    def is_serving() -> bool:
        return not drain.is_on

    @router.get("", responses=describe_responses())
    async def server_metadata() -> ServerMetadata:
        """Name, version and extensions of the server."""
        return ServerMetadata(version=__version__)

    @router.get("/health/live", responses=describe_responses())
    async def is_live() -> ServerLive:
        """Whether the server is running."""
        return ServerLive()

    @router.get("/health/ready", response_model=ServerReady, responses=ready_responses(ServerReady))
    async def is_ready() -> JSONResponse:
        """Whether the server accepts requests: all models are loaded before it listens."""
        return say_ready(ServerReady(ready=is_serving()))

    @router.get("/models/{model}", responses=describe_responses(404))
    async def model_metadata(model: Name) -> ModelMetadata:
        """What a model takes and returns."""
        return _describe(watcher.get(model))

    @router.get("/models/{model}/versions/{version}", responses=describe_responses(404))
    async def version_metadata(model: Name, version: Version) -> ModelMetadata:
        """What a model takes and returns."""
        _check_version(version)
        return _describe(watcher.get(model))

    @router.get(
        "/models/{model}/ready",
        response_model=ModelReady,
        responses=ready_responses(ModelReady, 404),
    )
    async def is_model_ready(model: Name) -> JSONResponse:
        """Whether a model accepts requests."""
        return say_ready(ModelReady(name=watcher.get(model).name, ready=is_serving()))

    @router.get(
        "/models/{model}/versions/{version}/ready",
        response_model=ModelReady,
        responses=ready_responses(ModelReady, 404),
    )
    async def is_version_ready(model: Name, version: Version) -> JSONResponse:
        """Whether a model accepts requests."""
        _check_version(version)
        return say_ready(ModelReady(name=watcher.get(model).name, ready=is_serving()))

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

    infer_responses = describe_responses(404, 503, content=_BINARY)
    infer_extra = {
        "parameters": [_LENGTH_PARAMETER],
        "requestBody": schemas.describe_infer_body(DATATYPES[first.dtype.name], first.shape),
    }

    @router.post(
        "/models/{model}/infer",
        response_model=InferResponse,
        responses=infer_responses,
        openapi_extra=infer_extra,
    )
    async def infer_model(model: Name, request: Request) -> Response:
        """Compute the probabilities of every class for a tensor of images."""
        return await infer(model, request)

    @router.post(
        "/models/{model}/versions/{version}/infer",
        response_model=InferResponse,
        responses=infer_responses,
        openapi_extra=infer_extra,
    )
    async def infer_version(model: Name, version: Version, request: Request) -> Response:
        """Compute the probabilities of every class for a tensor of images."""
        _check_version(version)
        return await infer(model, request)

    return router


def _describe(run: ServedRun) -> ModelMetadata:
    return ModelMetadata(
        name=run.name,
        inputs=[
            TensorMetadata(
                name=INPUT_NAME, datatype=DATATYPES[run.dtype.name], shape=[-1, *run.shape]
            )
        ],
        outputs=[
            TensorMetadata(name=OUTPUT_NAME, datatype="FP32", shape=[-1, len(run.class_names)])
        ],
        parameters=ModelParameters(
            class_names=list(run.class_names),
            value_range=list(run.manifest.input.value_range),
            created=run.manifest.created,
        ),
    )


def _check_version(version: str) -> None:
    if version != VERSION:
        raise Refusal(
            404,
            say("There is no version {version!r} of a model.", version=version),
            remedy=say("Use version {version}.", version=VERSION),
        )


def _read_length(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise Refusal(
            400,
            say(
                "{length_header} is {text!r}, not a number of bytes.",
                length_header=LENGTH_HEADER,
                text=text[:40],
            ),
            remedy=say("Send the number of bytes of the JSON at the start of the body."),
        )
    return int(text)
