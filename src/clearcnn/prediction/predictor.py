"""A trained network as a predictor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from clearcnn.errors import PredictionError
from clearcnn.language import say
from clearcnn.temperature import apply_temperature
from clearcnn.types import Array

BATCH_SIZE = 32
"""Images per batch; larger batches are not faster."""

_INPUT, _OUTPUT, _DISTANCES = "images", "probabilities", "distances"
_QUIET = 4


@dataclass(frozen=True, eq=False)
class Predictions:
    """The outputs of a network for n images.

    Attributes:
      probabilities: (n, num_classes) float32 at the temperature, rows summing to 1.
      distances: (n, num_centres) float32, >= 0, of each image's features to each class; None
        if the model computes none.
    """

    probabilities: NDArray[np.float32]
    distances: NDArray[np.float32] | None


def join_predictions(batches: Sequence[Predictions]) -> Predictions:
    """Concatenate the predictions of one network for one or more batches."""
    distances = [batch.distances for batch in batches if batch.distances is not None]
    return Predictions(
        np.concatenate([batch.probabilities for batch in batches]),
        np.concatenate(distances) if distances else None,
    )


def open_session(model: bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """Open an ONNX model on the CPU.

    Args:
      model: its bytes, already checked.
      threads: cores for one batch.
    Raises:
      PredictionError: ONNX Runtime cannot read it.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _QUIET
    # An arena never returns memory; without it, memory use depends on the batch.
    options.enable_cpu_mem_arena = False
    try:
        return onnxruntime.InferenceSession(
            model,
            options,
            providers=["CPUExecutionProvider"],
            enable_fallback=0,  # Would print a message and retry.
        )
    except Exception as error:  # ONNX Runtime's own errors have no common root.
        raise _unusable(error) from error


class Predictor:
    """An ONNX model that computes calibrated probabilities.

    Threads may share one: ONNX Runtime's sessions are thread-safe.

    Args:
      model: the bytes of `model.onnx`, already checked. Bytes, unlike a path, cannot change
        between the check and their use.
      num_classes: number of classes.
      temperature: calibrates the confidence; 1 leaves probabilities unchanged.
      threads: cores for one batch; small images gain nothing from more than one.
      batch_size: images per batch; smaller batches take less memory.

    Attributes:
      shape: (height, width, channels) of an image.
      dtype: of an image.
      num_classes, temperature: the arguments.
    Raises:
      PredictionError: the bytes are not a valid model, or its inputs or outputs are unexpected.
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
        self._session = open_session(model, threads)
        try:
            # Reading a name that is not Unicode raises.
            inputs = [(each.name, each.type, each.shape) for each in self._session.get_inputs()]
            outputs = {each.name: each.shape for each in self._session.get_outputs()}
        except Exception as error:  # ONNX Runtime's own errors have no common root.
            raise _unusable(error) from error
        self.shape, self.dtype = _read_input(inputs)
        self.num_classes, self.temperature = num_classes, temperature
        self._batch_size = batch_size
        self._num_centres = _read_num_centres(outputs.get(_DISTANCES))

    def predict(self, images: Array) -> NDArray[np.float32]:
        """Compute only the probabilities of `predict_with_distances`."""
        return self._predict(images, None).probabilities

    def predict_with_distances(self, images: Array) -> Predictions:
        """Compute the probability of every class, and the distance to each if the model has them.

        Args:
          images: (n, height, width, channels) of the model's shape and dtype; n may be 0.
        Returns:
          The predictions.
        Raises:
          PredictionError: the images have another shape or dtype, or the model fails on them.
        """
        return self._predict(images, self._num_centres)

    def _predict(self, images: Array, num_centres: int | None) -> Predictions:
        if images.shape[1:] != self.shape or images.dtype != self.dtype:
            raise PredictionError(
                say(
                    "The images have the shape {shape} and dtype {dtype}; the model expects "
                    "{model_shape} of {model_dtype}.",
                    shape=images.shape[1:],
                    dtype=images.dtype,
                    model_shape=self.shape,
                    model_dtype=self.dtype,
                ),
                remedy=say(
                    "Convert the images to the shape and dtype that the model was trained on."
                ),
            )
        widths = {_OUTPUT: self.num_classes}
        if num_centres is not None:
            widths[_DISTANCES] = num_centres
        # Without images no batch is executed, since some operators reject an empty one.
        batches = [[np.empty((0, width), np.float32) for width in widths.values()]] + [
            self._run(images[start : start + self._batch_size], list(widths))
            for start in range(0, len(images), self._batch_size)
        ]
        chances, *distances = map(np.concatenate, zip(*batches, strict=True))
        return Predictions(
            apply_temperature(chances, self.temperature), distances[0] if distances else None
        )

    def _run(self, images: Array, outputs: list[str]) -> list[NDArray[np.float32]]:
        try:
            found = self._session.run(outputs, {_INPUT: np.ascontiguousarray(images)})
        except Exception as error:
            raise _unusable(error) from error
        chances, *distances = (np.asarray(values, np.float32) for values in found)
        if chances.shape != (len(images), self.num_classes) or not np.isfinite(chances).all():
            raise PredictionError(
                say(
                    "The model returned values of shape {shape} that are not valid "
                    "probabilities; expected {num_classes} classes for {num_images} images.",
                    shape=chances.shape,
                    num_classes=self.num_classes,
                    num_images=len(images),
                ),
                remedy=say("Train again, or restore the run folder from a backup."),
            )
        # A model may return other shapes than it declares.
        for each in distances:
            if each.shape != (len(images), self._num_centres):
                raise _unusable(
                    say(
                        "its distances have the shape {shape} for {num_images} images; "
                        "expected {value}",
                        shape=each.shape,
                        num_images=len(images),
                        value=(len(images), self._num_centres),
                    )
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
        raise _unusable(
            say("its inputs are {inputs}", inputs=[(name, kind) for name, kind, _ in inputs])
        )
    _, kind, shape = inputs[0]
    return tuple(shape[1:]), kinds[kind]


def _read_num_centres(shape: list[Any] | None) -> int | None:
    if shape is None:
        return None
    if len(shape) != 2 or not isinstance(shape[1], int) or shape[1] < 1:
        raise _unusable(
            say(
                "its distances are declared with the shape {shape}; expected one row of fixed "
                "length for each image",
                shape=shape,
            )
        )
    return shape[1]


def _unusable(why: object) -> PredictionError:
    reason = (str(why).strip() or type(why).__name__).splitlines()[0][:300].rstrip(".")
    return PredictionError(
        say("The ONNX model cannot be executed: {reason}.", reason=reason),
        remedy=say("Train again, or restore the run folder from a backup."),
    )
