"""Which labels a loss takes; labels that it would silently misread raise an error.

On JAX, Keras's sparse losses ignore a class number without an output, truncate fractions, and turn
NaN into 0 or a huge number: the loss stays finite and the model is wrong.
"""

import functools
from dataclasses import dataclass
from typing import Literal

import keras
import numpy as np
from numpy.typing import NDArray

from clearcnn.errors import TrainingError
from clearcnn.language import say
from clearcnn.training.keras_state import LossCall
from clearcnn.training.label_stats import FindClasses, Summary, occurring, summarize
from clearcnn.types import PyTree

Shape = tuple[int | None, ...]
_K = keras.losses
_SPARSE = (
    _K.sparse_categorical_crossentropy,
    keras.ops.sparse_categorical_crossentropy,
    _K.categorical_generalized_cross_entropy,
)
_ONE_HOT = (
    _K.categorical_crossentropy,
    keras.ops.categorical_crossentropy,
    _K.categorical_focal_crossentropy,
    _K.categorical_hinge,
)
_BINARY = (
    _K.binary_crossentropy,
    keras.ops.binary_crossentropy,
    _K.binary_focal_crossentropy,
)
_HINGE = (_K.hinge, _K.squared_hinge)
# For rounding, as by a scaler that maps to 0..1.
_TOLERANCE = 1e-3
# The least share of a class in a smoothed or mixed label that counts as a sample of it.
_LEAST_SHARE = 0.25


@dataclass(frozen=True)
class LossLabels:
    """What one loss expects of its labels.

    Attributes:
      kind: "sparse" (class numbers), "one-hot", "binary" (0 to 1), "hinge" (-1 to 1), or
        "other", which is not checked.
      num_classes: the classes of the output; None if unknown.
      ignored: the class number that the loss leaves out, or None.
    """

    kind: Literal["sparse", "one-hot", "binary", "hinge", "other"]
    num_classes: int | None
    ignored: int | None = None

    @classmethod
    def of(cls, call: LossCall) -> "LossLabels":
        """Recognise a loss given by name, function, class or `functools.partial`."""
        function: PyTree = getattr(call.loss, "fn", None)
        options = call.options
        # Keras's own losses share one `call`; a subclass that overrides it may use y in any way.
        is_wrapper = type(call.loss).call is keras.losses.MeanSquaredError.call
        while isinstance(function, functools.partial):
            function, options = function.func, {**function.keywords, **options}
        shape: Shape = getattr(call.y_pred, "shape", ())
        if not is_wrapper or len(shape) < 2:
            return cls("other", None)
        if function in _SPARSE:
            return cls("sparse", shape[options.get("axis", -1)], options.get("ignore_class"))
        if function in _ONE_HOT:
            return cls("one-hot", shape[options.get("axis", -1)])
        if function in _BINARY:
            return cls("binary", 2 if shape[-1] == 1 else shape[-1])
        return cls("hinge", 2) if function in _HINGE else cls("other", None)


def check_call(call: LossCall, name: str, rows: NDArray[np.int32]) -> Summary | None:
    """Check the labels of one loss.

    Args:
      call: the loss, with its targets and weights.
      name: of the targets, for messages.
      rows: int32, the samples to check.
    Returns:
      Statistics, with the classes that occur if each sample has one class; None for a loss that
      is not known.
    Raises:
      TrainingError: labels that this loss would misread.
    """
    wanted = LossLabels.of(call)
    if wanted.kind == "other" or not hasattr(call.y, "shape"):
        return None
    if call.output:
        name = say("{name} of the output {output!r}", name=name, output=call.output)
    _check_shape(wanted, call, name)
    found = summarize(
        call.y,
        rows,
        sample_weight=call.sample_weight,
        ignored=wanted.ignored,
        find_classes=_class_finder(wanted, call.y_pred),
    )
    if found.num_invalid:
        raise TrainingError(
            say(
                "{name} has {num_invalid:,} NaN or infinite values.",
                name=name,
                num_invalid=found.num_invalid,
            ),
            remedy=say("Remove these samples, or give them a label."),
        )
    # Values that the model's own mask leaves out may have any label.
    if found.low <= found.high and not call.is_masked:
        _check_range(wanted, found, name)
    return found


def _class_finder(wanted: LossLabels, y_pred: keras.KerasTensor) -> FindClasses | None:
    """Return a function that finds the classes in labels; None if samples have several classes."""
    classes = wanted.num_classes
    if classes is None or len(y_pred.shape) != 2:
        return None
    if wanted.kind == "one-hot":
        return lambda values: np.any(values > _LEAST_SHARE, axis=0)
    if wanted.kind == "sparse" or (wanted.kind == "binary" and y_pred.shape[-1] == 1):
        return lambda values: occurring(
            np.rint(values) if values.dtype.kind == "f" else values, classes
        )
    return None


