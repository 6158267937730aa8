"""The pages that look inside a studio's runs, each made when it is asked for."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from clearcnn.web.access_control import require_this_computer
from clearcnn.web.app import add_refusals
from clearcnn.web.page import make_page_router
from clearcnn.web.run_watcher import RunWatcher
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
        self._making = asyncio.Lock()  # One model is loaded at a time.
        self._pages: OrderedDict[str, _Page] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request with the page of its run."""
        require_this_computer(HTTPConnection(scope))
        page = await self._enter(scope["path_params"]["run"])
        try:
            await self._close_idle()
            await page.app(scope, receive, send)
        finally:
            page.active -= 1

    def close(self) -> None:
        """Give up all models and threads."""
        while self._pages:
            self._pages.popitem()[1].watcher.close()

    # What follows runs on the event loop, which needs no lock between two `await`s. What takes
    # long, such as loading a model, runs in a thread.

    async def _enter(self, run: str) -> _Page:
        if run not in self._pages:
            folder = await run_in_threadpool(self._find_run, run)
            async with self._making:
                if run not in self._pages:
                    self._pages[run] = await run_in_threadpool(self._make, folder)
        page = self._pages[run]
        page.active += 1
        self._pages.move_to_end(run)
        return page

    async def _close_idle(self) -> None:
        idle = [name for name, each in self._pages.items() if not each.active]
        surplus = idle[: max(0, len(self._pages) - _MOST_OPEN)]
        for page in [self._pages.pop(name) for name in surplus]:
            await run_in_threadpool(page.watcher.close)

    def _make(self, folder: Path) -> _Page:
        watcher = RunWatcher([folder])
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        app.include_router(make_page_router(watcher, workers=self._workers))
        add_refusals(app, has_docs=False)
        return _Page(app, watcher)
