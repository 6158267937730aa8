"""Small models with random weights, one for each way a window may slide, and an image for each."""

import numpy as np
import pytest

from clearcnn.models import build_model
from clearcnn.specs import LayerSpec, ModelSpec

SOFTMAX = LayerSpec("Dense", {"units": 4, "activation": "softmax"})
CHAINS = {
    "plain": [
        LayerSpec("Conv2D", {"filters": 5, "kernel_size": 3, "activation": "relu"}),
        LayerSpec("MaxPooling2D", {"pool_size": 2}),
        LayerSpec("Dropout", {"rate": 0.5}),
        LayerSpec("Flatten"),
        LayerSpec("Dense", {"units": 6, "activation": "relu"}),
        SOFTMAX,
    ],
    "strided": [
        LayerSpec("Rescaling", {"scale": 0.1, "offset": -0.7}),
        LayerSpec(
            "Conv2D",
            {
                "filters": 7,
                "kernel_size": (3, 2),
                "strides": 2,
                "padding": "same",
                "activation": "tanh",
            },
        ),
        LayerSpec("AveragePooling2D", {"pool_size": 2, "padding": "same"}),
        LayerSpec("BatchNormalization"),
        LayerSpec("Flatten"),
        SOFTMAX,
    ],
    "dilated": [
        LayerSpec(
            "Conv2D", {"filters": 3, "kernel_size": 3, "dilation_rate": 2, "padding": "same"}
        ),
        LayerSpec("MaxPooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}),
        LayerSpec("Conv2D", {"filters": 4, "kernel_size": 1, "use_bias": False}),
        LayerSpec("GlobalAveragePooling2D"),
        LayerSpec("Activation", {"activation": "softmax"}),
    ],
    "depthwise": [
        LayerSpec("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2, "strides": 2}),
        LayerSpec("SeparableConv2D", {"filters": 5, "kernel_size": 2, "padding": "same"}),
        LayerSpec("GlobalMaxPooling2D"),
        SOFTMAX,
    ],
    "deep": [
        LayerSpec("SeparableConv2D", {"filters": 6, "kernel_size": 2}),
        LayerSpec("Conv2D", {"filters": 5, "kernel_size": 2}),
        LayerSpec("Flatten"),
        SOFTMAX,
    ],
    "flat": [LayerSpec("Flatten"), SOFTMAX],
}
SHAPE = (9, 7, 3)


@pytest.fixture(params=CHAINS)
def model(request):
    return build_model(ModelSpec(request.param, tuple(CHAINS[request.param])), SHAPE, 4, 3)


@pytest.fixture(scope="session")
def make_model():
    def make(name="plain", seed=3):
        return build_model(ModelSpec(name, tuple(CHAINS[name])), SHAPE, 4, seed)

    return make


@pytest.fixture(scope="session")
def image():
    return np.random.default_rng(5).integers(0, 17, SHAPE).astype(np.uint8)
