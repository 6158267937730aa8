"""Each of many trainings in one call equals one `fit`."""

from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.model_selection import KFold

from clearcnn.errors import TrainingError
from clearcnn.training import fit, fit_many

import keras  # isort: skip

pytestmark = pytest.mark.reference

L = keras.layers
RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(size=(43, 6, 6, 1)).astype("float32")
Y = RANDOM.integers(0, 3, 43)
SETTINGS = {"batch_size": 8, "epochs": 3}


def build(seed):
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            L.Conv2D(3, 3, activation="relu", kernel_initializer=keras.initializers.HeNormal(seed)),
            L.MaxPooling2D(2),
            L.Flatten(),
            L.Dropout(0.2, seed=seed),
            L.Dense(3, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def fit_alone(seed, x=X, y=Y, rate=None, **arguments):
    keras.utils.set_random_seed(seed)
    model = build(seed)
    if rate is not None:
        model.optimizer.learning_rate = rate
    history = fit(model, x, y, seed=seed, verbose=0, **SETTINGS, **arguments)
    return model, history.history


def assert_same_bits(fitted, model, history):
    assert fitted.history == history
    for got, wanted in zip(fitted.model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_seeds():
    results = fit_many(build, X, Y, seeds=[3, 4], validation_split=0.2, **SETTINGS)
    assert [result.seed for result in results] == [3, 4]
    assert results[0].history["loss"] != results[1].history["loss"]
    for result in results:
        assert_same_bits(result, *fit_alone(result.seed, validation_split=0.2))


def test_folds():
    folds = list(KFold(3, shuffle=True, random_state=0).split(X))
    results = fit_many(build, X, Y, folds=folds, **SETTINGS)
    assert [result.fold for result in results] == [0, 1, 2]
    for result, (train, test) in zip(results, folds, strict=True):
        alone = fit_alone(0, X[train], Y[train], validation_data=(X[test], Y[test]))
        assert_same_bits(result, *alone)


def test_learning_rates_are_innermost():
    results = fit_many(build, X, Y, seeds=[1, 2], learning_rates=[0.1, 0.001], **SETTINGS)
    assert [(r.seed, r.learning_rate) for r in results] == [
        (1, 0.1),
        (1, 0.001),
        (2, 0.1),
        (2, 0.001),
    ]
    for result in results[:2]:
        assert_same_bits(result, *fit_alone(1, rate=result.learning_rate))


def test_each_training_has_callbacks_of_its_own():
    results = fit_many(
        build,
        X,
        Y,
        seeds=[0, 1],
        validation_split=0.3,
        batch_size=8,
        epochs=30,
        callbacks=lambda: [keras.callbacks.EarlyStopping(patience=1, min_delta=0.01)],
    )
    for result in results:
        losses = result.history["val_loss"]
        assert len(losses) < 30
        assert losses[-1] > min(losses) - 0.01


@pytest.mark.release
def test_workers_of_joblib_give_the_same(monkeypatch):
    # The workers import this module by its name, for `build`.
    monkeypatch.syspath_prepend(Path(__file__).parents[2])
    here = fit_many(build, X, Y, seeds=[0, 1, 2], **SETTINGS)
    with joblib.parallel_config(backend="loky", n_jobs=2):
        there = fit_many(build, X, Y, seeds=[0, 1, 2], **SETTINGS)
    for one, other in zip(here, there, strict=True):
        assert one.seed == other.seed
        assert_same_bits(other, one.model, one.history)


def test_what_contradicts_is_refused():
    with pytest.raises(TrainingError, match="folds"):
        fit_many(build, X, Y, folds=[(range(5), range(5, 9))], validation_split=0.2)

    def scheduled(seed):
        model = build(seed)
        model.compile(keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 5)), "mse")
        return model

    with pytest.raises(TrainingError, match="schedule"):
        fit_many(scheduled, X, Y, learning_rates=[0.1])
