"""The studio as an application, and the server that runs it on loopback."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response

from clearcnn.errors import BundleError, ClearCNNError, DataError
from clearcnn.version import __version__
from clearcnn.web import metrics as figures
from clearcnn.web.app import add_layers, add_refusals
from clearcnn.web.drain import Drain
from clearcnn.web.inside_pages import InsidePages
from clearcnn.web.page_language import answer_error
from clearcnn.web.server import run_app
from clearcnn.web.settings import ServeSettings
from clearcnn.web.studio import make_studio_router
from clearcnn.web.workers import Workers
from clearcnn.workflows.studio.studio import Studio

_MISSING = ("no_picture", "no_class", "no_run")


def make_studio_app(
    studio: Studio, settings: ServeSettings | None = None, drain: Drain | None = None
) -> FastAPI:
    """Make the application of the studio.

    Args:
      studio: closed when the application ends.
      settings: None takes the defaults. It must be on loopback.
      drain: tells when the server is shutting down; None: never.
    """
    settings, drain = settings or ServeSettings(), drain or Drain()
    workers = Workers(settings.threads, settings.queue)
    metrics = figures.Metrics(lambda: workers.waiting)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        studio.close()
        pages.close()
        workers.close()

    app = FastAPI(
        title="clearcnn studio",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    pages = InsidePages(lambda run: studio.find_attempt(run).run.folder, workers)
    app.include_router(make_studio_router(studio, settings))
    app.mount("/inside/{run}", pages)
    add_refusals(app, has_docs=False)

    async def refuse(request: Request, error: Exception) -> Response:
        assert isinstance(error, ClearCNNError)
        is_missing = isinstance(error, BundleError) or error.code in _MISSING
        status = 404 if is_missing else 422
        return answer_error(request, error, status)

    # The page shows the remedy too, and in its own language.
    for kind in (DataError, ClearCNNError):
        app.add_exception_handler(kind, refuse)
    add_layers(app, settings, metrics, drain)
    return app


def run_studio(
    studio: Studio,
    settings: ServeSettings,
    announce: Callable[[str], None],
    *,
    logs_json: bool = True,
) -> None:
    """Serve the studio until SIGINT or SIGTERM.

    Args:
      studio: closed at the end.
      settings, announce, logs_json: as for `run_server`.
    Raises:
      ServeError: the server cannot listen on the address.
    """
    drain = Drain()
    try:
        app = make_studio_app(studio, settings, drain)
        run_app(app, settings, announce, drain, logs_json=logs_json)
    finally:
        studio.close()
