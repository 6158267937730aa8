"""`POST /predict`: picture files in, classes out."""

from email.message import Message
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from clearcnn.data import PreparedImage
from clearcnn.results.predict import Prediction
from clearcnn.results.train import to_json
from clearcnn.web import schemas
from clearcnn.web.disconnects import while_client_waits
from clearcnn.web.http_errors import Refusal
from clearcnn.web.metrics import Metrics
from clearcnn.web.multipart import NamedFile, read_files
from clearcnn.web.pixel_limits import count_pixels
from clearcnn.web.served_runs import ServedModel, ServedModels
from clearcnn.web.settings import ServeSettings
from clearcnn.web.work_estimate import QUICK_SECONDS, estimate_decoding, estimate_reading
from clearcnn.web.workers import Work, Workers
from clearcnn.workflows.predict.predict import describe_answer, find_unlike

_RAW_NAME = "picture"
_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["files"],
                "properties": {
                    "files": {"type": "array", "items": schemas.BYTES, "minItems": 1},
                },
                "additionalProperties": False,
            }
        },
        "image/*": {"schema": schemas.BYTES},
        "application/octet-stream": {"schema": schemas.BYTES},
    },
}


def make_pictures_router(
    models: ServedModels, workers: Workers, metrics: Metrics, settings: ServeSettings
) -> APIRouter:
    """Make the endpoint /predict.

    Args:
      models: to answer with.
      workers: whose threads work.
      metrics: to count in.
      settings: with the bounds of images and pixels.
    """
    router = APIRouter(tags=["Pictures"])
    Model = Annotated[  # noqa: N806
        str | None,
        Query(
            description="Its name; without it, the first.",
            json_schema_extra=schemas.name_schema(models.names),
        ),
    ]

    @router.post(
        "/predict",
        responses=schemas.describe_responses(schemas.json_content(schemas.PREDICTIONS), 404, 503),
        openapi_extra={"requestBody": _BODY},
    )
    async def predict(
        request: Request,
        model: Model = None,
        top: Annotated[int, Query(ge=1, le=1000, description="Classes to name.")] = 3,
        abstain_below: Annotated[
            float, Query(ge=0, le=1, description="With less confidence, no class is given.")
        ] = 0.0,
        keep_polarity: Annotated[bool, Query(description="Never exchange light and dark.")] = False,
    ) -> JSONResponse:
        """Say what pictures show: one as the body, or several as files of a form.

        Either all pictures are answered, in order, or the first that cannot be read is named.
        """
        served = models.get(model)
        kind, body = _media_type(request), await request.body()
        content_type = request.headers.get("content-type", "")

        def work() -> Work[list[Prediction]]:
            if (seconds := estimate_reading(len(body))) > QUICK_SECONDS:
                yield seconds
            pictures = _read_pictures(kind, content_type, body, settings.max_images)
            served.check_count(len(pictures))
            prepared = yield from _prepare(served, pictures, settings, keep_polarity)
            answers = yield from served.answer(np.stack([each.pixels for each in prepared]))
            found = zip(answers.probabilities, find_unlike(served.opened, answers), strict=True)
            return [
                describe_answer(served.opened, name, *each, one.preparation, top, abstain_below)
                for (name, _), each, one in zip(pictures, found, prepared, strict=True)
            ]

        async with while_client_waits(request.receive):
            answers = await workers.run(work())
        metrics.images.labels(served.name).inc(len(answers))
        request.scope["clearcnn.fields"] = {"model": served.name, "images": len(answers)}
        return JSONResponse({"model": served.name, "predictions": to_json(tuple(answers))})

    return router


def _prepare(
    model: ServedModel, pictures: list[NamedFile], settings: ServeSettings, keep_polarity: bool
) -> Work[list[PreparedImage]]:
    counts = count_pixels(pictures, settings)
    is_long = estimate_decoding(sum(counts)) > QUICK_SECONDS
    prepared = []
    for place, (name, content) in enumerate(pictures):
        if is_long:
            yield estimate_decoding(sum(counts[place:]))
        prepared.append(model.prepare(content, name, keep_polarity=keep_polarity))
    return prepared


def _read_pictures(kind: str, content_type: str, body: bytes, max_images: int) -> list[NamedFile]:
    if kind == "multipart/form-data":
        pictures = read_files(body, content_type, max_images)
    elif kind == "application/octet-stream" or kind.startswith("image/"):
        pictures = [(_RAW_NAME, body)] if body else []
    else:
        raise Refusal(
            415,
            f"The body's Content-Type is {kind[:100]!r}.",
            remedy="Send a picture file as image/png or the like, or files as multipart/form-data.",
        )
    if not pictures:
        raise Refusal(
            400, "The request holds no picture.", remedy="Send at least one picture file."
        )
    return pictures


def _media_type(request: Request) -> str:
    header: Any = Message()
    header["Content-Type"] = request.headers.get("content-type", "none")
    kind: str = header.get_content_type()
    # What is no media type, email takes for text.
    return kind
