"""The run folders that the page shows; one that is replaced is read anew."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from fastapi import HTTPException

from clearcnn.bundle import MANIFEST_NAME, METRICS_NAME, Bundle, read_bundle
from clearcnn.errors import ClearCNNError
from clearcnn.workflows.runs.save_onnx import MODEL, MODEL_WITH_LAYERS

_FILES = (MODEL, MODEL_WITH_LAYERS, METRICS_NAME)

_T = TypeVar("_T")


@dataclass(frozen=True)
class ShownRun:
    """A run as it lay in its folder when it was read.

    Attributes:
      stamp: of its manifest, by which a replaced folder is known.
      made: what was made of it for the page, by name; made once.
    """

    bundle: Bundle
    stamp: tuple[int, int, int]
    made: dict[str, object] = field(default_factory=dict)

    def make_once(self, name: str, make: Callable[[Bundle], _T]) -> _T:
        """Give what `make` made of the run when it was first asked for.

        Raises:
          HTTPException: 409, its folder is no longer as it was, or one of its files is not as
            clearcnn writes it.
        """
        if name not in self.made:
            try:
                self.made[name] = make(self.bundle)
            except (OSError, ClearCNNError) as error:
                raise _conflict(error) from error
        found: _T = self.made[name]  # type: ignore[assignment]
        return found


class ShownRuns:
    """Runs by the name that the page shows, each read when it is first asked for.

    Args:
      folders: by name; the first one is shown first.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = dict(folders)
        self._runs: dict[str, ShownRun] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """In the order they were given."""
        return tuple(self._folders)

    def find(self, name: str) -> ShownRun:
        """Give a run.

        Raises:
          HTTPException: 404, there is none of that name; 409, its folder is gone, altered, or
            without the model that gives every layer's output.
        """
        if name not in self._folders:
            raise HTTPException(404, f"There is no model {name!r}")
        folder = self._folders[name]
        try:
            status = (folder / MANIFEST_NAME).stat()
            stamp = status.st_ino, status.st_mtime_ns, status.st_size
            run = self._runs.get(name)
            if run is None or run.stamp != stamp:
                run = self._runs[name] = ShownRun(_read(folder), stamp)
        except OSError as error:  # A BundleError is one.
            raise _conflict(error) from error
        return run


def _conflict(error: Exception) -> HTTPException:
    """Say what is wrong with a run folder."""
    return HTTPException(409, str(error).rstrip("."))


def _read(folder: Path) -> Bundle:
    bundle = read_bundle(folder, only=_FILES)
    for name in _FILES:
        bundle.require(name)
    return bundle
