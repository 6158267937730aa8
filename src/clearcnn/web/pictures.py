"""`POST /predict`: picture files in, classes out."""

from email.message import Message
from typing import Annotated, Any

import numpy as np
import python_multipart  # noqa: F401 - Starlette looks for it only when a form comes.
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from clearcnn.predictions import Prediction
from clearcnn.results import to_json
from clearcnn.web import schemas
from clearcnn.web.metrics import Metrics
from clearcnn.web.models import ServedModel, ServedModels
from clearcnn.web.refusals import Refusal
from clearcnn.web.settings import ServeSettings
from clearcnn.web.workers import Workers
from clearcnn.workflows.predict import describe_answer

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

Picture = tuple[str, bytes]


def make_pictures_router(
    models: ServedModels, workers: Workers, metrics: Metrics, settings: ServeSettings
) -> APIRouter:
    """Make the endpoint /predict.

    Args:
      models: to answer with.
      workers: whose threads work.
      metrics: to count in.
      settings: with `max_images` and `max_pixels`.
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
        pictures = await _read_pictures(request, settings.max_images)

        def work() -> list[Prediction]:
            return _answer(served, pictures, settings.max_pixels, top, abstain_below, keep_polarity)

        answers = await workers.run(work)
        metrics.images.labels(served.name).inc(len(answers))
        request.scope["clearcnn.fields"] = {"model": served.name, "images": len(answers)}
        return JSONResponse({"model": served.name, "predictions": to_json(tuple(answers))})

    return router


def _answer(
    model: ServedModel,
    pictures: list[Picture],
    max_pixels: int,
    top: int,
    abstain_below: float,
    keep_polarity: bool,
) -> list[Prediction]:
    prepared = [
        model.prepare(content, name, max_pixels, keep_polarity=keep_polarity)
        for name, content in pictures
    ]
    chances = model.predict(np.stack([picture.pixels for picture in prepared]))
    return [
        describe_answer(model.opened, name, row, picture.preparation, top, abstain_below)
        for (name, _), row, picture in zip(pictures, chances, prepared, strict=True)
    ]


async def _read_pictures(request: Request, max_images: int) -> list[Picture]:
    kind = _media_type(request)
    if kind == "multipart/form-data":
        return await _read_form(request, max_images)
    if kind == "application/octet-stream" or kind.startswith("image/"):
        content = await request.body()
        if not content:
            raise _no_picture()
        return [(_RAW_NAME, content)]
    raise Refusal(
        415,
        f"The body's Content-Type is {kind[:100]!r}.",
        remedy="Send a picture file as image/png or the like, or files as multipart/form-data.",
    )


def _media_type(request: Request) -> str:
    header: Any = Message()
    header["Content-Type"] = request.headers.get("content-type", "none")
    kind: str = header.get_content_type()
    # What is no media type, email takes for text.
    return kind


async def _read_form(request: Request, max_images: int) -> list[Picture]:
    pictures = []
    try:
        async with request.form(max_files=max_images, max_fields=0) as form:
            for key, part in form.multi_items():
                if not isinstance(part, UploadFile):
                    raise _no_file(key)
                pictures.append((part.filename or key, await part.read()))
    except HTTPException as error:
        raise Refusal(
            400,
            f"The form cannot be read: {str(error.detail).rstrip('.')}.",
            remedy=f"Send from 1 to {max_images} files, and nothing else, as multipart/form-data.",
        ) from None
    if not pictures:
        raise _no_picture()
    return pictures


def _no_file(key: str) -> Refusal:
    return Refusal(
        400,
        f"The form's field {key[:40]!r} is no file.",
        remedy="Send pictures as files; options belong into the address.",
    )


def _no_picture() -> Refusal:
    return Refusal(400, "The request holds no picture.", remedy="Send at least one picture file.")
