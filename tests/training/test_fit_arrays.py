"""Unsupported data and arguments of `clearcnn.fit` raise an error before anything is trained."""

import numpy as np
import pytest

from clearcnn.errors import TrainingError
from clearcnn.training import fit
from clearcnn.training.fit_arrays import arrange

import keras  # isort: skip


def make_model(**compile_arguments):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(loss="mse", **compile_arguments)
    return model


X, Y = np.ones((10, 3), "float32"), np.ones((10, 2), "float32")


def batches():
    yield X, Y


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 1

    def __getitem__(self, index):
        return X, Y


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"x": batches()}, "generator"),
        ({"x": Batches()}, "Batches"),
        ({"x": "digits"}, "str"),
        ({"x": X}, "y is missing"),
        ({"x": X, "y": Y[:9]}, r"\[9, 10\]"),
        ({"x": X[:0], "y": Y[:0]}, "no samples"),
        ({"x": X.astype(str), "y": Y}, "dtype"),
        ({"x": X, "y": Y, "batch_size": 0}, "batch_size=0"),
        ({"x": X, "y": Y, "validation_split": 1.5}, "validation_split=1.5"),
        ({"x": X, "y": Y, "validation_split": 0.99}, "none of 10"),
        ({"x": X, "y": Y, "validation_data": batches()}, "generator"),
        ({"x": X, "y": Y, "steps_per_epoch": 3}, "steps_per_epoch"),
        ({"x": X, "y": Y, "validation_freq": 3}, "validation_freq"),
        ({"x": X, "y": Y, "class_weight": {0: 1}, "sample_weight": np.ones(10)}, "both"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else "",
)
def test_refused_by_name(arguments, words):
    model = make_model()
    before = [w.copy() for w in model.get_weights()]
    with pytest.raises(TrainingError, match=words):
        fit(model, verbose=0, **arguments)
    for got, wanted in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_a_model_not_compiled_or_eager_is_refused():
    with pytest.raises(TrainingError, match="not compiled"):
        fit(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]), X, Y)
    with pytest.raises(TrainingError, match="run_eagerly"):
        fit(make_model(run_eagerly=True), X, Y)
    with pytest.raises(TrainingError, match=r"keras\.Model"):
        fit(X, Y)


def test_the_validation_split_is_keras_own():
    """1257 samples at 0.2 leave 1005, as in the tutorial."""
    arrays = arrange(np.zeros((1257, 1)), np.arange(1257), None, None, 0.2, None)
    assert (arrays.num_train, arrays.num_validation) == (1005, 252)
    np.testing.assert_array_equal(arrays.validation[1], np.arange(1005, 1257))


def test_floats_are_cast_to_keras_floatx_and_integers_stay():
    arrays = arrange(np.zeros((4, 2)), np.zeros(4, np.uint8), None, None, 0.0, None)
    assert arrays.train[0].dtype == np.float32
    assert arrays.train[1].dtype == np.uint8


def test_class_weights_count_from_one_hot_labels_too():
    labels = np.array([0, 1, 2, 1])
    for y in (labels, np.eye(3)[labels], labels[:, None]):
        arrays = arrange(np.zeros((4, 2)), y, None, {1: 5.0}, 0.0, None)
        np.testing.assert_array_equal(arrays.train[2], [1, 5, 1, 5])
