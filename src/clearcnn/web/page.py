"""The page's routes: its files, and what it shows of each run."""

from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from clearcnn.web.assets import find_assets
from clearcnn.web.shown_runs import ShownRuns
from clearcnn.web.workshop import make_workshop_router
from clearcnn.workflows import exhibit
from clearcnn.workflows.onnx_files import MODEL, MODEL_WITH_LAYERS
from clearcnn.workflows.workshop import Workshop

_BYTES = "application/octet-stream"


def make_page_router(runs: ShownRuns, workshop: Workshop | None = None) -> APIRouter:
    """Make the routes of the page: `/`, `/static/…` and `/page/…`.

    Args:
      runs: to show.
      workshop: trains changed models; None leaves the page without. Whoever made it closes it.
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

    @router.get("/page/models")
    def list_models() -> Any:
        return JSONResponse({"models": runs.names, "workshop": workshop is not None})

    @router.get("/page/models/{name}")
    def describe(name: str) -> Any:
        return JSONResponse(runs.find(name).make_once("description", exhibit.describe_run))

    @router.get("/page/models/{name}/layers.onnx")
    def give_model(name: str) -> FileResponse:
        path = runs.find(name).bundle.path(MODEL_WITH_LAYERS)
        return FileResponse(path, media_type=_BYTES)

    @router.get("/page/models/{name}/weights")
    def give_weights(name: str) -> Response:
        packed = runs.find(name).make_once(
            "weights", lambda run: exhibit.pack_weights(run.path(MODEL))
        )
        return Response(packed, media_type=_BYTES)

    @router.get("/page/models/{name}/images")
    def give_images(name: str) -> Any:
        return JSONResponse(runs.find(name).make_once("images", exhibit.choose_test_images))

    if workshop is not None:
        router.include_router(make_workshop_router(runs, workshop))
    return router
