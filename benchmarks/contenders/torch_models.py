"""The models of the workloads in PyTorch, returning logits; the same sizes as in Keras."""

import math
from types import SimpleNamespace
from typing import Any

from torch import nn
from torch_layers import stack


def build(workload: SimpleNamespace) -> Any:
    """Build the workload's model with Keras's first weights: Glorot uniform, biases zero."""
    model = nn.Sequential(*_BODIES[workload.model](workload))
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return model


def count_parameters(model: Any) -> int:
    """Count the trainable parameters."""
    return sum(math.prod(p.shape) for p in model.parameters())


def _digits(workload: SimpleNamespace) -> list[Any]:
    return [
        nn.Conv2d(1, 10, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(90, 50),
        nn.ReLU(),
        nn.Linear(50, workload.num_classes),
    ]


def _mnist(workload: SimpleNamespace) -> list[Any]:
    return [
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(1600, workload.num_classes),
    ]


def _colour(workload: SimpleNamespace) -> list[Any]:
    blocks: list[Any] = []
    before = 3
    for filters in (32, 64, 128):
        blocks += [
            nn.Conv2d(before, filters, 3, padding=1),
            nn.BatchNorm2d(filters, eps=1e-3, momentum=0.1),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
        before = filters
    return [*blocks, nn.Flatten(), nn.Linear(128 * 16, workload.num_classes)]


def _growth(workload: SimpleNamespace) -> list[Any]:
    height, _, channels = workload.shape
    filters, side = workload.filters, height // 4
    return [
        nn.Conv2d(channels, filters, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(filters, 2 * filters, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(2 * filters * side**2, workload.num_classes),
    ]


def _layers(workload: SimpleNamespace) -> list[Any]:
    return stack(workload.layers, workload.shape)


_BODIES = {
    "digits": _digits,
    "mnist": _mnist,
    "colour": _colour,
    "growth": _growth,
    "layers": _layers,
}
