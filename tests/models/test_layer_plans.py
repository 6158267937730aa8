"""Planned layers, against those that Keras builds."""

import pytest

from clearcnn.errors import LayerError
from clearcnn.models import LAYERS, build_model, check_output, plan_layers
from clearcnn.models.layer_arguments import ACTIVATIONS
from clearcnn.specs import LayerSpec, ModelSpec

SHAPE = (11, 9, 2)
CHAIN = (
    LayerSpec("Rescaling", {"scale": 0.1}),
    LayerSpec("ZeroPadding2D", {"padding": [[0, 1], [2, 0]]}),
    LayerSpec("Conv2D", {"filters": 4, "kernel_size": [2, 3], "strides": 2, "padding": "same"}),
    LayerSpec("Conv2D", {"filters": 5, "kernel_size": 1, "use_bias": False}),
    LayerSpec("DepthwiseConv2D", {"kernel_size": (2, 1), "depth_multiplier": 3}),
    LayerSpec("DepthwiseConv2D", {"kernel_size": 1, "use_bias": False}),
    LayerSpec("BatchNormalization"),
    LayerSpec("Dense", {"units": 6, "use_bias": False}),
    LayerSpec("SeparableConv2D", {"filters": 7, "kernel_size": 2, "depth_multiplier": 2}),
    LayerSpec("SeparableConv2D", {"filters": 3, "kernel_size": (1, 2), "use_bias": False}),
    LayerSpec("MaxPooling2D", {"pool_size": 1}),
    LayerSpec("AveragePooling2D", {"pool_size": 1}),
    LayerSpec("Dropout", {"rate": 0.2, "name": "dropped"}),
    LayerSpec("Activation", {"activation": ACTIVATIONS[0]}),
)
ENDINGS = (
    (LayerSpec("Flatten"),),
    (LayerSpec("GlobalAveragePooling2D"), LayerSpec("BatchNormalization")),
    (LayerSpec("GlobalMaxPooling2D"), LayerSpec("Dense", {"units": 4})),
)


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending[0].layer)
def test_names_shapes_and_weights_are_those_that_keras_builds(ending):
    layers = (*CHAIN, *ending, LayerSpec("Dense", {"units": 3, "activation": "softmax"}))
    spec = ModelSpec("all", layers)
    plans, network = plan_layers(spec, SHAPE, 3), build_model(spec, SHAPE, 3, seed=0)
    for plan, layer in zip(plans, network.layers, strict=True):
        assert (plan.kind, plan.name) == (type(layer).__name__, layer.name)
        assert (None, *plan.input_shape) == layer.input.shape
        assert (None, *plan.output_shape) == layer.output.shape
        expected = [(variable.name, variable.shape) for variable in layer.weights]
        assert list(plan.weights.items()) == expected
        config = layer.get_config()
        for name, value in plan.arguments.items():
            assert config[name] == value


def test_every_layer_is_planned():
    tried = {layer.layer for ending in ENDINGS for layer in (*CHAIN, *ending)}
    assert tried == set(LAYERS)


def test_what_a_layer_makes_on_the_way_is_bounded():
    """Sixteen gigabytes between the two steps of a separable convolution, one value after them."""
    wide = {"filters": 1, "kernel_size": 1, "depth_multiplier": 4096}
    layers = (LayerSpec("SeparableConv2D", wide), LayerSpec("GlobalMaxPooling2D"))
    spec = ModelSpec("wide", (*layers, LayerSpec("Dense", {"units": 2, "activation": "softmax"})))
    for plan in (plan_layers, check_output):
        with pytest.raises(LayerError, match=r"makes 4,294,967,296 values for one image"):
            plan(spec, (1024, 1024, 1), 2)
    plan_layers(spec, (16, 16, 1), 2)
