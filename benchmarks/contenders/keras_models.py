"""The models of the workloads in Keras, not compiled."""

from types import SimpleNamespace
from typing import Any

import keras
from keras import layers


def build(workload: SimpleNamespace) -> Any:
    """Build the workload's model, with first weights from Keras's global generator."""
    head = keras.Input(workload.shape)
    if workload.model == "layers":
        return keras.Sequential([head, *_layers(workload)])
    middle, tail = _BODIES[workload.model](workload), _classify(workload.num_classes)
    return keras.Sequential([head, *middle, *tail])


def _digits(_: SimpleNamespace) -> list[Any]:
    return [
        layers.Conv2D(10, 3),
        layers.Activation("relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(50, activation="relu"),
    ]


def _mnist(_: SimpleNamespace) -> list[Any]:
    """Source: keras.io, "Simple MNIST convnet"."""
    return [
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dropout(0.5),
    ]


def _colour(_: SimpleNamespace) -> list[Any]:
    blocks: list[Any] = []
    for filters in (32, 64, 128):
        blocks += [
            layers.Conv2D(filters, 3, padding="same"),
            # Statistics that adapt within a few hundred steps.
            layers.BatchNormalization(momentum=0.9),
            layers.Activation("relu"),
            layers.MaxPooling2D(2),
        ]
    return [*blocks, layers.Flatten()]


def _growth(workload: SimpleNamespace) -> list[Any]:
    return [
        layers.Conv2D(workload.filters, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(2 * workload.filters, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
    ]


def _layers(workload: SimpleNamespace) -> list[Any]:
    return [getattr(layers, name)(**arguments) for name, arguments in workload.layers]


def _classify(num_classes: int) -> list[Any]:
    return [layers.Dense(num_classes, activation="softmax")]


_BODIES = {"digits": _digits, "mnist": _mnist, "colour": _colour, "growth": _growth}
