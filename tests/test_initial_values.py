"""Initial values by NumPy are those of Keras, to the bit."""

import numpy as np
import pytest

from clearcnn.backend import load_keras
from clearcnn.initial_values import draw_glorot_uniform, initial_values_by_numpy

SHAPES = [(3, 3, 1, 24), (3, 3, 64, 128), (432, 128), (2, 2, 3, 24), (5, 4, 32, 1), (1, 1)]


@pytest.mark.parametrize("shape", SHAPES)
def test_glorot_uniform_is_that_of_keras(shape):
    keras = load_keras()
    for seed in (0, 1, 777, 2**31 - 1):
        expected = np.asarray(keras.initializers.GlorotUniform(seed)(shape))
        np.testing.assert_array_equal(draw_glorot_uniform(seed, shape), expected)


def make_layers(keras):
    draw = keras.initializers.GlorotUniform
    return [
        keras.Input((8, 8, 2)),
        keras.layers.Conv2D(4, 3, kernel_initializer=draw(5)),
        keras.layers.BatchNormalization(),
        keras.layers.SeparableConv2D(
            3,
            3,
            depthwise_initializer=draw(6),
            pointwise_initializer=keras.initializers.HeNormal(7),
        ),
        keras.layers.Dropout(0.5, seed=8),
        keras.layers.Flatten(),
        keras.layers.Dense(3, kernel_initializer=draw(9), dtype="bfloat16"),
    ]


def assert_same_values(variables, expected):
    for variable, other in zip(variables, expected, strict=True):
        assert (variable.shape, variable.dtype) == (other.shape, other.dtype)
        np.testing.assert_array_equal(np.asarray(variable.value), np.asarray(other.value))


def test_every_variable_of_a_model_and_its_optimizer_is_that_of_keras():
    keras = load_keras()
    expected, expected_optimizer = (
        keras.Sequential(make_layers(keras)),
        keras.optimizers.AdamW(amsgrad=True),
    )
    expected_optimizer.build(expected.trainable_variables)
    optimizer = keras.optimizers.AdamW(amsgrad=True)
    layers = make_layers(keras)
    with initial_values_by_numpy():
        model = keras.Sequential(layers)
    with initial_values_by_numpy():
        optimizer.build(model.trainable_variables)
    assert_same_values(model.variables, expected.variables)
    assert_same_values(optimizer.variables, expected_optimizer.variables)
    initializer = model.get_layer(index=0).kernel_initializer
    assert initializer.get_config() == keras.initializers.GlorotUniform(5).get_config()


def test_variables_made_after_an_error_in_the_context_are_those_of_keras():
    keras = load_keras()
    with pytest.raises(ZeroDivisionError), initial_values_by_numpy():
        keras.Variable("ones", shape=(2,))
        raise ZeroDivisionError
    np.testing.assert_array_equal(np.asarray(keras.Variable("ones", shape=(2,)).value), [1, 1])
