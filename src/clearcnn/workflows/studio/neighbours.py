"""The pictures that a trained model finds most alike: nearest before its last layer."""

import threading
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from clearcnn import models
from clearcnn.data.safe_files import read_bytes
from clearcnn.errors import ClearCNNError
from clearcnn.prediction import BATCH_SIZE, LayerOutput
from clearcnn.types import Array, JsonObject
from clearcnn.workflows.runs.preprocess import prepare_image
from clearcnn.workflows.runs.read_onnx import read_onnx_file
from clearcnn.workflows.runs.save_onnx import MODEL_WITH_LAYERS
from clearcnn.workflows.studio.attempts import Attempt
from clearcnn.workflows.studio.class_folder import ClassFolder

_MOST_NEIGHBOURS = 12

_File = tuple[int, int, int]
"""What stays when a picture is moved to another class: inode, time of change, size."""


class NeighbourFinder:
    """Finds the nearest pictures of a class folder by the features of one of its runs.

    The features of the run that was asked for last are kept, so that only the first question takes
    long. Methods may be called from any thread.

    Args:
      folder: the class folder.
    """

    def __init__(self, folder: ClassFolder) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._run = ""
        self._known: dict[_File, NDArray[np.float32] | None] = {}

    def find(self, attempt: Attempt, picture: str) -> JsonObject:
        """Find the pictures nearest to one, among those that the run was not tested on.

        Returns:
          `picture`, with its `class_name` now; `num_compared`; and `neighbours`, nearest first,
          each with `picture`, `class_name` and `distance`.
        Raises:
          StudioError: there is no such picture any more.
          ClearCNNError: the run's model or the picture cannot be read.
        """
        self._folder.path_of(picture)
        others = [f"{each.name}/{name}" for each in self._folder.scan() for name in each.pictures]
        others = [each for each in others if each != picture and each not in attempt.right]
        with self._lock:
            features = self._measure(attempt, [picture, *others])
        own = features[0]
        if own is None:
            # Raises, and says why; unless the file has become readable since.
            own = _open_features(attempt).compute(self._read(attempt, picture)[np.newaxis])[0]
        compared = [
            (float(np.linalg.norm(values - own)), name)
            for name, values in zip(others, features[1:], strict=True)
            if values is not None
        ]
        return {
            "picture": picture,
            "class_name": picture.partition("/")[0],
            "num_compared": len(compared),
            "neighbours": [
                {"picture": name, "class_name": name.partition("/")[0], "distance": distance}
                for distance, name in sorted(compared)[:_MOST_NEIGHBOURS]
            ],
        }

    def _measure(self, attempt: Attempt, pictures: list[str]) -> list[NDArray[np.float32] | None]:
        """Compute the features of pictures; None for those that cannot be read."""
        if self._run != attempt.run.folder.name:
            self._run, self._known = attempt.run.folder.name, {}
        files = [self._identify(picture) for picture in pictures]
        missing = [k for k, file in enumerate(files) if file not in self._known]
        compute = None
        for start in range(0, len(missing), BATCH_SIZE):
            compute = compute or _open_features(attempt)
            batch = missing[start : start + BATCH_SIZE]
            read = dict(self._read_each(attempt, pictures, batch))
            for k in batch:
                self._known[files[k]] = None
            if read:
                values = compute.compute(np.stack(list(read.values())))
                for k, row in zip(read, values, strict=True):
                    self._known[files[k]] = row
        return [self._known[file] for file in files]

    def _identify(self, picture: str) -> _File:
        try:
            found = (self._folder.root / picture).stat()
        except OSError:
            return (0, 0, 0)
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _read_each(
        self, attempt: Attempt, pictures: list[str], rows: list[int]
    ) -> Iterator[tuple[int, Array]]:
        for k in rows:
            try:
                yield k, self._read(attempt, pictures[k])
            except (ClearCNNError, OSError):
                continue

    def _read(self, attempt: Attempt, picture: str) -> Array:
        content = read_bytes(self._folder.root / picture, self._folder.root)
        contract = attempt.run.manifest.input
        return prepare_image(content, picture, contract, keep_polarity=True).pixels


def _open_features(attempt: Attempt) -> LayerOutput:
    """Open the run's network up to the input of its last layer with weights."""
    manifest = attempt.run.manifest
    plans = models.plan_layers(manifest.model, manifest.input.shape, len(manifest.class_names))
    last = max(k for k, plan in enumerate(plans) if plan.weights)
    content = read_onnx_file(attempt.run, MODEL_WITH_LAYERS).content
    return LayerOutput(content, plans[max(0, last - 1)].name)
