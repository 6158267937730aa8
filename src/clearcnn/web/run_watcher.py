"""The runs that a server serves, and the only place that notices when a run folder is replaced.

The page, `/predict`, the Open Inference Protocol and the playground all ask here, so they all use
the same run.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from clearcnn.errors import ClearCNNError, SpecError
from clearcnn.language import say
from clearcnn.web.access_log import log
from clearcnn.web.http_errors import Refusal
from clearcnn.web.served_runs import ServedRun
from clearcnn.workflows.runs.load_onnx_model import open_model
from clearcnn.workflows.runs.run_version import RunVersion

_SECONDS_BETWEEN_CHECKS = 1.0
_SECONDS_BETWEEN_RETRIES = 5.0
_PAGE_THREADS = 2

OnReload = Callable[[str, bool], None]


@dataclass
class _Entry:
    """One run folder, and the run that was last loaded from it."""

    folder: Path
    run: ServedRun
    next_check: float
    is_loading: bool = False


class RunWatcher:
    """Runs by name, each loaded once from its folder and reloaded when the folder is replaced.

    A request checks at most once a second whether the folder was replaced. If it was, a thread
    loads the new run while the old one keeps serving. Requests that started with the old run
    finish with it. If loading fails, the old run stays, and loading is retried.

    Args:
      folders: run folders; a run is named after its folder. A folder may be a link to one, and
        the link may be changed later.
      on_reload: called from a thread after each reload with the run's name and whether it
        succeeded.
    Raises:
      SpecError: there is no run folder, or two have the same name.
      ClearCNNError: a run cannot be loaded.
    """

    def __init__(self, folders: Sequence[Path | str], on_reload: OnReload | None = None) -> None:
        self._on_reload = on_reload or (lambda *_: None)
        self._lock = threading.Lock()
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="clearcnn-loader")
        self._page_threads = ThreadPoolExecutor(_PAGE_THREADS, thread_name_prefix="clearcnn-page")
        self._entries: dict[str, _Entry] = {}
        for each in folders:
            folder = Path(os.path.abspath(each))  # noqa: PTH100 - a link must stay one.
            if folder.name in self._entries:
                raise SpecError(
                    say("Two run folders are called {name}.", name=folder.name),
                    remedy=say("Rename one of them."),
                )
            next_check = time.monotonic() + _SECONDS_BETWEEN_CHECKS
            self._entries[folder.name] = _Entry(folder, self._load(folder), next_check)
        if not self._entries:
            raise SpecError(say("There is no model to serve."), remedy=say("Name a run folder."))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all runs, in the order in which they were given."""
        return tuple(self._entries)

    @property
    def first(self) -> ServedRun:
        """The run that was given first, as it is now."""
        return self._entries[self.names[0]].run

    def get(self, name: str | None = None) -> ServedRun:
        """Return the current run of that name. Any thread may call this.

        Args:
          name: None returns the first run.
        Raises:
          Refusal: 404, there is no run of that name.
        """
        entry = self._entries.get(self.names[0] if name is None else name)
        if entry is None:
            raise Refusal(
                404,
                say("There is no model {name!r}.", name=name),
                remedy=say("Ask for one of: {names}.", names=", ".join(self.names)),
            )
        run = entry.run  # Whoever notices a new run still gets the old one, however fast it loads.
        if time.monotonic() >= entry.next_check:
            self._check(entry)
        return run

    def close(self) -> None:
        """Stop the threads."""
        for pool in (self._loader, self._page_threads):
            pool.shutdown(wait=True, cancel_futures=True)

    def _check(self, entry: _Entry) -> None:
        with self._lock:
            if entry.is_loading or time.monotonic() < entry.next_check:
                return
            entry.next_check = time.monotonic() + _SECONDS_BETWEEN_CHECKS
            found = RunVersion.find(entry.folder)
            # While one folder is renamed away and another takes its place, there may be none.
            if not found.is_readable or found == entry.run.version:
                return
            entry.is_loading = True
        self._loader.submit(self._reload, entry)

    def _reload(self, entry: _Entry) -> None:
        name = entry.run.name
        try:
            entry.run = self._load(entry.folder)
            log("model reloaded", model=name, created=entry.run.manifest.created)
            self._on_reload(name, True)
        except Exception as error:  # A broken folder must not stop the run that works.
            entry.next_check = time.monotonic() + _SECONDS_BETWEEN_RETRIES
            log("model not reloaded", level=logging.ERROR, model=name, error=str(error))
            self._on_reload(name, False)
        finally:
            entry.is_loading = False

    def _load(self, folder: Path) -> ServedRun:
        version = RunVersion.find(folder)
        opened = open_model(version.folder)
        if not version.is_current():
            raise ClearCNNError(
                say("The run folder {folder} was replaced while it was read.", folder=folder),
                remedy=say("Try again."),
            )
        return ServedRun(folder.name, opened, version, self._page_threads)
