"""Detect NaN and infinity in a training, and name the likely causes.

A gradient that is NaN or infinite makes the weights so in the same step, and they stay so to the
end of the epoch; it is enough to check there.
"""

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import keras
import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearcnn.errors import DivergenceError
from clearcnn.language import say
from clearcnn.training import keras_state
from clearcnn.training.fit_arrays import FitArrays
from clearcnn.training.keras_state import State
from clearcnn.training.rescaling_values import read_means
from clearcnn.training.streamed_array import StoredArray
from clearcnn.types import Logs, NumPyArray, PyTree

_LOSSES = {"loss": "loss", "val_loss": say("validation loss")}
_LARGE_VALUE = 100.0
_SCALING_LAYERS = (
    keras.layers.Rescaling,
    keras.layers.Normalization,
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
)


def is_finite(state: State, logs: Mapping[str, ArrayLike]) -> jax.Array:
    """Tell, inside a program or outside, whether losses and weights are finite after an epoch.

    Args:
      state: as `keras_state.read_state` returns it; the model's own variables are checked.
      logs: of the epoch; "loss" and "val_loss" are checked.
    Returns:
      A bool array of shape ().
    """
    trainable, other, *_ = state
    floats = [a for a in (*trainable, *other) if jnp.issubdtype(a.dtype, jnp.floating)]
    floats += [jnp.asarray(logs[name]) for name in _LOSSES if name in logs]
    return jnp.stack([jnp.isfinite(a).all() for a in floats] or [jnp.bool_(True)]).all()


def describe_divergence(
    model: keras.Model, arrays: FitArrays, epoch: int, finished: Sequence[Logs], last: Logs
) -> DivergenceError:
    """Return an error that names the likely causes, with the figures of this training.

    Args:
      model: with the state of the last good epoch.
      arrays: the data, on the host or on the device.
      epoch: the epoch that diverged, counted from 0.
      finished: the logs of the good epochs of this call, in order.
      last: the logs of the epoch that diverged.
    """
    what = say("weights became infinite or NaN")
    for name, words in _LOSSES.items():
        if not np.isfinite(last.get(name, 0.0)):
            what = say("the {words} became {last:g}", words=words, last=last[name])
            break
    causes = (
        *_find_bad_values(arrays),
        *_find_bad_labels(model, arrays),
        *_find_large_values(model, arrays),
        _suggest_rate(model, [row["loss"] for row in finished if "loss" in row]),
    )
    kept = say("the epochs before it are kept") if epoch else say("no epoch was finished")
    return DivergenceError(
        say(
            "Training stopped in epoch {epoch}: {what}; {kept}.",
            epoch=epoch + 1,
            what=what,
            kept=kept,
        ),
        remedy=say("Fix the first of these, and train again."),
        epoch=epoch,
        causes=causes,
    )


def _find_bad_values(arrays: FitArrays) -> list[str]:
    """Find NaN and infinity in the data, a certain cause."""
    found = []
    names = "x", "y", "sample_weight"
    trees = [(*each, arrays.train_rows) for each in zip(names, arrays.train, strict=True)]
    for name, tree in zip(names, arrays.validation or (), strict=False):
        trees.append((say("validation {name}", name=name), tree, arrays.validation_rows))
    for name, tree, rows in trees:
        for values in _read(tree, rows):
            bad = ~np.isfinite(values.reshape(len(values), -1)).all(axis=1)
            if bad.any():
                found.append(
                    say(
                        "{name} holds NaN or infinite values in {bad:,} of {num_values:,} samples.",
                        name=name,
                        bad=int(bad.sum()),
                        num_values=len(values),
                    )
                )
    return found


def _find_bad_labels(model: keras.Model, arrays: FitArrays) -> list[str]:
    """Find class numbers for which the model has no output."""
    labels = [y for y in _read(arrays.train[1], arrays.train_rows) if y.dtype.kind in "iu"]
    outputs = keras.tree.flatten(getattr(model, "outputs", None) or [])
    if len(labels) != 1 or len(outputs) != 1 or labels[0].size != len(labels[0]):
        return []
    least, most, classes = int(labels[0].min()), int(labels[0].max()), outputs[0].shape[-1]
    if classes is None or classes < 2 or (least >= 0 and most < classes):
        return []
    return [
        say(
            "The labels run from {least} to {most}, but the model has {classes} outputs.",
            least=least,
            most=most,
            classes=classes,
        )
    ]


def _find_large_values(model: keras.Model, arrays: FitArrays) -> list[str]:
    """Find large inputs that no first layer rescales."""
    seen = [x for x in _read(arrays.train[0], arrays.train_rows) if np.isfinite(x).all()]
    if not seen:
        return []
    low, high = min(float(x.min()) for x in seen), max(float(x.max()) for x in seen)
    scaling = _find_scaling(model)
    if scaling is not None and type(scaling) is keras.layers.Rescaling:
        scale, offset = read_means(scaling)
        scaled = np.asarray([low, high], np.float64) * scale + offset
        if np.abs(scaled).max() <= _LARGE_VALUE:
            return []
        return [
            say(
                "The values run from {low:g} to {high:g}, and from {scaled_low:g} to "
                "{scaled_high:g} "
                "after Rescaling; about -1 to 1 trains well.",
                low=low,
                high=high,
                scaled_low=scaled.min(),
                scaled_high=scaled.max(),
            )
        ]
    if scaling is not None or max(abs(low), abs(high)) <= _LARGE_VALUE:
        return []
    return [
        say(
            "The values run from {low:g} to {high:g}, and no layer rescales them: begin with "
            "Rescaling({scale:.2g}).",
            low=low,
            high=high,
            scale=1 / max(abs(low), abs(high)),
        )
    ]


def _find_scaling(model: keras.Model) -> keras.Layer | None:
    """Find the layer that scales the inputs, if it comes before any other with weights."""
    for layer in keras_state.flatten_layers(model, include_self=False):
        if isinstance(layer, _SCALING_LAYERS):
            return layer
        if layer.weights and not getattr(layer, "layers", None):
            break
    return None


def _suggest_rate(model: keras.Model, losses: list[float]) -> str:
    rate = float(np.asarray(model.optimizer.learning_rate))
    name = type(model.optimizer).__name__
    sentence = say(
        "The learning rate of {name} was {rate:.3g}: try {lower_rate:.3g}.",
        name=name,
        rate=rate,
        lower_rate=rate / 10,
    )
    if len(losses) > 1 and losses[-1] > 2 * min(losses):
        sentence = say(
            "The learning rate of {name} was {rate:.3g}, and the loss rose from "
            "{first_loss:.4g} to {last_loss:.4g} before: try {lower_rate:.3g}.",
            name=name,
            rate=rate,
            first_loss=min(losses),
            last_loss=losses[-1],
            lower_rate=rate / 10,
        )
    return sentence


def _read(tree: PyTree, rows: NDArray[np.int32]) -> list[NumPyArray]:
    """Return the rows of each array; of arrays in files, evenly chosen ones."""
    found = []
    for leaf in jax.tree.leaves(tree):
        if isinstance(leaf, StoredArray):
            found.append(leaf.sample(rows))
        else:
            found.append(np.asarray(leaf)[rows])
    return found
