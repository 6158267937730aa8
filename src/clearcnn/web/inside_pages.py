"""The pages that look inside a studio's runs, each made when it is asked for."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import Depends, FastAPI
from fastapi.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from clearcnn.web.app import add_refusals
from clearcnn.web.page import make_page_router
from clearcnn.web.run_watcher import RunWatcher
from clearcnn.web.studio import require_this_computer
from clearcnn.web.workers import Workers

_MOST_OPEN = 3


@dataclass(eq=False)
class _Page:
    """A run's page, and how many requests it is answering."""

    app: FastAPI
    watcher: RunWatcher
    active: int = 0


class InsidePages:
    """An ASGI application below `/inside/{run}`: the page of each run.

    The models and threads of the three runs that were used last are kept. An older page is made
    again when its tab asks for something.

    Args:
      find_run: returns the folder of a run by its name, or raises StudioError.
      workers: as for `make_page_router`.
    """

    def __init__(self, find_run: Callable[[str], Path], workers: Workers) -> None:
        self._find_run, self._workers = find_run, workers
        self._lock = threading.Lock()
        self._pages: OrderedDict[str, _Page] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request with the page of its run."""
        page = await run_in_threadpool(self._enter, scope["path_params"]["run"])
        try:
            await page.app(scope, receive, send)
        finally:
            with self._lock:
                page.active -= 1

    def close(self) -> None:
        """Give up all models and threads."""
        with self._lock:
            while self._pages:
                self._pages.popitem()[1].watcher.close()

    def _enter(self, run: str) -> _Page:
        folder = self._find_run(run)
        with self._lock:
            if run not in self._pages:
                self._pages[run] = self._make(folder)
            page = self._pages[run]
            page.active += 1
            self._pages.move_to_end(run)
            idle = [name for name, each in self._pages.items() if not each.active]
            for name in idle[: max(0, len(self._pages) - _MOST_OPEN)]:
                self._pages.pop(name).watcher.close()
        return page

    def _make(self, folder: Path) -> _Page:
        watcher = RunWatcher([folder])
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        app.include_router(
            make_page_router(watcher, workers=self._workers),
            dependencies=[Depends(require_this_computer)],
        )
        add_refusals(app)
        return _Page(app, watcher)
