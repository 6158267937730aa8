"""Layers in PyTorch by Keras's names and arguments, with logits at the end.

Covers the layers of `benchmarks/networks.py`.
"""

from typing import Any

import torch
from torch import nn

_ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU}


def stack(layers: list[Any], shape: tuple[int, int, int]) -> list[Any]:
    """Build the layers.

    Args:
      layers: of pairs, Keras's class name and its arguments.
      shape: (height, width, channels) of an image.
    """
    height, width, channels = shape
    values = torch.zeros(1, channels, height, width)
    modules = []
    for name, arguments in layers:
        made = _MAKERS[name](arguments, values.shape[1])
        with torch.no_grad():  # For the shape that the next layer gets.
            for module in made:
                values = module.eval()(values)
        modules += made
    return modules


class Rescale(nn.Module):
    """Multiply, then add."""

    def __init__(self, scale: float, offset: float) -> None:
        super().__init__()
        self.scale, self.offset = scale, offset

    def forward(self, x: Any) -> Any:
        """Rescaled values."""
        return x * self.scale + self.offset if self.offset else x * self.scale


class GlobalMaximum(nn.Module):
    """The maximum of each channel."""

    def forward(self, x: Any) -> Any:
        """(n, channels, height, width) → (n, channels)."""
        return x.amax((2, 3))


class GlobalAverage(nn.Module):
    """The mean of each channel."""

    def forward(self, x: Any) -> Any:
        """(n, channels, height, width) → (n, channels)."""
        return x.mean((2, 3))


def _convolve(arguments: Any, before: int) -> list[Any]:
    size = _pair(arguments["kernel_size"])
    is_padded = arguments.get("padding", "valid") == "same"
    layer = nn.Conv2d(
        before,
        arguments["filters"],
        size,
        _pair(arguments.get("strides", 1)),
        padding=tuple(side // 2 for side in size) if is_padded else 0,
        bias=arguments.get("use_bias", True),
    )
    return [layer, *_activate(arguments)]


def _activate(arguments: Any, _: int = 0) -> list[Any]:
    name = arguments.get("activation")
    return [_ACTIVATIONS[name]()] if name in _ACTIVATIONS else []


def _classify(arguments: Any, before: int) -> list[Any]:
    return [nn.Linear(before, arguments["units"]), *_activate(arguments)]


def _normalize(arguments: Any, before: int) -> list[Any]:
    return [nn.BatchNorm2d(before, eps=1e-3, momentum=1 - arguments["momentum"])]


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


_MAKERS = {
    "Activation": _activate,
    "BatchNormalization": _normalize,
    "Conv2D": _convolve,
    "Dense": _classify,
    "Flatten": lambda *_: [nn.Flatten()],
    "GlobalAveragePooling2D": lambda *_: [GlobalAverage()],
    "GlobalMaxPooling2D": lambda *_: [GlobalMaximum()],
    "MaxPooling2D": lambda arguments, _: [nn.MaxPool2d(arguments["pool_size"])],
    "Rescaling": lambda arguments, _: [Rescale(arguments["scale"], arguments.get("offset", 0.0))],
}
