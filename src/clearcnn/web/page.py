"""The page's routes: its files, and what it shows of each run."""

from functools import partial
from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from clearcnn.specs import DataSpec
from clearcnn.web.answers import KeptBytes
from clearcnn.web.assets import find_assets
from clearcnn.web.draining import Drain
from clearcnn.web.guard import comes_from_here
from clearcnn.web.refusals import Refusal
from clearcnn.web.shown_runs import ShownRuns
from clearcnn.web.workshop import make_workshop_router
from clearcnn.workflows import exhibit
from clearcnn.workflows.kept_onnx import read_onnx_file
from clearcnn.workflows.onnx_files import MODEL_WITH_LAYERS
from clearcnn.workflows.workshop import Workshop

_BYTES = "application/octet-stream"


def make_page_router(
    runs: ShownRuns,
    workshop: Workshop | None = None,
    *,
    workshop_for_all: bool = False,
    data: DataSpec | None = None,
    drain: Drain | None = None,
) -> APIRouter:
    """Make the routes of the page: `/`, `/static/…` and `/page/…`.

    Args:
      runs: to show.
      workshop: trains changed models; None leaves the page without. Whoever made it closes it.
      workshop_for_all: whether it trains for more than requests that were made on this computer.
      data: where the images of the runs are; None takes the places that they name, if they are
        the user's own.
      drain: says when the server is about to end; None lets it never be.
    Returns:
      A router that any FastAPI app may include. What the page asks for is of its own version and
      no public interface, so none of it is in the app's schema.
    """
    router = APIRouter(include_in_schema=False)
    assets = find_assets()

    @router.get("/")
    def show_page(request: Request) -> Response:
        return assets["index.html"].answer(request)

    @router.get("/static/{path:path}")
    def show_asset(path: str, request: Request) -> Response:
        if path not in assets:
            raise HTTPException(404, f"There is no file {path!r}")
        return assets[path].answer(request)

    def may_train(request: Request) -> bool:
        return workshop is not None and (workshop_for_all or comes_from_here(request))

    def require_workshop(request: Request) -> None:
        if not may_train(request):
            raise Refusal(
                403,
                "The workshop trains only for people at the computer that the server runs on.",
                remedy="Start the server with --workshop to let all train who may ask it.",
            )

    @router.get("/page/models")
    def list_models(request: Request) -> Any:
        return JSONResponse({"models": runs.names, "workshop": may_train(request)})

    @router.get("/page/models/{name}")
    def describe(name: str) -> Any:
        return JSONResponse(runs.find(name).make_once("description", exhibit.describe_run))

    @router.get("/page/models/{name}/layers.onnx")
    def give_model(name: str) -> Response:
        content = runs.find(name).make_once(
            "layers.onnx", lambda run: KeptBytes(read_onnx_file(run, MODEL_WITH_LAYERS).content)
        )
        return Response(content, media_type=_BYTES)

    @router.get("/page/models/{name}/weights")
    def give_weights(name: str) -> Response:
        packed = runs.find(name).make_once(
            "weights", lambda run: KeptBytes(exhibit.pack_weights(run))
        )
        return Response(packed, media_type=_BYTES)

    @router.get("/page/models/{name}/images")
    def give_images(name: str) -> Any:
        choose = partial(exhibit.choose_test_images, named=data)
        return JSONResponse(runs.find(name).make_once("images", choose))

    if workshop is not None:
        needs = [Depends(require_workshop)]
        router.include_router(
            make_workshop_router(runs, workshop, drain or Drain()), dependencies=needs
        )
    return router
