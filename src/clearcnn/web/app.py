"""The web application: all endpoints and the middleware around them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from clearcnn.data import find_image_remedy
from clearcnn.errors import ClearCNNError, DataError
from clearcnn.language import join, say
from clearcnn.specs import DataSpec
from clearcnn.version import __version__
from clearcnn.web import metrics as figures
from clearcnn.web import schemas
from clearcnn.web.access_control import AccessControl
from clearcnn.web.access_log import CLIENT_GONE, AccessLog
from clearcnn.web.api_docs import make_docs_router
from clearcnn.web.disconnects import ClientGoneError
from clearcnn.web.drain import Drain
from clearcnn.web.http_errors import Refusal, error_body
from clearcnn.web.inference_protocol import make_inference_router
from clearcnn.web.page import make_page_router
from clearcnn.web.page_language import tell_refusal
from clearcnn.web.predict import make_predict_router
from clearcnn.web.request_body import BodyReader
from clearcnn.web.responses import ResponseWriter
from clearcnn.web.run_watcher import RunWatcher
from clearcnn.web.settings import ServeSettings
from clearcnn.web.workers import Workers
from clearcnn.workflows.playground.page_data import check_run_data
from clearcnn.workflows.playground.playground import Playground


def make_app(
    runs: Sequence[Path | str],
    settings: ServeSettings | None = None,
    data: DataSpec | None = None,
    drain: Drain | None = None,
) -> FastAPI:
    """Make the application that serves the models of run folders.

    Args:
      runs: run folders, one for each model.
      settings: None takes the defaults.
      data: the images that the one run was trained on, for the page; None uses the sources that
        the runs name, if this user trained them on this computer.
      drain: tells when the server is shutting down; None: never.
    Returns:
      An ASGI application whose models are loaded.
    Raises:
      ClearCNNError: a model cannot be loaded, two have one name, or `data` is given for several
        runs or is not what the run was trained on.
    """
    settings, drain = settings or ServeSettings(), drain or Drain()
    workers = Workers(settings.threads, settings.queue)
    metrics = figures.Metrics(lambda: workers.waiting)

    def count_reload(name: str, succeeded: bool) -> None:
        metrics.reloads.labels(name, "ok" if succeeded else "failed").inc()

    watcher = RunWatcher(runs, count_reload)
    if data is not None:
        check_run_data(runs, data)
    playground = Playground(data) if settings.has_playground else None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        if playground is not None:
            playground.close()
        workers.close()
        watcher.close()

    app = FastAPI(
        title="clearcnn",
        version=__version__,
        summary="Predictions of small convolutional networks for images.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.include_router(make_predict_router(watcher, workers, metrics, settings))
    app.include_router(make_inference_router(watcher, workers, metrics, settings, drain))
    _add_metrics(app, metrics)
    app.include_router(make_docs_router(app, watcher.names[0]))
    for_all = settings.playground is True
    app.include_router(
        make_page_router(
            watcher,
            playground,
            playground_for_all=for_all,
            data=data,
            drain=drain,
            workers=workers,
        )
    )
    add_refusals(app)
    add_layers(app, settings, metrics, drain)
    return app


def add_layers(
    app: FastAPI, settings: ServeSettings, metrics: figures.Metrics, drain: Drain
) -> None:
    """Put the layers around an application's endpoints: access, limits, log and headers.

    Args:
      app: the application.
      settings: with its access and its limits.
      metrics: where requests are counted.
      drain: tells when the server is shutting down.
    """
    app.add_middleware(BodyReader, settings=settings)
    app.add_middleware(AccessControl, settings=settings)
    app.add_middleware(AccessLog, metrics=metrics)
    app.add_middleware(ResponseWriter, drain=drain)


def _add_metrics(app: FastAPI, metrics: figures.Metrics) -> None:
    responses = schemas.describe_responses(content={"text/plain": {"schema": schemas.TEXT}})

    @app.get("/metrics", response_class=Response, responses=responses, tags=["Server"])
    async def show_metrics() -> Response:
        """Metrics for Prometheus."""
        return Response(metrics.write(), media_type=figures.CONTENT_TYPE)


_PHRASES = (say("Not Found"), say("Method Not Allowed"))
"""What the framework says of an address without an endpoint."""


def add_refusals(app: FastAPI, *, has_docs: bool = True) -> None:
    """Answer every error that an endpoint raises with a status and a sentence.

    Args:
      app: the application.
      has_docs: whether it has the endpoint /docs, which an answer about the request then names.
    """
    hint = " " + say("See /docs.") if has_docs else ""

    @app.exception_handler(Refusal)
    async def refuse(request: Request, refusal: Refusal) -> Response:
        return _answer(request, refusal.status, refusal, refusal.headers)

    @app.exception_handler(DataError)
    async def refuse_picture(request: Request, error: DataError) -> Response:
        general = say("Send a complete image file in a supported format.")
        text = join(" ", (error.problem, find_image_remedy(error) or general))
        return _answer(request, 400, text)

    @app.exception_handler(ClientGoneError)
    async def end(_: Request, __: ClientGoneError) -> Response:
        return Response(status_code=CLIENT_GONE)  # For the log only: the client is gone.

    @app.exception_handler(HTTPException)
    async def refuse_path(request: Request, error: HTTPException) -> Response:
        detail = next((each for each in _PHRASES if each == error.detail), error.detail)
        text = say(
            "{method} {path}: {detail}.",
            method=request.method[:20],
            path=request.url.path[:200],
            detail=detail,
        )
        # No program asks for what is not there; a person may have mistyped the address.
        is_nowhere = "endpoint" not in request.scope
        headers = dict(error.headers or {})
        return _answer(request, error.status_code, text + hint, headers, is_page=is_nowhere)

    @app.exception_handler(RequestValidationError)
    async def refuse_parameter(request: Request, error: RequestValidationError) -> Response:
        words = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        text = say("A parameter is invalid: {words}.", words=words)
        return _answer(request, 422, text + hint)


def _answer(
    request: Request,
    status: int,
    error: ClearCNNError | str,
    headers: dict[str, str] | None = None,
    *,
    is_page: bool = False,
) -> Response:
    body = error_body(tell_refusal(request, error, is_page=is_page))
    return Response(body, status, headers, media_type="application/json")
