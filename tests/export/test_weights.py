"""Weights read back from an ONNX file, against Keras's own."""

import numpy as np
import onnx
import pytest

from clearcnn.export import build_onnx, read_weights
from clearcnn.models import build_model
from clearcnn.specs import LayerSpec, ModelSpec

LAYERS = (
    LayerSpec("Conv2D", {"filters": 4, "kernel_size": (3, 2)}),
    LayerSpec("SeparableConv2D", {"filters": 5, "kernel_size": 2, "name": "apart_1"}),
    LayerSpec("BatchNormalization"),
    LayerSpec("Flatten"),
    LayerSpec("Dense", {"units": 3, "activation": "softmax"}),
)


@pytest.fixture(scope="module")
def network():
    return build_model(ModelSpec("all", LAYERS), (6, 6, 2), 3, seed=1)


@pytest.fixture(scope="module")
def weights(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "model.onnx"
    contract = {"shape": [6, 6, 2], "dtype": "uint8"}
    onnx.save(build_onnx(network, ["a", "b", "c"], contract), path)
    return read_weights(path)


def test_kernels_have_outputs_first_and_dense_inputs_first(network, weights):
    convolution, separable, _, _, dense = network.layers
    kernel = np.asarray(convolution.kernel)
    np.testing.assert_array_equal(weights["conv2d_1/kernel"], kernel.transpose(3, 2, 0, 1))
    np.testing.assert_array_equal(weights["dense_1/kernel"], np.asarray(dense.kernel))
    depth = np.asarray(separable.depthwise_kernel)  # (rows, columns, channels, 1)
    np.testing.assert_array_equal(weights["apart_1/kernel"][2, 0], depth[:, :, 2, 0])
    assert weights["apart_1/pointwise_kernel"].shape == (5, 4, 1, 1)


def test_every_weight_is_there_as_float32(network, weights):
    assert {array.dtype for array in weights.values()} == {np.dtype(np.float32)}
    names = {name.partition("/")[2] for name in weights}
    assert {"kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance"} <= names
    assert sum(array.size for array in weights.values()) == network.count_params()
