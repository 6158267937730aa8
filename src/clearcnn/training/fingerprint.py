"""Which trainings are the same, and which models share a compiled program.

`fingerprint_program` compares models: a program depends on a model's layers, loss, metrics and
optimizer, but not on its weights, seeds, names, learning rate or the numbers of its schedule and
of its Rescaling layers, which are inputs of the program. Models of Keras's own classes whose
configurations agree in the rest share a program.

`fingerprint_network` leaves loss, metrics and optimizer out.

`fingerprint_training` and `hash_data` compare trainings: a checkpoint is resumed only by a
training with the same model, optimizer, data and settings. The weights do not count.
"""

import hashlib
import json
import warnings
from collections.abc import Callable, Iterable

import jax
import keras
import numpy as np

from clearcnn.language import say
from clearcnn.training import keras_state
from clearcnn.training.callback_state import describe_callbacks
from clearcnn.training.fit_arrays import FitArrays
from clearcnn.training.fit_setup import FitSetup
from clearcnn.training.rescaling_values import NAMES as _RESCALING_VALUES
from clearcnn.training.schedule_values import KINDS, is_number
from clearcnn.training.streamed_array import StoredArray
from clearcnn.types import Arguments, JsonObject

_INPUTS_OF_PROGRAM = {"name", "seed", "build_config", "shared_object_id"}
_LAYER_NAMES = {"keras_history", "input_layers", "output_layers"}
_OUR_MODULES = ("keras.", "clearcnn")
_TRANSIENT = {"build_config", "shared_object_id"}
_LONGEST_SHOWN = 60


class _NotKerasOwnError(Exception):
    """The configuration has something that is not Keras's own, so its name is not enough."""


def fingerprint_program(model: keras.Model) -> str | None:
    """Return a text that is equal for models that share a program.

    Args:
      model: a compiled and built `keras.Model`.
    Returns:
      The text; None if the model is subclassed or has custom layers, losses, metrics or
      optimizers, which could do anything.
    """
    return _fingerprint(model, is_trained=True)


def fingerprint_network(model: keras.Model) -> str | None:
    """Return a text that is equal for models that share a program which only predicts.

    Args:
      model: a built `keras.Model`.
    Returns:
      The text; None as from `fingerprint_program`.
    """
    return _fingerprint(model, is_trained=False)


def _fingerprint(model: keras.Model, *, is_trained: bool) -> str | None:
    if type(model) is not keras.Sequential and type(model).__name__ != "Functional":
        return None
    if keras_state.has_own_methods(model):
        return None
    layers = keras_state.flatten_layers(model)
    numbers = {layer.name: number for number, layer in enumerate(layers)}
    try:
        # Keras warns of lambdas, which cannot be saved; nothing is saved here.
        with warnings.catch_warnings(action="ignore"):
            description = (
                _strip(model.get_config(), numbers),
                _describe_training(model, numbers) if is_trained else None,
                [(v.shape, str(v.dtype), bool(v.trainable)) for v in model.variables],
                [_adapted_values(layer) for layer in layers],
            )
    except _NotKerasOwnError:
        return None
    return json.dumps(description, sort_keys=True, default=str)


def fingerprint_training(setup: FitSetup) -> JsonObject:
    """Describe a training that is about to begin, without its data.

    The model's weights do not count, since a checkpoint brings them.

    Returns:
      JSON values, equal for equal trainings in any process.
    """
    model, shuffler = setup.model, setup.shuffler
    numbers = {model.name: 0}
    for layer in keras_state.flatten_layers(model):
        numbers.setdefault(layer.name, len(numbers))
    optimizer = _try_config(model.optimizer.get_config, numbers)
    compiled = _try_config(model.get_compile_config, numbers)
    described = {
        "layers": _try_config(model.get_config, numbers),
        "weights": [[list(v.shape), str(v.dtype), bool(v.trainable)] for v in model.variables],
        "optimizer": {k: v for k, v in optimizer.items() if k not in ("name", "learning_rate")},
        "optimizer_kind": type(model.optimizer).__name__,
        "learning_rate": optimizer.get("learning_rate"),
        "loss_and_metrics": {k: v for k, v in compiled.items() if k != "optimizer"},
        "callbacks": describe_callbacks(setup.callbacks.callbacks),
        "batch_size": setup.batch_size,
        "validation_batch_size": setup.validation_batch_size,
        "shuffle": shuffler.shuffle,
        "seed": shuffler.seed,
        "initial_epoch": setup.initial_epoch,
        "samples": setup.arrays.num_train,
        "validation_samples": setup.arrays.num_validation,
    }
    # As it is read back from a checkpoint: JSON turns tuples into lists.
    plain: JsonObject = json.loads(json.dumps(described, default=_describe_other))
    return plain


