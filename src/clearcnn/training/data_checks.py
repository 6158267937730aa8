"""Checks before a fit: labels, weights, and the classes of the validation data."""

import keras
import numpy as np
from keras import tree
from numpy.typing import NDArray

from clearcnn.errors import TrainingError
from clearcnn.language import say
from clearcnn.training import keras_state
from clearcnn.training.class_weight import find_classes
from clearcnn.training.fit_arrays import FitArrays
from clearcnn.training.keras_state import LossCall
from clearcnn.training.label_stats import Summary, summarize
from clearcnn.training.loss_labels import LossLabels, check_call
from clearcnn.types import PyTree

_MOST_NAMED = 10


def check_data(model: keras.Model, arrays: FitArrays, batch_size: int) -> list[str]:
    """Reject labels and weights that the model's losses would silently misread.

    A model with its own train_step or compute_loss may use y in any way; then only class_weight is
    checked.

    Args:
      model: a compiled `keras.Model`.
      arrays: of the fit.
      batch_size: of training; a model without a graph is traced with such a batch.
    Returns:
      Warnings, a sentence each: validation classes without a training sample, negative weights,
      weights for a class without a sample.
    Raises:
      TrainingError: labels that have no output or are not what the loss takes, weights that are
        NaN, infinite or all zero, or class weights for other classes.
    """
    if keras_state.has_own_step(model):
        return _check_class_weight(arrays, None)
    x, y, weights = arrays.train
    output = keras_state.trace_output(model, x, batch_size)
    calls = keras_state.match_losses(model, output, y, weights)
    trained = [check_call(call, "y", arrays.train_rows) for call in calls]
    num_classes = LossLabels.of(calls[0]).num_classes if len(calls) == 1 else None
    warnings = _check_class_weight(arrays, num_classes)
    what = "sample_weight" if arrays.class_weight is None else "class_weight"
    warnings += _check_weights(weights, calls, what, arrays.train_rows)
    if arrays.validation is None or not arrays.num_validation:
        return warnings
    _, y, weights = arrays.validation
    calls = keras_state.match_losses(model, output, y, weights)
    warnings += _check_weights(
        weights, calls, say("validation sample_weight"), arrays.validation_rows
    )
    for call, before in zip(calls, trained, strict=True):
        found = check_call(call, say("validation y"), arrays.validation_rows)
        if found is not None and before is not None:
            warnings += _compare_classes(before, found, call.output, is_split=arrays.is_split)
    return warnings


def _check_class_weight(arrays: FitArrays, num_classes: int | None) -> list[str]:
    if arrays.class_weight is None:
        return []
    present = np.unique(find_classes(arrays.train[1])[arrays.train_rows])
    return arrays.class_weight.check_outputs(num_classes, present)


def _check_weights(
    weights: PyTree, calls: list[LossCall], name: str, rows: NDArray[np.int32]
) -> list[str]:
    if weights is None:
        return []
    warnings = []
    for call in calls:
        _check_weight_shape(call, name)
    largest = 0.0
    for leaf in tree.flatten(weights):
        found = summarize(leaf, rows)
        if found.num_invalid:
            raise TrainingError(
                say(
                    "{name} has {num_invalid:,} NaN or infinite values.",
                    name=name,
                    num_invalid=found.num_invalid,
                ),
                remedy=say("Give each sample a finite weight; 0 leaves it out."),
            )
        if found.num_negative:
            warnings.append(
                say(
                    "{name} has {num_negative:,} negative values, down to {low:g}: training "
                    "makes the loss of these samples larger.",
                    name=name,
                    num_negative=found.num_negative,
                    low=found.low,
                )
            )
        largest = max(largest, found.high, -found.low)
    if not largest:
        raise TrainingError(
            say("{name} gives every sample the weight 0.", name=name),
            remedy=say("Give some sample a weight above 0."),
        )
    return warnings


def _check_weight_shape(call: LossCall, name: str) -> None:
    """Reject weights that broadcasting would align with another axis than the samples."""
    if call.sample_weight is None or LossLabels.of(call).kind == "other":
        return
    has, values = call.sample_weight.shape[1:], tuple(call.y_pred.shape[1:-1])
    # Keras drops or adds one last axis of size 1, and broadcasts the rest as NumPy does.
    if len(has) == len(values) + 1 and has[-1] == 1:
        has = has[:-1]
    elif len(has) == len(values) - 1:
        has = (*has, 1)
    fits = len(has) == len(values) and all(
        size == 1 or other is None or size == other for size, other in zip(has, values, strict=True)
    )
    if fits:
        return
    count = call.y.shape[0]
    wanted = (count, *values)
    output = say(" of the output {output!r}", output=call.output) if call.output else ""
    remedy = say(
        "Give one weight per sample, as an array of shape {value}",
        value=(count, *(1 for _ in values)),
    )
    raise TrainingError(
        say(
            "{name}{output} has the shape {shape}, and the loss has one value for each of "
            "{wanted}.",
            name=name,
            output=output,
            shape=tuple(call.sample_weight.shape),
            wanted=wanted,
        ),
        remedy=say("{remedy}, or one per value.", remedy=remedy)
        if values
        else say("{remedy}.", remedy=remedy),
    )


def _compare_classes(before: Summary, found: Summary, output: str, *, is_split: bool) -> list[str]:
    """Warn of validation classes without training samples, or of a split with a single class."""
    if not before.classes.any():
        return []
    of = say(" of the output {output!r}", output=output) if output else ""
    remedy = say(
        "Split by class: train_test_split(x, y, stratify=y) or StratifiedKFold of scikit-learn."
    )
    if is_split:
        remedy = say(
            "validation_split takes the last rows without shuffling: shuffle x and y "
            "first, or split by class with scikit-learn's train_test_split(x, y, "
            "stratify=y)."
        )
    missing = np.flatnonzero(found.classes & ~before.classes)
    held = np.flatnonzero(found.classes)
    if len(missing):
        named = ", ".join(map(str, missing[:_MOST_NAMED]))
        more = (
            say(" and {num_missing} more", num_missing=len(missing) - _MOST_NAMED)
            if len(missing) > _MOST_NAMED
            else ""
        )
        return [
            say(
                "{number} of {num_classes} validation classes{of_output} have no training sample: "
                "{names}{more}. The model cannot learn them. {remedy}",
                number=len(missing),
                num_classes=len(held),
                of_output=of,
                names=named,
                more=more,
                remedy=remedy,
            )
        ]
    if is_split and len(held) == 1 and before.classes.sum() > 1:
        return [
            say(
                "All {num_samples:,} validation samples{of_output} are of class {class_name}, and "
                "{classes} classes are in the training data. {remedy}",
                num_samples=found.num_samples,
                of_output=of,
                class_name=held[0],
                classes=before.classes.sum(),
                remedy=remedy,
            )
        ]
    return []
