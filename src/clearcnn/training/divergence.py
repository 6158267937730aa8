"""When a training's numbers stop being finite, and what the likely causes are.

A gradient that is not finite makes the weights so in the same step, and they stay so to the end
of the epoch; it is enough to look there.
"""

from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from numpy.typing import NDArray

from clearcnn.errors import DivergenceError
from clearcnn.training.fit_arrays import FitArrays
from clearcnn.training.streamed_array import StoredArray

_LOSSES = {"loss": "loss", "val_loss": "validation loss"}
_LARGE_VALUE = 100.0
_SCALING_LAYERS = (
    keras.layers.Rescaling,
    keras.layers.Normalization,
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
)

Rows = list[dict[str, float]]


def is_finite(state: Any, logs: Any) -> Any:
    """Tell, inside a program or outside, whether losses and model are finite after an epoch.

    Args:
      state: as `keras_state.read_state` gives it; of it, the model's own variables count.
      logs: of the epoch; of them, "loss" and "val_loss" count.
    Returns:
      A bool array of shape ().
    """
    trainable, other, *_ = state
    floats = [a for a in (*trainable, *other) if jnp.issubdtype(a.dtype, jnp.floating)]
    floats += [jnp.asarray(logs[name]) for name in _LOSSES if name in logs]
    return jnp.stack([jnp.isfinite(a).all() for a in floats] or [jnp.bool_(True)]).all()


def describe_divergence(
    model: Any, arrays: FitArrays, epoch: int, finished: Rows, last: dict[str, float]
) -> DivergenceError:
    """Say what happened, and name the likely causes with the figures of this training.

    Args:
      model: with the state of the last good epoch.
      arrays: what was trained on, on the host or on the device.
      epoch: the one that went wrong, counted from 0.
      finished: the logs of the good epochs of this call, in order.
      last: the logs of the one that went wrong.
    """
    what = "weights became infinite or NaN"
    for name, words in _LOSSES.items():
        if not np.isfinite(last.get(name, 0.0)):
            what = f"the {words} became {last[name]:g}"
            break
    causes = (
        *_find_bad_values(arrays),
        *_find_bad_labels(model, arrays),
        *_find_large_values(model, arrays),
        _say_rate(model, [row["loss"] for row in finished if "loss" in row]),
    )
    kept = "what came before is kept" if epoch else "no epoch before it was good"
    return DivergenceError(
        f"Training stopped in epoch {epoch + 1}: {what}; {kept}.",
        remedy="Mend the first of these, and train again.",
        epoch=epoch,
        causes=causes,
    )


def _find_bad_values(arrays: FitArrays) -> list[str]:
    """NaN and infinities in what was given: a cause for certain."""
    found = []
    names = "x", "y", "sample_weight"
    parts = [(*each, arrays.train_rows) for each in zip(names, arrays.train, strict=True)]
    for name, part in zip(names, arrays.validation or (), strict=False):
        parts.append((f"validation {name}", part, arrays.validation_rows))
    for name, part, rows in parts:
        for values in _look(part, rows):
            bad = ~np.isfinite(values.reshape(len(values), -1)).all(axis=1)
            if bad.any():
                found.append(
                    f"{name} holds NaN or infinite values in {int(bad.sum()):,} of "
                    f"{len(values):,} samples."
                )
    return found


def _find_bad_labels(model: Any, arrays: FitArrays) -> list[str]:
    """Class numbers that the model has no output for."""
    labels = [y for y in _look(arrays.train[1], arrays.train_rows) if y.dtype.kind in "iu"]
    outputs = keras.tree.flatten(getattr(model, "outputs", None) or [])
    if len(labels) != 1 or len(outputs) != 1 or labels[0].size != len(labels[0]):
        return []
    least, most, classes = int(labels[0].min()), int(labels[0].max()), outputs[0].shape[-1]
    if classes is None or classes < 2 or (least >= 0 and most < classes):
        return []
    return [f"The labels run from {least} to {most}, but the model has {classes} outputs."]


def _find_large_values(model: Any, arrays: FitArrays) -> list[str]:
    """Inputs far from 1 that no first layer brings nearer."""
    seen = [x for x in _look(arrays.train[0], arrays.train_rows) if np.isfinite(x).all()]
    if not seen:
        return []
    low, high = min(float(x.min()) for x in seen), max(float(x.max()) for x in seen)
    scaling = _find_scaling(model)
    if type(scaling) is keras.layers.Rescaling:
        ends = np.asarray([low, high], np.float64)
        scaled = ends * np.mean(scaling.scale) + np.mean(scaling.offset)
        if np.abs(scaled).max() <= _LARGE_VALUE:
            return []
        return [
            f"The values run from {low:g} to {high:g}, and from {scaled.min():g} to "
            f"{scaled.max():g} after Rescaling; about -1 to 1 trains well."
        ]
    if scaling is not None or max(abs(low), abs(high)) <= _LARGE_VALUE:
        return []
    return [
        f"The values run from {low:g} to {high:g}, and no layer brings them near 1: begin with "
        f"Rescaling({1 / max(abs(low), abs(high)):.2g})."
    ]


def _find_scaling(model: Any) -> Any:
    """Find the layer that scales the inputs, if it comes before any other with weights."""
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, _SCALING_LAYERS):
            return layer
        if layer.weights and not getattr(layer, "layers", None):
            break
    return None


def _say_rate(model: Any, losses: list[float]) -> str:
    rate = float(np.asarray(model.optimizer.learning_rate))
    name = type(model.optimizer).__name__
    sentence = f"The learning rate of {name} was {rate:.3g}: try {rate / 10:.3g}."
    if len(losses) > 1 and losses[-1] > 2 * min(losses):
        sentence = (
            f"The learning rate of {name} was {rate:.3g}, and the loss rose from "
            f"{min(losses):.4g} to {losses[-1]:.4g} before: try {rate / 10:.3g}."
        )
    return sentence


def _look(part: Any, rows: NDArray[np.int32]) -> list[NDArray[Any]]:
    """The arrays that were trained on; of those in files, evenly chosen rows."""
    found = []
    for leaf in jax.tree.leaves(part):
        if isinstance(leaf, StoredArray):
            found.append(leaf.sample(rows))
        else:
            found.append(np.asarray(leaf)[rows])
    return found
