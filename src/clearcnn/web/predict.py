"""`POST /predict`: image files in, predicted classes out."""

from email.message import Message
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from clearcnn.data import PreparedImage
from clearcnn.language import say
from clearcnn.results.json_codec import to_json
from clearcnn.results.predict import Prediction
from clearcnn.types import JsonObject
from clearcnn.web import schemas
from clearcnn.web.disconnects import while_client_waits
from clearcnn.web.http_errors import Refusal
from clearcnn.web.metrics import Metrics
from clearcnn.web.multipart import NamedFile, read_files
from clearcnn.web.pixel_limits import count_pixels
from clearcnn.web.run_watcher import RunWatcher
from clearcnn.web.served_runs import ServedRun
from clearcnn.web.settings import ServeSettings
from clearcnn.web.work_estimate import QUICK_SECONDS, estimate_decoding, estimate_reading
from clearcnn.web.workers import Work, Workers
from clearcnn.workflows.predict.predict import flag_ood, make_prediction

_RAW_NAME = "picture"
_BODY: JsonObject = {
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


def make_predict_router(
    watcher: RunWatcher, workers: Workers, metrics: Metrics, settings: ServeSettings
) -> APIRouter:
    """Make the endpoint /predict.

    Args:
      watcher: provides the models.
      workers: the threads that do the work.
      metrics: where images are counted.
      settings: with the limits on images and pixels.
    """
    router = APIRouter(tags=["Pictures"])
    Model = Annotated[  # noqa: N806
        str | None,
        Query(
            description="The model's name; default: the first.",
            json_schema_extra=schemas.name_schema(watcher.names),
        ),
    ]

    @router.post(
        "/predict",
        response_model=schemas.PredictResponse,
        responses=schemas.describe_responses(404, 503),
        openapi_extra={"requestBody": _BODY},
    )
    async def predict(
        request: Request,
        model: Model = None,
        top: Annotated[int, Query(ge=1, le=1000, description="How many classes to return.")] = 3,
        abstain_below: Annotated[
            float, Query(ge=0, le=1, description="With less confidence, no class is predicted.")
        ] = 0.0,
        keep_polarity: Annotated[bool, Query(description="Never invert the image.")] = False,
    ) -> JSONResponse:
        """Classify images: one as the body, or several as files of a form.

        Returns the predictions of all images, in order, or an error about the first unreadable one.
        """
        served = watcher.get(model)
        kind, body = _media_type(request), await request.body()
        content_type = request.headers.get("content-type", "")

        def work() -> Work[list[Prediction]]:
            if (seconds := estimate_reading(len(body))) > QUICK_SECONDS:
                yield seconds
            pictures = _read_pictures(kind, content_type, body, settings.max_images)
            served.check_count(len(pictures))
            prepared = yield from _prepare(served, pictures, settings, keep_polarity)
            answers = yield from served.answer(np.stack([each.pixels for each in prepared]))
            found = zip(answers.probabilities, flag_ood(served.opened, answers), strict=True)
            return [
                make_prediction(served.opened, name, *each, one.preparation, top, abstain_below)
                for (name, _), each, one in zip(pictures, found, prepared, strict=True)
            ]

        async with while_client_waits(request.receive):
            answers = await workers.run(work())
        metrics.images.labels(served.name).inc(len(answers))
        request.scope["clearcnn.fields"] = {"model": served.name, "images": len(answers)}
        return JSONResponse({"model": served.name, "predictions": to_json(tuple(answers))})

    return router


def _prepare(
    model: ServedRun, pictures: list[NamedFile], settings: ServeSettings, keep_polarity: bool
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
            say("The body's Content-Type is {kind!r}.", kind=kind[:100]),
            remedy=say(
                "Send an image file as image/png or similar, or files as multipart/form-data."
            ),
        )
    if not pictures:
        raise Refusal(
            400, say("The request has no image."), remedy=say("Send at least one image file.")
        )
    return pictures


def _media_type(request: Request) -> str:
    header = Message()
    # An invalid media type is taken for text/plain.
    header["Content-Type"] = request.headers.get("content-type", "none")
    return header.get_content_type()