def hash_data(arrays: FitArrays) -> str:
    """SHA-256 over all samples, targets and weights; of streamed arrays, a thousand even rows."""
    digest = hashlib.sha256()
    for data, rows in (
        (arrays.train, arrays.train_rows),
        (arrays.validation, arrays.validation_rows),
    ):
        digest.update(np.ascontiguousarray(rows).data)
        for leaf in jax.tree.leaves(data):
            digest.update(f"{leaf.shape} {leaf.dtype}".encode())
            is_stored = isinstance(leaf, StoredArray)
            values = leaf.sample(rows) if is_stored else np.asarray(leaf)
            digest.update(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def find_differences(then: JsonObject, now: JsonObject, *, schedule_may_differ: bool) -> list[str]:
    """List the settings in which two trainings differ; none if they are the same.

    Args:
      then: of the checkpoint.
      now: of the training that is to resume.
      schedule_may_differ: whether another learning-rate schedule is accepted; a constant rate
        must always be the same.
    """
    found = []
    for key in (*now, *(key for key in then if key not in now)):
        old, new = then.get(key), now.get(key)
        if old == new:
            continue
        both_scheduled = isinstance(old, dict) and isinstance(new, dict)
        if key == "learning_rate" and schedule_may_differ and both_scheduled:
            continue
        name = key.replace("_", " ")
        shown = [json.dumps(value) for value in (old, new)]
        is_short = max(map(len, shown)) <= _LONGEST_SHOWN and key != "data"
        found.append(
            say("{name} ({then} then, {now} now)", name=name, then=shown[0], now=shown[1])
            if is_short
            else name
        )
    return found


def _describe_training(model: keras.Model, numbers: dict[str, int]) -> tuple[object, ...]:
    return _strip(_compile_config(model), numbers), [metric.name for metric in model.metrics]


def _compile_config(model: keras.Model) -> Arguments:
    config: Arguments = model.get_compile_config()
    if not config:
        raise _NotKerasOwnError
    if isinstance(config["optimizer"], dict):
        rate = config["optimizer"]["config"].get("learning_rate")
        if isinstance(rate, float):
            config["optimizer"]["config"]["learning_rate"] = None
        elif type(keras_state.learning_rate_schedule(model)) in KINDS:
            numbers = rate["config"]
            rate["config"] = {k: v for k, v in numbers.items() if not is_number(v)}
    return config


def _adapted_values(layer: keras.Layer) -> list[object] | None:
    """Return mean and variance of a Normalization, which no configuration has after `adapt`."""
    if not isinstance(layer, keras.layers.Normalization):
        return None
    return [np.asarray(getattr(layer, name)).tolist() for name in ("mean", "variance")]


def _strip(value: object, numbers: dict[str, int]) -> object:
    """Remove the program's inputs, number the layers, and raise at what is not Keras's own."""
    if isinstance(value, dict):
        if "class_name" in value and not _is_known(value):
            raise _NotKerasOwnError
        if value.get("class_name") == "Rescaling":
            config = value["config"]
            value = {
                **value,
                "config": {k: config[k] for k in config if k not in _RESCALING_VALUES},
            }
        return {
            key: _number(item, numbers) if key in _LAYER_NAMES else _strip(item, numbers)
            for key, item in value.items()
            if key not in _INPUTS_OF_PROGRAM and not key.endswith("_initializer")
        }
    if isinstance(value, (list, tuple)):
        return [_strip(item, numbers) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise _NotKerasOwnError


def _is_known(value: dict[str, object]) -> bool:
    if value["class_name"] == "__keras_tensor__":
        return True
    module = value.get("module")
    return isinstance(module, str) and f"{module}.".startswith(_OUR_MODULES)


def _try_config(get_config: Callable[[], Arguments], numbers: dict[str, int]) -> dict[str, object]:
    """Return a configuration with layers by number; {} if a custom class has none."""
    try:
        config = get_config()
    # Keras raises any of these for a class without a configuration.
    except (RuntimeError, TypeError, ValueError):
        return {}
    numbered = _number(config or {}, numbers, leave_out=_TRANSIENT)
    return numbered if isinstance(numbered, dict) else {}


def _number(
    value: object, numbers: dict[str, int], leave_out: Iterable[str] | None = None
) -> object:
    """Replace names of layers by their numbers, in lists and, with `leave_out`, in dicts too."""
    if isinstance(value, dict) and leave_out is not None:
        return {
            str(key): _number(item, numbers, leave_out)
            for key, item in value.items()
            if key not in leave_out
        }
    if isinstance(value, (list, tuple)):
        return [_number(item, numbers, leave_out) for item in value]
    return numbers.get(value, value) if isinstance(value, str) else value


def _describe_other(value: object) -> object:
    """For JSON: the values of an array, and the type of anything else."""
    if hasattr(value, "__array__"):
        return np.asarray(value).tolist()
    return getattr(value, "__qualname__", type(value).__qualname__)
