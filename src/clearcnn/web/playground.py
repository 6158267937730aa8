"""The routes of the playground: checking a changed model, and training it live."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from pydantic import BaseModel, Field, JsonValue

from clearcnn import models
from clearcnn.errors import ClearCNNError, TrainingError
from clearcnn.language import Language, say
from clearcnn.specs import LayerSpec, ModelSpec
from clearcnn.web.bounded_route import BoundedRoute
from clearcnn.web.drain import Drain
from clearcnn.web.page_language import (
    answer_error,
    choose_page_language,
    translate_sentences,
)
from clearcnn.web.run_watcher import RunWatcher
from clearcnn.web.served_runs import ServedRun
from clearcnn.workflows.playground import page_data
from clearcnn.workflows.playground.experiment import WEIGHTS
from clearcnn.workflows.playground.playground import Attempt, Playground
from clearcnn.workflows.runs.save_onnx import MODEL_WITH_LAYERS

_MOST_LAYERS = 40
_MOST_PARAMETERS = 5_000_000
_MOST_MULTIPLY_ADDS = 200_000_000
_LOOK_SECONDS = 0.03


class LayerBody(BaseModel):
    """One layer, with Keras's names."""

    layer: str
    arguments: dict[str, JsonValue] = {}


class ModelBody(BaseModel):
    """A model for the images of a run.

    Attributes:
      run: the run's name.
      equal_mlp: use an MLP with as many parameters instead.
    """

    run: str
    layers: list[LayerBody] = Field(max_length=_MOST_LAYERS)
    equal_mlp: bool = False


class TrainingBody(ModelBody):
    """A training to prepare."""

    epochs: int


class AttemptBody(TrainingBody):
    """A training to run.

    Attributes:
      against: the number of an attempt to compare with; None: the run's own model.
    """

    against: int | None = None


def make_playground_router(runs: RunWatcher, playground: Playground, drain: Drain) -> APIRouter:
    """Make the routes of the playground, below `/page/playground`.

    Args:
      runs: provides the runs whose images are used.
      playground: trains the models.
      drain: when it is over, event streams end.
    """
    router = APIRouter(prefix="/page/playground", route_class=BoundedRoute)

    def read_spec(body: ModelBody) -> tuple[ServedRun, ModelSpec]:
        run = runs.get(body.run)
        layers = tuple(LayerSpec(each.layer, each.arguments) for each in body.layers)
        spec = ModelSpec("playground", layers)
        shape, num_classes = run.shape, len(run.class_names)
        if body.equal_mlp:
            spec = models.make_equal_mlp(spec, shape, num_classes)
        summary = models.check_output(spec, shape, num_classes)
        _check_size(summary.parameters, _MOST_PARAMETERS, say("parameters"), "too_many_parameters")
        _check_size(
            summary.multiply_adds,
            _MOST_MULTIPLY_ADDS,
            say("multiply-adds for one image"),
            "too_many_multiply_adds",
        )
        return run, spec

    def find(number: int) -> Attempt:
        attempt = playground.find(number)
        if attempt is None:
            raise HTTPException(404, say("There is no attempt {number}", number=number))
        return attempt

    def find_file(number: int, name: str) -> Path:
        path = find(number).folder / name
        if not path.is_file():
            raise HTTPException(404, say("Attempt {number} has no model", number=number))
        return path

    @router.post("/check")
    def check(body: ModelBody, request: Request) -> JSONResponse:
        try:
            run, spec = read_spec(body)
            return JSONResponse(page_data.describe_network(spec, run.shape))
        except ClearCNNError as error:
            # The request asked whether the model is valid, so an invalid one is no failure.
            return answer_error(request, error, 200)

    @router.post("/prepare")
    def prepare(body: TrainingBody, request: Request) -> Response:
        try:
            run, spec = read_spec(body)
            playground.prepare(run.version, spec, body.epochs)
        except ClearCNNError as error:
            return answer_error(request, error, 422)
        return Response(status_code=204)

    @router.post("/attempts")
    def begin(body: AttemptBody, request: Request) -> JSONResponse:
        try:
            run, spec = read_spec(body)
            against = None if body.against is None else find(body.against)
            attempt = playground.begin(run.version, spec, body.epochs, against)
        except TrainingError as error:
            return answer_error(request, error, 503)
        except ClearCNNError as error:
            return answer_error(request, error, 422)
        return JSONResponse({"number": attempt.number}, 202)

    @router.get("/attempts/{number}/events")
    async def listen(number: int, request: Request) -> StreamingResponse:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        language = choose_page_language(request)
        return StreamingResponse(
            _tell(playground, find(number), drain, language), 200, headers, "text/event-stream"
        )

    @router.delete("/attempts/{number}")
    def cancel(number: int) -> Response:
        playground.cancel(find(number))
        return Response(status_code=204)

    @router.get("/attempts/{number}/layers.onnx")
    def give_model(number: int) -> FileResponse:
        return FileResponse(
            find_file(number, MODEL_WITH_LAYERS), media_type="application/octet-stream"
        )

    @router.get("/attempts/{number}/weights")
    def give_weights(number: int) -> FileResponse:
        return FileResponse(find_file(number, WEIGHTS), media_type="application/octet-stream")

    return router


def _check_size(found: int, most: int, what: str, code: str) -> None:
    if found > most:
        raise ClearCNNError(
            say(
                "The model has {found:,} {what}; the playground trains up to {most:,}.",
                found=found,
                what=what,
                most=most,
            ),
            remedy=say("Make it smaller, or train it with clearcnn train."),
            code=code,
            values={"found": found, "most": most},
        )


async def _tell(
    playground: Playground, attempt: Attempt, drain: Drain, language: Language
) -> AsyncIterator[str]:
    """Stream an attempt's past and future events as server-sent events, until it is over.

    Before the first one, and whenever it changes, the stream says what the attempt waits for.
    """
    told, waited = 0, None
    while not drain.is_over:
        wait = playground.find_wait(attempt)
        if wait not in (None, waited):
            waited = wait
            yield f"data: {json.dumps(wait)}\n\n"
        for event in attempt.events[told:]:
            told += 1
            yield f"data: {json.dumps(translate_sentences(event, language))}\n\n"
        if attempt.is_over and told == len(attempt.events):
            return
        await asyncio.sleep(_LOOK_SECONDS)
