"""One run that is being served: its predictions, and the data that the page shows of it."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import cached_property
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from clearcnn import models
from clearcnn.bundle import Bundle, Manifest
from clearcnn.data import PreparedImage
from clearcnn.errors import ClearCNNError
from clearcnn.language import say
from clearcnn.prediction import Predictions, join_predictions
from clearcnn.types import Pixels
from clearcnn.web.http_errors import Refusal, too_many_images
from clearcnn.web.work_estimate import QUICK_SECONDS, estimate_inference
from clearcnn.web.workers import Work
from clearcnn.workflows.runs.load_onnx_model import OpenModel
from clearcnn.workflows.runs.preprocess import prepare_image
from clearcnn.workflows.runs.run_version import RunVersion

_MOST_IMAGES = 4096
_MOST_PROBABILITIES = 2**18  # Writing more of them as JSON would block all other requests.
_MOST_SECONDS = 30.0

_T = TypeVar("_T")


class ServedRun:
    """A run that is loaded and ready.

    Args:
      name: the name under which it is served.
      opened: its network.
      version: the run folder at the moment it was loaded.
      executor: runs what `make_once` is given.
    """

    def __init__(
        self, name: str, opened: OpenModel, version: RunVersion, executor: Executor
    ) -> None:
        self.name = name
        self.opened = opened
        self.version = version
        self._executor = executor
        self._lock = threading.Lock()
        self._made: dict[str, Future[object]] = {}

    @property
    def manifest(self) -> Manifest:
        """The run's manifest."""
        return self.opened.manifest

    @property
    def class_names(self) -> tuple[str, ...]:
        """The class names, in the order of the probabilities."""
        return self.manifest.class_names

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of an image: (height, width, channels)."""
        return self.manifest.input.shape

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The dtype of an image."""
        return self.opened.predictor.dtype

    @cached_property
    def most_images(self) -> int:
        """The most images in one request: as many as take about half a minute."""
        by_classes = _MOST_PROBABILITIES // len(self.class_names)
        return max(1, min(_MOST_IMAGES, by_classes, int(_MOST_SECONDS / self._seconds)))

    @cached_property
    def _seconds(self) -> float:
        """Estimated seconds for one image."""
        return estimate_inference(models.count_operations(self.manifest.model, self.shape))

    async def make_once(self, key: str, make: Callable[[Bundle], _T]) -> _T:
        """Return `make(bundle)`, which is called once per key; later calls return its result.

        Concurrent first calls wait for the same result. A failure is not kept: the next call
        tries again.

        Args:
          key: what is made, such as "weights".
          make: called in a thread. Every file that it reads through the bundle is checked
            against the hashes of this run, so a replaced folder is an error.
        Raises:
          Refusal: 409, the folder has changed, or one of its files is invalid.
        """
        with self._lock:
            future = self._made.get(key)
            if future is None:
                bundle = Bundle(self.version.folder, self.manifest)
                future = self._made[key] = self._executor.submit(make, bundle)
        try:
            return cast(_T, await asyncio.shield(asyncio.wrap_future(future)))
        except (OSError, ClearCNNError) as error:
            self._forget(key, future)
            raise _conflict(error) from error
        except Exception:
            self._forget(key, future)
            raise

    def check_values(self, images: Pixels) -> None:
        """Raise a Refusal, 400, if values lie outside the range that the model was trained on."""
        low, high = self.manifest.input.value_range
        least, most = images.min(), images.max()
        if least < low or most > high:
            raise Refusal(
                400,
                say(
                    "The images hold values from {least:g} to {most:g}; the model was trained "
                    "on {low:g} to {high:g}.",
                    least=least,
                    most=most,
                    low=low,
                    high=high,
                ),
                remedy=say("Scale them to that range, or send image files to /predict."),
            )

    def check_count(self, count: int) -> None:
        """Raise a Refusal, 413, if one request may not hold that many images."""
        if count > self.most_images:
            raise too_many_images(count, self.most_images)

    def prepare(self, content: bytes, name: str, *, keep_polarity: bool) -> PreparedImage:
        """Preprocess an image file as the training images were.

        Raises:
          DataError: it cannot be read.
        """
        contract = self.manifest.input
        return prepare_image(content, name, contract, keep_polarity=keep_polarity)

    def predict(self, images: Pixels) -> Work[NDArray[np.float32]]:
        """Compute calibrated probabilities (n, classes) of images (n, height, width, channels)."""
        return np.concatenate((yield from self._in_steps(images, self.opened.predictor.predict)))

    def answer(self, images: Pixels) -> Work[Predictions]:
        """Compute calibrated probabilities of images, and their distances to the classes."""
        return join_predictions(
            (yield from self._in_steps(images, self.opened.predictor.predict_with_distances))
        )

    def _in_steps(self, images: Pixels, compute: Callable[[Pixels], _T]) -> Work[list[_T]]:
        at_once = max(1, int(QUICK_SECONDS / self._seconds))
        found = []
        for start in range(0, len(images), at_once):
            if len(images) > at_once:
                yield (len(images) - start) * self._seconds
            found.append(compute(images[start : start + at_once]))
        return found

    def _forget(self, key: str, future: Future[object]) -> None:
        with self._lock:
            if self._made.get(key) is future:
                del self._made[key]


def _conflict(error: OSError | ClearCNNError) -> Refusal:
    if isinstance(error, ClearCNNError):
        return Refusal(409, error.problem, remedy=error.remedy)
    return Refusal(
        409,
        say("The run folder cannot be read: {error}.", error=error),
        remedy=say("Train the run again."),
    )
