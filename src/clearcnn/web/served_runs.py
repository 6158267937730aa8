"""The models that a server answers with; one whose run folder is replaced is loaded anew."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from clearcnn import models
from clearcnn.bundle import MANIFEST_NAME
from clearcnn.data import PreparedImage
from clearcnn.errors import ClearCNNError, SpecError
from clearcnn.prediction import Predictions, join_predictions
from clearcnn.web.access_log import log
from clearcnn.web.http_errors import Refusal, too_many_images
from clearcnn.web.work_estimate import QUICK_SECONDS, estimate_inference
from clearcnn.web.workers import Work
from clearcnn.workflows.runs.load_onnx_model import OpenModel, open_model
from clearcnn.workflows.runs.preprocess import prepare_picture

VERSION = "1"
"""The only version of every model; what replaces a run folder takes the place of the old."""

_MOST_IMAGES = 4096
_MOST_PROBABILITIES = 2**18  # Writing more of them as JSON would hold all other requests up.
_MOST_SECONDS = 30.0

_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_BETWEEN_TRIES = 5.0

Fingerprint = tuple[int, int, int]
OnReload = Callable[[str, bool], None]
_Found = TypeVar("_Found")


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A model that answers, under its name.

    Attributes:
      name: of the run folder.
      opened: the network, and what its run folder says of it.
    """

    name: str
    opened: OpenModel

    @property
    def class_names(self) -> tuple[str, ...]:
        """In the order of the probabilities."""
        return self.opened.manifest.class_names

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of an image: (height, width, channels)."""
        return self.opened.manifest.input.shape

    @cached_property
    def most_images(self) -> int:
        """That are taken in one request: as many as are answered within half a minute or so."""
        by_classes = _MOST_PROBABILITIES // len(self.class_names)
        return max(1, min(_MOST_IMAGES, by_classes, int(_MOST_SECONDS / self._seconds)))

    @cached_property
    def _seconds(self) -> float:
        """That one image takes, estimated."""
        return estimate_inference(models.count_operations(self.opened.manifest.model, self.shape))

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of an image."""
        return self.opened.predictor.dtype

    def check_values(self, images: NDArray[Any]) -> None:
        """Raise a Refusal, 400, if values lie outside the range that the model was trained on."""
        low, high = self.opened.manifest.input.value_range
        least, most = images.min(), images.max()
        if least < low or most > high:
            raise Refusal(
                400,
                f"The images hold values from {least:g} to {most:g}; the model was trained on "
                f"{low:g} to {high:g}.",
                remedy="Scale them to that range, or send picture files to /predict.",
            )

    def prepare(self, content: bytes, name: str, *, keep_polarity: bool) -> PreparedImage:
        """Make a picture file like those the model was trained on.

        Raises:
          DataError: it cannot be read.
        """
        contract = self.opened.manifest.input
        return prepare_picture(content, name, contract, keep_polarity=keep_polarity)

    def check_count(self, count: int) -> None:
        """Raise a Refusal, 413, if there are more images than are taken at once."""
        if count > self.most_images:
            raise too_many_images(count, self.most_images)

    def predict(self, images: NDArray[Any]) -> Work[NDArray[np.float32]]:
        """Calibrated probabilities (n, classes) of images (n, height, width, channels)."""
        return np.concatenate((yield from self._in_steps(images, self.opened.predictor.predict)))

    def answer(self, images: NDArray[Any]) -> Work[Predictions]:
        """Calibrated probabilities of images, and distances to the classes."""
        return join_predictions(
            (yield from self._in_steps(images, self.opened.predictor.predict_with_distances))
        )

    def _in_steps(
        self, images: NDArray[Any], ask: Callable[[NDArray[Any]], _Found]
    ) -> Work[list[_Found]]:
        at_once = max(1, int(QUICK_SECONDS / self._seconds))
        found = []
        for start in range(0, len(images), at_once):
            if len(images) > at_once:
                yield (len(images) - start) * self._seconds
            found.append(ask(images[start : start + at_once]))
        return found


@dataclass
class _Place:
    """Where a model is read from, and what was read there last."""

    folder: Path
    model: ServedModel
    fingerprint: Fingerprint
    looked: float
    is_loading: bool = False


