"""Sample weights that must be mistakes raise an error before training; others work as in Keras."""

import numpy as np
import pytest

from clearcnn.errors import TrainingError
from clearcnn.training import fit

import keras  # isort: skip

L = keras.layers
RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(size=(40, 4)).astype("float32")
DIGITS = np.arange(40) % 10
HALVES = np.arange(40) % 2
SPARSE = "sparse_categorical_crossentropy"


def make_model():
    weights = keras.initializers.GlorotUniform(0)
    model = keras.Sequential(
        [keras.Input((4,)), L.Dense(10, activation="softmax", kernel_initializer=weights)]
    )
    model.compile(keras.optimizers.SGD(0.1), SPARSE)
    return model


def make_segmenter():
    model = keras.Sequential([keras.Input((4, 4, 1)), L.Conv2D(3, 1, activation="softmax")])
    model.compile(keras.optimizers.SGD(0.1), SPARSE)
    return model


def make_two():
    inputs = keras.Input((4,))
    a = L.Dense(10, activation="softmax", name="a")(inputs)
    b = L.Dense(1, activation="sigmoid", name="b")(inputs)
    model = keras.Model(inputs, [a, b])
    model.compile(keras.optimizers.SGD(0.1), [SPARSE, "binary_crossentropy"])
    return model


def refuse(words, model, y, x=X, **arguments):
    before = model.get_weights()
    with pytest.raises(TrainingError, match=words):
        fit(model, x, y, verbose=0, seed=0, **arguments)
    for got, wanted in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, wanted)


def assert_trains_as_keras(make, y, x=X, **arguments):
    ours, keras_own = make(), make()
    keras_own.set_weights(ours.get_weights())
    arguments = {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0} | arguments
    history = fit(ours, x, y, **arguments).history
    wanted = keras_own.fit(x, y, **arguments).history
    assert history.keys() == wanted.keys()
    for name in wanted:
        np.testing.assert_allclose(history[name], wanted[name], rtol=1e-4)
    for got, other in zip(ours.get_weights(), keras_own.get_weights(), strict=True):
        np.testing.assert_allclose(got, other, rtol=1e-4, atol=1e-6)


def test_labels_that_weigh_nothing_may_be_anything():
    y = np.where(DIGITS == 0, -1, DIGITS)
    weights = (y >= 0).astype("float32")
    assert_trains_as_keras(make_model, y, sample_weight=weights)
    assert_trains_as_keras(make_model, y, sample_weight=weights[:, None])
    refuse("from -1 to 9", make_model(), y, sample_weight=weights + 1)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.zeros(40), "every sample the weight 0"),
        (np.where(HALVES, np.nan, 1), "20 NaN or infinite"),
        (np.where(HALVES, np.inf, 1), "20 NaN or infinite"),
        (np.ones((40, 10)), r"shape \(40, 10\), .*\(40,\)"),
        (np.ones((40, 1, 1)), r"shape \(40, 1, 1\)"),
    ],
    ids=["zero", "nan", "inf", "per output", "three axes"],
)
def test_weights_that_cannot_be_meant(weights, words):
    refuse(words, make_model(), DIGITS, sample_weight=weights)


def test_weights_of_images_of_classes():
    images = RANDOM.uniform(size=(20, 4, 4, 1)).astype("float32")
    maps = RANDOM.integers(0, 3, (20, 4, 4))
    # Batches of four: NumPy would broadcast a weight per sample along the columns.
    words = r"shape \(20,\).*\(20, 1, 1\)"
    weights = RANDOM.uniform(size=20)
    refuse(words, make_segmenter(), maps, images, sample_weight=weights, batch_size=4)
    by_sample = weights[:, None, None]
    assert_trains_as_keras(make_segmenter, maps, images, sample_weight=by_sample, batch_size=4)
    by_pixel = RANDOM.uniform(size=(20, 4, 4))
    assert_trains_as_keras(make_segmenter, maps, images, sample_weight=by_pixel)


def test_negative_weights_warn_and_train_as_keras():
    weights = np.where(HALVES, -0.5, 1.0)
    with pytest.warns(UserWarning, match="20 negative values, down to -0.5"):
        assert_trains_as_keras(make_model, DIGITS, sample_weight=weights)


def test_weights_for_several_outputs():
    model = make_two()
    y = [DIGITS, HALVES[:, None]]
    refuse("list of 1 arrays, and y is a list of 2", model, y, sample_weight=[np.ones(40)])
    weights = [np.ones(40), np.ones((40, 3))]
    refuse(r"output 'b' has the shape \(40, 3\)", model, y, sample_weight=weights)
    fit(model, X, y, sample_weight=[np.ones(40), np.zeros(40)], verbose=0, seed=0)
