"""Distances in the ONNX file, against Keras's outputs and SciPy."""

from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from clearcnn.export import (
    build_features,
    build_onnx,
    make_test_images,
    read_network,
    run_onnx,
)
from clearcnn.export.ood import MOST_WEIGHTS, choose_features
from clearcnn.ood import DistanceWeights
from clearcnn.specs import LayerSpec

CLASSES = ("고양이", "dog", "2")
FLATTEN = LayerSpec("Flatten")
SOFTMAX = LayerSpec("Dense", {"units": 3, "activation": "softmax"})
LAYERS = (
    LayerSpec("Rescaling", {"scale": 1 / 127.5, "offset": -1.0}),
    LayerSpec("Conv2D", {"filters": 5, "kernel_size": 3}),
    LayerSpec("Activation", {"activation": "relu"}),
    LayerSpec("MaxPooling2D", {"pool_size": 2}),
    LayerSpec("Dense", {"units": 4, "activation": "relu"}),
    LayerSpec("SeparableConv2D", {"filters": 6, "kernel_size": 2, "activation": "relu"}),
    FLATTEN,
    LayerSpec("Dense", {"units": 7, "activation": "relu"}),
    LayerSpec("Dropout", {"rate": 0.4}),
    SOFTMAX,
)
NUM_FEATURES = 5 + 5 + 4 + 6 + 7


def make_weights(num_features: int, num_centres: int = 3) -> DistanceWeights:
    random = np.random.default_rng(1)
    arrays = (
        random.normal(size=shape).astype(np.float32)
        for shape in ((num_features, num_features), (num_features,), (num_centres, num_features))
    )
    return DistanceWeights(*arrays)


def find_features(network: Any, images: Any) -> Any:
    import keras

    kinds = ("Conv2D", "Activation", "Dense", "SeparableConv2D")
    layers = [each for each in network.layers[:-1] if type(each).__name__ in kinds]
    inside = keras.Model(network.inputs, [layer.output for layer in layers])
    outputs = map(np.asarray, inside([images.astype(np.float32)]))
    return np.concatenate([o.mean(axis=(1, 2)) if o.ndim == 4 else o for o in outputs], axis=1)


@pytest.mark.parametrize("size", [1, 7])
def test_features_are_means_over_each_channel(size: int, network_of: Any, contract_of: Any) -> None:
    network, contract = network_of(*LAYERS), contract_of()
    images = make_test_images(contract, size, seed=size)[:size]
    model = build_features(network, CLASSES, contract).SerializeToString()
    found = run_onnx(model, images)
    assert list(found) == ["features"]
    assert found["features"].shape == (size, NUM_FEATURES)
    np.testing.assert_allclose(
        found["features"], find_features(network, images), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("num_centres", [3, 2])
@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_distances_come_beside_the_same_probabilities(
    dtype: str, num_centres: int, network_of: Any, contract_of: Any
) -> None:
    network, contract = network_of(*LAYERS), contract_of(dtype)
    weights = make_weights(NUM_FEATURES, num_centres)
    model = build_onnx(network, CLASSES, contract, distances=weights)
    images = make_test_images(contract)
    found = run_onnx(model.SerializeToString(), images)
    assert list(found) == ["probabilities", "distances"]
    plain = run_onnx(build_onnx(network, CLASSES, contract).SerializeToString(), images)
    np.testing.assert_array_equal(found["probabilities"], plain["probabilities"])
    whitened = find_features(network, images) @ weights.whitening + weights.offset
    assert found["distances"].shape == (len(images), num_centres)
    np.testing.assert_allclose(
        found["distances"], cdist(whitened, weights.centres), rtol=1e-3, atol=1e-2
    )


def test_an_image_at_a_centre_has_no_distance_and_no_nan(network_of: Any, contract_of: Any) -> None:
    network, contract = network_of(*LAYERS), contract_of()
    images = make_test_images(contract)
    weights = make_weights(NUM_FEATURES)
    centres = find_features(network, images[:3]) @ weights.whitening + weights.offset
    weights = DistanceWeights(weights.whitening, weights.offset, centres.astype(np.float32))
    model = build_onnx(network, CLASSES, contract, distances=weights).SerializeToString()
    found = run_onnx(model, images[:3])["distances"]
    np.testing.assert_allclose(np.diag(found), 0, atol=0.2)


def test_wide_layers_and_those_far_from_the_answer_find_no_room(network_of: Any) -> None:
    network = network_of(
        LayerSpec("Conv2D", {"filters": 4, "kernel_size": 3, "padding": "same"}),
        LayerSpec("Conv2D", {"filters": 300, "kernel_size": 1}),
        LayerSpec("Conv2D", {"filters": 5, "kernel_size": 1}),
        FLATTEN,
        LayerSpec("Dense", {"units": 400, "activation": "relu"}),
        SOFTMAX,
    )
    network = read_network(network)
    assert choose_features(network, 3) == ("conv2d_1", "conv2d_3", "dense_1")
    assert 409 * (409 + 3 + 1) <= MOST_WEIGHTS < 709 * (709 + 3 + 1)
    assert choose_features(network, 1_000) == ("conv2d_1", "conv2d_3")
    assert choose_features(network, MOST_WEIGHTS) == ()


def test_one_layer_alone_has_no_features(network_of: Any, contract_of: Any) -> None:
    assert build_features(network_of(FLATTEN, SOFTMAX), CLASSES, contract_of()) is None
