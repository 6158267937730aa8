import pytest

from clearcnn.models.layer_format import Place, describe_layer, describe_shape
from clearcnn.models.layers import complete_layer
from clearcnn.specs import LayerSpec


@pytest.mark.parametrize(
    ("layer", "arguments", "name"),
    [
        ("Conv2D", {"filters": 10, "kernel_size": 3}, "Conv2D 10 · 3×3"),
        (
            "Conv2D",
            {
                "filters": 10,
                "kernel_size": 3,
                "strides": 2,
                "padding": "same",
                "activation": "relu",
            },
            "Conv2D 10 · 3×3 · strides 2 · same · relu",
        ),
        (
            "Conv2D",
            {"filters": 8, "kernel_size": (1, 3), "dilation_rate": (1, 2), "use_bias": False},
            "Conv2D 8 · 1×3 · dilation 1×2 · no bias",
        ),
        (
            "DepthwiseConv2D",
            {"kernel_size": 3, "depth_multiplier": 2},
            "DepthwiseConv2D 3×3 · depth ×2",
        ),
        ("SeparableConv2D", {"filters": 16, "kernel_size": 3}, "SeparableConv2D 16 · 3×3"),
        ("MaxPooling2D", {}, "MaxPooling2D 2×2"),
        ("MaxPooling2D", {"pool_size": 3, "strides": 1}, "MaxPooling2D 3×3 · strides 1"),
        ("Dense", {"units": 50, "activation": "relu"}, "Dense 50 · relu"),
        ("Activation", {"activation": "linear"}, "Activation linear"),
        ("Dropout", {"rate": 0.25}, "Dropout 0.25"),
        ("ZeroPadding2D", {}, "ZeroPadding2D 1"),
        ("ZeroPadding2D", {"padding": (1, 2)}, "ZeroPadding2D 1×2"),
        ("ZeroPadding2D", {"padding": ((0, 1), (2, 3))}, "ZeroPadding2D 0+1 × 2+3"),
        ("Rescaling", {"scale": 1 / 16}, "Rescaling ×0.0625"),
        ("Rescaling", {"scale": 2 / 255, "offset": -1}, "Rescaling ×0.007843 · −1"),
        ("Rescaling", {"scale": 1, "offset": 0.5}, "Rescaling ×1 · +0.5"),
        ("BatchNormalization", {"momentum": 0.9}, "BatchNormalization"),
        ("Flatten", {}, "Flatten"),
    ],
)
def test_layers_are_written_short(layer, arguments, name):
    assert describe_layer(layer, complete_layer(LayerSpec(layer, arguments), 1)) == name


@pytest.mark.parametrize(
    ("shape", "text"), [((8, 8, 1), "8×8×1"), ((1,), "1 value"), ((12_000,), "12,000 values")]
)
def test_shapes_are_written_for_people(shape, text):
    assert describe_shape(shape) == text


def test_places_name_the_shape_where_it_is_known():
    assert str(Place(3, "Dense", (90,))) == "Layer 3 (Dense on 90 values)"
    assert str(Place(3, "Dense", None)) == "Layer 3 (Dense)"