def _check_shape(wanted: LossLabels, call: LossCall, name: str) -> None:
    y, pred = tuple(call.y.shape[1:]), tuple(call.y_pred.shape[1:])
    if wanted.kind == "hinge":
        return
    if wanted.kind == "sparse":
        fits = _is_like(y, pred[:-1]) or _is_like(y, (*pred[:-1], 1)) or pred[-1:] == (1,)
    else:
        fits = _is_like(y, pred) or _is_like((*y, 1), pred) or _is_like(y, (*pred, 1))
    if fits:
        return
    has = say(
        "{name} has the shape {shape}, and the model's output {output_shape}",
        name=name,
        shape=_say(y),
        output_shape=_say(pred),
    )
    if wanted.kind == "sparse":
        remedy = say("Give each sample the number of its class.")
        if _is_like(y, pred):
            remedy = say(
                'For one-hot labels, compile with "categorical_crossentropy"; or give '
                "class numbers: y.argmax(axis=-1)."
            )
        raise TrainingError(
            say("{found}: this loss takes class numbers.", found=has), remedy=remedy
        )
    if wanted.kind == "one-hot":
        remedy = say(
            "Encode the labels: keras.utils.to_categorical(y, {num_classes}).", num_classes=pred[-1]
        )
        if _is_like(y, pred[:-1]) or _is_like(y, (*pred[:-1], 1)):
            remedy = say(
                'For class numbers, compile with "sparse_categorical_crossentropy"; or '
                "encode them: keras.utils.to_categorical(y, {num_classes}).",
                num_classes=pred[-1],
            )
        raise TrainingError(
            say("{found}: this loss takes one value per class.", found=has), remedy=remedy
        )
    raise TrainingError(
        say("{found}: this loss takes one value from 0 to 1 per output.", found=has),
        remedy=say(
            "Give the last layer as many units as y has values per sample. For class numbers, "
            'compile with "sparse_categorical_crossentropy".'
        ),
    )


def _check_range(wanted: LossLabels, found: Summary, name: str) -> None:
    low, high, classes = found.low, found.high, wanted.num_classes
    runs = say("{name} runs from {low:g} to {high:g}", name=name, low=low, high=high)
    if wanted.kind == "sparse":
        if found.fraction is not None:
            raise TrainingError(
                say(
                    "{name} has fractions such as {fraction:g}; this loss takes class "
                    "numbers, and would truncate them.",
                    name=name,
                    fraction=found.fraction,
                ),
                remedy=say(
                    'Give whole numbers from 0; for quantities, compile with a loss such as "mse".'
                ),
            )
        if classes is not None and (low < 0 or high >= classes):
            raise TrainingError(
                say(
                    "{runs}, and the model has {classes}.",
                    runs=runs,
                    classes=_count_outputs(classes),
                ),
                remedy=_renumber(low, high, classes),
            )
    if wanted.kind == "binary" and (low < -_TOLERANCE or high > 1 + _TOLERANCE):
        raise TrainingError(
            say("{runs}; this loss takes values from 0 to 1.", runs=runs),
            remedy=_rescale(found, low, high),
        )
    if wanted.kind == "hinge" and (low < -1 - _TOLERANCE or high > 1 + _TOLERANCE):
        raise TrainingError(
            say("{runs}; this loss takes labels of -1 and 1.", runs=runs),
            remedy=say("Map the labels to -1 and 1."),
        )


def _count_outputs(classes: int) -> str:
    return (
        say("{number} outputs, 0 to {last}", number=classes, last=classes - 1)
        if classes > 1
        else "1 output, 0"
    )


def _renumber(low: float, high: float, classes: int) -> str:
    if low > 0 and high - low < classes:
        return say("Number the classes from 0: y - {low:g}.", low=low)
    if low < 0 or high >= 2 * classes:
        odd = low if low < 0 else high
        return say(
            "Number the classes from 0. If some samples are to be left out, give them "
            "sample_weight 0, or compile with "
            "SparseCategoricalCrossentropy(ignore_class={odd:g}).",
            odd=odd,
        )
    if classes == 1:
        return say(
            'For two classes of one output, compile with "binary_crossentropy"; else give '
            "the last layer {high:g} units.",
            high=high + 1,
        )
    return say("Give the last layer {high:g} units, or number the classes from 0.", high=high + 1)


def _rescale(found: Summary, low: float, high: float) -> str:
    if found.fraction is None and (low, high) == (-1, 1):
        return "Map -1 to 0: (y + 1) / 2."
    if found.fraction is None and high - low == 1:
        return say("Number the classes 0 and 1: y - {low:g}.", low=low)
    if found.fraction is None and high < 100:
        return say(
            'For class numbers, compile with "sparse_categorical_crossentropy" and one '
            "output per class."
        )
    return say("Scale the values to 0..1, for example y / 255.")


def _is_like(shape: Shape, wanted: Shape) -> bool:
    return len(shape) == len(wanted) and all(
        size is None or other is None or size == other
        for size, other in zip(shape, wanted, strict=True)
    )


def _say(shape: Shape) -> str:
    sizes = ", ".join("any" if size is None else str(size) for size in shape)
    return f"(n, {sizes})" if sizes else "(n,)"
