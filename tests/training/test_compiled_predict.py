"""Predictions against Keras's own, and how many programs they take."""

import time
from threading import Event, Thread

import numpy as np
import pytest

from clearcnn.errors import DivergenceError
from clearcnn.training import (
    compile_predict,
    compiled_predict,
    disk_cache,
    fit,
    predict,
    program_cache,
)

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


def refuse(*_):
    raise AssertionError("something was compiled")


def test_no_images_need_no_program(monkeypatch):
    monkeypatch.setattr(compiled_predict, "obtain_shared", refuse)
    compile_predict(make_network(), 0)


def test_a_program_that_would_not_be_kept_is_not_compiled(monkeypatch):
    class Doubled(L.Layer):
        def call(self, x):
            return x * 2

    monkeypatch.setattr(compiled_predict, "obtain_shared", refuse)
    compile_predict(keras.Sequential([keras.Input((12, 10, 3)), Doubled(), L.Flatten()]), 5)


def test_a_training_may_diverge_while_predictions_are_traced(monkeypatch):
    """The causes of a divergence are read from the Rescaling layer, which then has tracers."""
    network = make_network(scale=300.0)
    network.compile(keras.optimizers.SGD(1e30), "mse")
    is_tracing = Event()

    def slow(compute):
        def traced(*arguments):
            is_tracing.set()
            time.sleep(0.5)
            return compute(*arguments)

        return traced

    monkeypatch.setattr(compiled_predict, "rewrite_on_cpu", slow)
    monkeypatch.setattr(
        disk_cache, "lower", lambda wrapped, arguments, _: wrapped.lower(*arguments)
    )
    thread = Thread(target=compile_predict, args=(network, 5))

    class Begin(keras.callbacks.Callback):
        def on_epoch_begin(self, *_):
            if thread.ident is None:
                thread.start()
                assert is_tracing.wait(60)

    x, y = images(20), np.zeros((20, 4), np.float32)
    with pytest.raises(DivergenceError) as caught:
        fit(network, x, y, 10, 1, 0, callbacks=[Begin()])
    thread.join()
    assert any("after Rescaling" in cause for cause in caught.value.causes)
    assert network.layers[0].scale == 300.0
