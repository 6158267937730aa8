"""A trained network that answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from clearcnn.errors import PredictionError
from clearcnn.temperature import apply_temperature

BATCH_SIZE = 32
"""Images at once: more are no quicker."""

_INPUT, _OUTPUT, _DISTANCES = "images", "probabilities", "distances"
_QUIET = 4


@dataclass(frozen=True, eq=False)
class Answers:
    """What a network says of n images.

    Attributes:
      probabilities: (n, num_classes) float32 at the temperature, rows summing to 1.
      distances: (n, num_centres) float32, >= 0, of each image's features to each class; None
        from a model that gives none.
    """

    probabilities: NDArray[np.float32]
    distances: NDArray[np.float32] | None


def join_answers(parts: Sequence[Answers]) -> Answers:
    """Join what one network says of several arrays of images, at least one, in order."""
    distances = [part.distances for part in parts if part.distances is not None]
    return Answers(
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate(distances) if distances else None,
    )


class Predictor:
    """An ONNX model, opened once, that gives calibrated probabilities.

    Threads may share one: ONNX Runtime's sessions may run side by side.

    Args:
      model: the bytes of `model.onnx`, checked by whoever read them. Given as bytes, they
        cannot change between that check and their use.
      num_classes: classes to tell apart.
      temperature: that makes confidence mean what it says; 1 leaves probabilities as they are.
      threads: cores for one batch; images this small gain nothing from more than one.
      batch_size: images at once; fewer take less memory.

    Attributes:
      shape: (height, width, channels) of an image.
      dtype: NumPy's, of an image.
      num_classes, temperature: as given.
    Raises:
      PredictionError: the bytes are no model, or one of another form.
    """

    def __init__(
        self,
        model: bytes,
        num_classes: int,
        *,
        temperature: float = 1.0,
        threads: int = 1,
        batch_size: int = BATCH_SIZE,
    ) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _QUIET
        # An arena keeps what it once took; without it, memory follows the batch.
        options.enable_cpu_mem_arena = False
        try:
            self._session = onnxruntime.InferenceSession(
                model,
                options,
                providers=["CPUExecutionProvider"],
                enable_fallback=0,  # It would print, and try the same once more.
            )
            # Asked for a name that is no Unicode, it raises.
            inputs = [(each.name, each.type, each.shape) for each in self._session.get_inputs()]
            outputs = {each.name: each.shape for each in self._session.get_outputs()}
        except Exception as error:  # ONNX Runtime's own errors have no common root.
            raise _unusable(error) from error
        self.shape, self.dtype = _read_input(inputs)
        self.num_classes, self.temperature = num_classes, temperature
        self._batch_size = batch_size
        self._num_centres = _read_num_centres(outputs.get(_DISTANCES))

    def predict(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """Give the probability of every class alone, as `answer` does."""
        return self._answer(images, None).probabilities

    def answer(self, images: NDArray[Any]) -> Answers:
        """Give the probability of every class, and the distance to each where the model has it.

        Args:
          images: (n, height, width, channels) of the model's shape and dtype; n may be 0.
        Returns:
          Answers.
        Raises:
          PredictionError: the images have another shape or dtype, or the model fails on them.
        """
        return self._answer(images, self._num_centres)

    def _answer(self, images: NDArray[Any], num_centres: int | None) -> Answers:
        if images.shape[1:] != self.shape or images.dtype != self.dtype:
            raise PredictionError(
                f"Images of shape {images.shape[1:]} and dtype {images.dtype} were given; the "
                f"model takes {self.shape} of {self.dtype}.",
                remedy="Bring the images to the shape and dtype the model was trained on.",
            )
        widths = {_OUTPUT: self.num_classes}
        if num_centres is not None:
            widths[_DISTANCES] = num_centres
        # No batch at all for no image: not every operator takes that.
        batches = [[np.empty((0, width), np.float32) for width in widths.values()]] + [
            self._run(images[start : start + self._batch_size], list(widths))
            for start in range(0, len(images), self._batch_size)
        ]
        chances, *distances = map(np.concatenate, zip(*batches, strict=True))
        return Answers(
            apply_temperature(chances, self.temperature), distances[0] if distances else None
        )

    def _run(self, images: NDArray[Any], outputs: list[str]) -> list[NDArray[np.float32]]:
        try:
            found = self._session.run(outputs, {_INPUT: np.ascontiguousarray(images)})
        except Exception as error:
            raise _unusable(error) from error
        chances, *distances = (np.asarray(values, np.float32) for values in found)
        if chances.shape != (len(images), self.num_classes) or not np.isfinite(chances).all():
            raise PredictionError(
                f"The model gave values of shape {chances.shape} that are no probabilities of "
                f"{self.num_classes} classes for {len(images)} images.",
                remedy="Train again, or give the run folder as it was written.",
            )
        # What a model declares is no promise.
        for each in distances:
            if each.shape != (len(images), self._num_centres):
                raise _unusable(
                    f"its distances have the shape {each.shape} for {len(images)} images; "
                    f"{(len(images), self._num_centres)} was expected"
                )
        return [chances, *distances]


def _read_input(inputs: list[tuple[str, str, list[Any]]]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    kinds = {
        f"tensor({name})": np.dtype(dtype)
        for name, dtype in (
            ("uint8", np.uint8),
            ("uint16", np.uint16),
            ("float", np.float32),
            ("double", np.float64),
        )
    }
    if [name for name, _, _ in inputs] != [_INPUT] or inputs[0][1] not in kinds:
        raise _unusable(f"its inputs are {[(name, kind) for name, kind, _ in inputs]}")
    _, kind, shape = inputs[0]
    return tuple(shape[1:]), kinds[kind]


def _read_num_centres(shape: list[Any] | None) -> int | None:
    if shape is None:
        return None
    if len(shape) != 2 or not isinstance(shape[1], int) or shape[1] < 1:
        raise _unusable(
            f"its distances are declared as {shape}; one row of a fixed length for each image "
            "was expected"
        )
    return shape[1]


def _unusable(why: object) -> PredictionError:
    reason = (str(why).strip() or type(why).__name__).splitlines()[0][:300].rstrip(".")
    return PredictionError(
        f"The ONNX model cannot be executed: {reason}.",
        remedy="Train again, or give the run folder as it was written.",
    )
