"""Micro-batches give the loss, metrics and gradient of the whole batch."""

from collections import OrderedDict

import jax
import numpy as np
import pytest

from clearcnn.training import fit, keras_state, program_cache
from clearcnn.training.cpu_kernels import loss_in_cpu_forms, microbatches

import keras  # isort: skip

L = keras.layers


@pytest.fixture
def small_budget(monkeypatch):
    """A budget of 8 samples' patches, 16 outputs of 9 taps each; returns the chosen lengths."""
    chosen = []
    choose = microbatches.choose_length

    def spy(*args):
        chosen.append(choose(*args))
        return chosen[-1]

    monkeypatch.setattr(microbatches, "BUDGET_BYTES", 8 * 16 * 9 * 4)
    monkeypatch.setattr(program_cache, "_programs", OrderedDict())
    monkeypatch.setattr("clearcnn.training.cpu_kernels.loss.choose_length", spy)
    return chosen


def make_model(*extra, loss="sparse_categorical_crossentropy", **compile_arguments):
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            L.Conv2D(4, 3, activation="relu", kernel_regularizer="l2"),
            L.MaxPooling2D(2),
            L.Flatten(),
            *extra,
            L.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", loss, metrics=["accuracy"], **compile_arguments)
    return model


def make_data(n):
    random = np.random.default_rng(0)
    return random.uniform(size=(n, 6, 6, 1)).astype("float32"), random.integers(0, 3, n)


def test_the_fit_equals_keras(small_budget):
    """70 samples in batches of 24, each in three pieces; the last 22 samples are filled up."""
    x, y = make_data(100)
    weights = np.random.default_rng(2).uniform(0.5, 2, 100).astype("float32")
    arguments = {
        "batch_size": 24,
        "epochs": 3,
        "shuffle": False,
        "verbose": 0,
        "sample_weight": weights,
        "validation_split": 0.3,
    }
    model, reference = make_model(), make_model()
    ours = fit(model, x, y, **arguments)
    theirs = reference.fit(x, y, **arguments)
    assert set(small_budget) == {8}
    for name, values in theirs.history.items():
        np.testing.assert_allclose(ours.history[name], values, rtol=1e-3, atol=1e-4)
    for got, wanted in zip(model.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=1e-4)


def test_dropout_draws_for_every_micro_batch_anew(small_budget):
    """Dropout differs in eight equal micro-batches of a batch."""
    model = make_model(L.Dropout(0.5, seed=3))
    x, y = make_data(1)
    x, y = np.repeat(x, 64, 0), np.repeat(y, 64, 0)
    keras_state.build(model, (x, y, None))
    trainable, other, optimizer, metrics = keras_state.read_state(model)
    differentiate = jax.value_and_grad(loss_in_cpu_forms(model), has_aux=True)
    (_, (_, y_pred, *_)), _ = differentiate(
        trainable, other, metrics, x, y, None, training=True, optimizer_variables=optimizer
    )
    assert small_budget == [8]
    assert len(np.unique(np.asarray(y_pred).reshape(8, -1), axis=0)) == 8


@pytest.mark.parametrize(
    ("extra", "arguments"),
    [
        ([L.BatchNormalization], {}),
        ([], {"loss": lambda: keras.losses.SparseCategoricalCrossentropy(reduction="sum")}),
        ([], {"loss": lambda: lambda y, p: keras.ops.mean(p, axis=0)}),
        ([lambda: L.Lambda(lambda h: h - keras.ops.mean(h, axis=0))], {}),
    ],
    ids=["batch statistics", "summed loss", "unknown loss", "unknown layer"],
)
def test_whole_batches_where_samples_do_not_stand_alone(extra, arguments):
    loss = arguments["loss"]() if arguments else "sparse_categorical_crossentropy"
    assert not microbatches.treats_samples_alone(make_model(*(e() for e in extra), loss=loss))


def test_samples_stand_alone_in_plain_models():
    assert microbatches.treats_samples_alone(make_model(L.Dropout(0.2)))
