"""The routes of the page: its static files, and the data that it shows of each run."""

from functools import partial

import numpy as np
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from clearcnn.bundle import METRICS_NAME, Bundle
from clearcnn.language import say
from clearcnn.specs import DataSpec
from clearcnn.types import JsonObject
from clearcnn.web.access_control import is_local_request
from clearcnn.web.assets import find_assets
from clearcnn.web.drain import Drain
from clearcnn.web.http_errors import Refusal
from clearcnn.web.playground import make_playground_router
from clearcnn.web.responses import SharedBytes
from clearcnn.web.run_watcher import RunWatcher
from clearcnn.web.served_runs import ServedRun
from clearcnn.web.workers import Work, Workers
from clearcnn.workflows.playground import page_data
from clearcnn.workflows.playground.playground import Playground
from clearcnn.workflows.predict.predict import flag_ood
from clearcnn.workflows.runs.read_onnx import read_onnx_file
from clearcnn.workflows.runs.save_onnx import MODEL_WITH_LAYERS

_BYTES = "application/octet-stream"


def make_page_router(
    runs: RunWatcher,
    playground: Playground | None = None,
    *,
    playground_for_all: bool = False,
    data: DataSpec | None = None,
    drain: Drain | None = None,
    workers: Workers | None = None,
) -> APIRouter:
    """Make the routes of the page: `/`, `/static/…` and `/page/…`.

    Args:
      runs: the runs to show.
      playground: trains changed models; None: the page has no playground. The caller closes it.
      playground_for_all: whether requests from other computers may train.
      data: the images of the runs; None uses the sources that the runs name, if they are this
        user's own.
      drain: tells when the server is shutting down; None: never.
      workers: compute whether an image looks like none of the classes; None: the page does not say.
    Returns:
      A router for a FastAPI app. Its routes are not a public interface, so they are not in the
      app's schema.
    """
    router = APIRouter(include_in_schema=False)
    assets = find_assets()

    @router.get("/")
    def show_page(request: Request) -> Response:
        return assets["index.html"].answer(request)

    @router.get("/static/{path:path}")
    def show_asset(path: str, request: Request) -> Response:
        if path not in assets:
            raise HTTPException(404, say("There is no file {path!r}", path=path))
        return assets[path].answer(request)

    def may_train(request: Request) -> bool:
        return playground is not None and (playground_for_all or is_local_request(request))

    def require_playground(request: Request) -> None:
        if not may_train(request):
            raise Refusal(
                403,
                say("The playground is only available on the computer that the server runs on."),
                remedy=say("Start the server with --playground to let everyone with access train."),
            )

    @router.get("/page/models")
    def list_models(request: Request) -> JSONResponse:
        return JSONResponse({"models": runs.names, "playground": may_train(request)})

    @router.get("/page/models/{name}")
    async def describe(name: str) -> JSONResponse:
        return JSONResponse(await runs.get(name).make_once("description", _describe))

    @router.get("/page/models/{name}/layers.onnx")
    async def send_model(name: str) -> Response:
        content = await runs.get(name).make_once("layers.onnx", _read_model)
        return Response(content, media_type=_BYTES)

    @router.get("/page/models/{name}/weights")
    async def send_weights(name: str) -> Response:
        content = await runs.get(name).make_once("weights", _pack_weights)
        return Response(content, media_type=_BYTES)

    @router.get("/page/models/{name}/images")
    async def send_images(name: str) -> JSONResponse:
        choose = partial(page_data.choose_test_images, named=data)
        return JSONResponse(await runs.get(name).make_once("images", choose))

    if workers is not None:

        @router.post("/page/models/{name}/unlike")
        async def judge(name: str, request: Request) -> JSONResponse:
            served, body = runs.get(name), await request.body()
            return JSONResponse({"is_unlike": await workers.run(_judge(served, body))})

    if playground is not None:
        needs = [Depends(require_playground)]
        router.include_router(
            make_playground_router(runs, playground, drain or Drain()), dependencies=needs
        )
    return router


def _judge(served: ServedRun, body: bytes) -> Work[bool]:
    """Tell whether an image is out of distribution, given as little-endian values in C order."""
    contract = served.manifest.input
    dtype = np.dtype(contract.dtype).newbyteorder("<")
    size = int(np.prod(contract.shape)) * dtype.itemsize
    if len(body) != size:
        raise Refusal(
            400,
            say(
                "The image has {num_bytes:,} bytes; {size:,} were expected.",
                num_bytes=len(body),
                size=size,
            ),
            remedy=say("Send the values of one image in the shape and dtype of the model's input."),
        )
    image = np.frombuffer(body, dtype).reshape(1, *contract.shape)
    served.check_values(image)
    answers = yield from served.answer(image.astype(contract.dtype))
    return bool(flag_ood(served.opened, answers)[0])


def _describe(run: Bundle) -> JsonObject:
    for name in (MODEL_WITH_LAYERS, METRICS_NAME):
        run.require(name)
    return page_data.describe_run(run)


def _read_model(run: Bundle) -> SharedBytes:
    return SharedBytes(read_onnx_file(run, MODEL_WITH_LAYERS).content)


def _pack_weights(run: Bundle) -> SharedBytes:
    return SharedBytes(page_data.pack_weights(run))
