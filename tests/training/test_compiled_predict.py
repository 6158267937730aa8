"""Predictions against Keras's own, and how many programs they take."""

import numpy as np
import pytest

from clearcnn.training import compile_predict, predict, program_cache

import keras  # isort: skip

L = keras.layers


def make_network(seed=0, scale=1 / 255, units=4):
    keras.utils.set_random_seed(seed)
    network = keras.Sequential(
        [
            keras.Input((12, 10, 3)),
            L.Rescaling(scale, -0.4),
            L.Conv2D(8, 3, padding="same", use_bias=False),
            L.BatchNormalization(),
            L.Activation("relu"),
            L.MaxPooling2D(2),
            L.Dropout(0.5),
            L.Flatten(),
            L.Dense(units, activation="softmax"),
        ]
    )
    random = np.random.default_rng(seed)
    network.set_weights([w + random.uniform(0, 0.2, w.shape) for w in network.get_weights()])
    return network


@pytest.fixture(autouse=True)
def no_programs(monkeypatch):
    monkeypatch.setattr(program_cache, "_programs", type(program_cache._programs)())


def images(number, dtype=np.uint8):
    return np.random.default_rng(1).integers(0, 256, (number, 12, 10, 3)).astype(dtype)


@pytest.mark.parametrize("number", [0, 1, 32, 33, 256, 300])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_predictions_are_those_of_keras(number, dtype):
    network = make_network()
    found = predict(network, images(number, dtype))
    assert found.dtype == np.float32
    assert found.shape == (number, 4)
    if number:
        wanted = network.predict(images(number, dtype), verbose=0)
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_networks_of_the_same_layers_share_a_program():
    for seed, number in ((0, 40), (1, 300), (2, 77)):
        network = make_network(seed, scale=1 / (200 + seed))
        found = predict(network, images(number))
        np.testing.assert_allclose(found, network.predict(images(number), verbose=0), atol=1e-5)
    assert len(program_cache._programs) == 1
    predict(make_network(units=5), images(40))
    assert len(program_cache._programs) == 2


@pytest.mark.parametrize("number", [5, 300])
def test_a_program_that_was_compiled_before_is_found(number, monkeypatch):
    network = make_network()
    compile_predict(network, number)

    def refuse(*_):
        raise AssertionError("it was compiled again")

    monkeypatch.setattr(program_cache, "compile_lowered", refuse)
    assert predict(network, images(number)).shape == (number, 4)


def test_a_layer_of_the_users_own_is_computed_too():
    class Halved(L.Layer):
        def call(self, x):
            return x / 2

    network = keras.Sequential([keras.Input((12, 10, 3)), Halved(), L.Flatten(), L.Dense(2)])
    found = predict(network, images(5))
    np.testing.assert_allclose(found, network.predict(images(5), verbose=0), rtol=1e-4)
