"""The plain network beside a convolutional one."""

import math

import pytest

from clearcnn.errors import SpecError
from clearcnn.models import RECIPES, PixelStatistics, make_equal_mlp, summarize_model
from clearcnn.specs import LayerSpec, ModelSpec


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (20, 30, 3)])
def test_no_other_width_comes_nearer_in_parameters(recipe, shape):
    spec = RECIPES[recipe].make_model(shape, 10, PixelStatistics(5.0, 4.0))
    wanted = summarize_model(spec, shape).parameters
    mlp = make_equal_mlp(spec, shape, 10)
    units = mlp.layers[-2].arguments["units"]

    def count(width):
        return (math.prod(shape) + 1) * width + (width + 1) * 10

    gaps = {width: abs(count(width) - wanted) for width in (units - 1, units, units + 1) if width}
    assert min(gaps, key=gaps.get) == units
    assert not any("2D" in layer.layer for layer in mlp.layers)


def test_pixels_are_scaled_alike():
    spec = RECIPES["default"].make_model((8, 8, 1), 10, PixelStatistics(5.0, 4.0))
    assert make_equal_mlp(spec, (8, 8, 1), 10).layers[0] == spec.layers[0]


def test_a_model_smaller_than_any_mlp_has_no_equal():
    layers = (
        LayerSpec("Conv2D", {"filters": 2, "kernel_size": 3}),
        LayerSpec("GlobalAveragePooling2D"),
        LayerSpec("Dense", {"units": 2, "activation": "softmax"}),
    )
    with pytest.raises(SpecError, match="26 parameters; an MLP on 784 pixels and 2 classes"):
        make_equal_mlp(ModelSpec("tiny", layers), (28, 28, 1), 2)
