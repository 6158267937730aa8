"""When two models are trained by one and the same program.

A program depends on a model's layers, loss, metrics and optimizer, not on its weights, seeds,
names, learning rate or the numbers of its Rescaling layers, which are values it is given. Two
models of Keras's own parts whose configurations agree in the rest can share it.
"""

import json
import warnings
from typing import Any

import keras
import numpy as np

from clearcnn.training.rescaling_values import NAMES as _RESCALING_VALUES

_VALUES_NOT_PROGRAM = {"name", "seed", "build_config", "shared_object_id"}
_NAMES_OF_LAYERS = {"keras_history", "input_layers", "output_layers"}
_KERAS_PUTS = {"build", "quantize"}  # Wrapped by Keras in every layer.
_OUR_MODULES = ("keras.", "clearcnn")


class _NotKerasOwnError(Exception):
    """Something in the configuration is not Keras's own, so its name says too little."""


def identify(model: Any) -> str | None:
    """Give a text that is equal for models that share a program.

    Args:
      model: a compiled and built `keras.Model`.
    Returns:
      None where no such promise can be made: subclassed models, custom layers, losses,
      metrics or optimizers.
    """
    if type(model) is not keras.Sequential and type(model).__name__ != "Functional":
        return None
    if has_own_methods(model):
        return None
    layers = model._flatten_layers()
    numbers = {layer.name: number for number, layer in enumerate(layers)}
    try:
        # Keras warns of lambdas, which cannot be saved; nothing is saved here.
        with warnings.catch_warnings(action="ignore"):
            parts = (
                _strip(model.get_config(), numbers),
                _strip(_compile_config(model), numbers),
                [metric.name for metric in model.metrics],
                [(v.shape, str(v.dtype), bool(v.trainable)) for v in model.variables],
                [_adapted_values(layer) for layer in layers],
            )
    except _NotKerasOwnError:
        return None
    return json.dumps(parts, sort_keys=True, default=str)


def has_own_methods(model: Any) -> bool:
    """Tell whether something was put in the place of a method of the model or of its layers."""
    return any(
        callable(value) and hasattr(type(layer), name) and name not in _KERAS_PUTS
        for layer in model._flatten_layers()
        for name, value in vars(layer).items()
    )


def _compile_config(model: Any) -> Any:
    config = model.get_compile_config()
    if not config:
        raise _NotKerasOwnError
    if isinstance(config["optimizer"], dict):
        rate = config["optimizer"]["config"].get("learning_rate")
        if isinstance(rate, float):
            config["optimizer"]["config"]["learning_rate"] = None
    return config


def _adapted_values(layer: Any) -> Any:
    """Give what a Normalization computes with; it is adapted to data, and in no configuration."""
    if not isinstance(layer, keras.layers.Normalization):
        return None
    return [np.asarray(getattr(layer, name)).tolist() for name in ("mean", "variance")]


def _strip(value: Any, numbers: dict[str, int]) -> Any:
    """Take out what is a value, number the layers, and stop at what is not Keras's own."""
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
            key: _number(item, numbers) if key in _NAMES_OF_LAYERS else _strip(item, numbers)
            for key, item in value.items()
            if key not in _VALUES_NOT_PROGRAM and not key.endswith("_initializer")
        }
    if isinstance(value, (list, tuple)):
        return [_strip(item, numbers) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise _NotKerasOwnError


def _is_known(value: dict[str, Any]) -> bool:
    if value["class_name"] == "__keras_tensor__":
        return True
    module = value.get("module")
    return isinstance(module, str) and f"{module}.".startswith(_OUR_MODULES)


def _number(value: Any, numbers: dict[str, int]) -> Any:
    if isinstance(value, (list, tuple)):
        return [_number(item, numbers) for item in value]
    return numbers.get(value, value) if isinstance(value, str) else value
