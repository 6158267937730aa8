"""Layers that the recipes have in common."""

from clearcnn.models.recipe_inputs import PixelStatistics
from clearcnn.specs import LayerSpec


def rescale(pixels: PixelStatistics) -> LayerSpec:
    """Return a Rescaling to mean 0 and standard deviation 1."""
    deviation = pixels.standard_deviation or 1.0
    return LayerSpec("Rescaling", {"scale": 1 / deviation, "offset": -pixels.mean / deviation})


def classify(num_classes: int) -> LayerSpec:
    """Return the last layer: one probability per class."""
    return LayerSpec("Dense", {"units": num_classes, "activation": "softmax"})