class ServedModels:
    """Models by name, each from its run folder.

    A request looks at most once a second whether the folder was replaced. If so, the new model
    is loaded in a thread while the old one goes on answering, and takes its place when it is
    ready; requests that were begun with the old one end with it. If it cannot be loaded, the
    old one stays, and it is tried again.

    Args:
      runs: run folders; a model is called as its folder is. A link may lead to one, and be
        replaced by a link to another.
      on_reload: told of every model loaded anew: its name, and whether that succeeded.
    Raises:
      SpecError: there is no run folder, or two have one name.
      ClearCNNError: a model cannot be loaded.
    """

    def __init__(self, runs: Sequence[Path | str], on_reload: OnReload | None = None) -> None:
        self._on_reload = on_reload or (lambda *_: None)
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="clearcnn-loader")
        self._loading: set[asyncio.Future[None]] = set()
        self._places: dict[str, _Place] = {}
        for run in runs:
            folder = Path(os.path.abspath(run))  # noqa: PTH100 - a link must stay one.
            if folder.name in self._places:
                raise SpecError(
                    f"Two run folders are called {folder.name}.", remedy="Rename one of them."
                )
            model, fingerprint = _load(folder)
            self._places[folder.name] = _Place(folder, model, fingerprint, time.monotonic())
        if not self._places:
            raise SpecError("There is no model to serve.", remedy="Name a run folder.")

    @property
    def names(self) -> tuple[str, ...]:
        """Of all models, in the order they were given."""
        return tuple(self._places)

    @property
    def folders(self) -> dict[str, Path]:
        """Where each model is read from, by name."""
        return {name: place.folder for name, place in self._places.items()}

    @property
    def first(self) -> ServedModel:
        """The model that was named first, as it is now."""
        return self._places[self.names[0]].model

    def get(self, name: str | None = None) -> ServedModel:
        """Give the model to answer with; call it in the event loop.

        Args:
          name: None gives the first.
        Raises:
          Refusal: 404, there is none of that name.
        """
        place = self._places.get(self.names[0] if name is None else name)
        if place is None:
            raise Refusal(
                404,
                f"There is no model {name!r}.",
                remedy=f"Ask for one of: {', '.join(self.names)}.",
            )
        self._look(place)
        return place.model

    def close(self) -> None:
        """Load nothing more."""
        self._loader.shutdown(wait=True)

    def _look(self, place: _Place) -> None:
        now = time.monotonic()
        if place.is_loading or now - place.looked < _SECONDS_BETWEEN_LOOKS:
            return
        place.looked = now
        found = _take_fingerprint(place.folder)
        # Between two renames there may be nothing.
        if found is None or found == place.fingerprint:
            return
        place.is_loading = True
        task = asyncio.ensure_future(self._reload(place))
        self._loading.add(task)
        task.add_done_callback(self._loading.discard)

    async def _reload(self, place: _Place) -> None:
        name = place.model.name
        try:
            loop = asyncio.get_running_loop()
            place.model, place.fingerprint = await loop.run_in_executor(
                self._loader, _load, place.folder
            )
            log("model loaded anew", model=name, created=place.model.opened.manifest.created)
            self._on_reload(name, True)
        except Exception as error:  # A broken folder must not stop what works.
            place.looked = time.monotonic() + _SECONDS_BETWEEN_TRIES - _SECONDS_BETWEEN_LOOKS
            log("model not loaded", level=logging.ERROR, model=name, error=str(error))
            self._on_reload(name, False)
        finally:
            place.is_loading = False


def _load(folder: Path) -> tuple[ServedModel, Fingerprint]:
    before = _take_fingerprint(folder)
    opened = open_model(folder)
    after = _take_fingerprint(folder)
    if before is None or before != after:
        raise ClearCNNError(
            f"The run folder {folder} was replaced while it was read.", remedy="Try again."
        )
    return ServedModel(folder.name, opened), before


def _take_fingerprint(folder: Path) -> Fingerprint | None:
    try:
        status = (folder / MANIFEST_NAME).stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
