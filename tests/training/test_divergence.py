"""NaN and infinity end a training with the epoch, and do not affect others."""

import pickle

import numpy as np
import pytest

from clearcnn.errors import DivergenceError
from clearcnn.training import Watch, fit, fit_many

import keras  # isort: skip  (after clearcnn, which names the backend)

pytestmark = pytest.mark.reference

L = keras.layers
RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(0, 1, (40, 4)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [3.0], [0.5]])).astype("float32")


def make_model(rate, scale=None, optimizer=keras.optimizers.SGD):
    keras.utils.set_random_seed(1)
    layers = [keras.Input((4,)), L.Dense(1)]
    if scale:
        layers.insert(1, L.Rescaling(scale))
    model = keras.Sequential(layers)
    model.compile(optimizer(rate), "mse")
    return model


class Meets(keras.callbacks.Callback):
    """Not a LogReader, so that it is called after every epoch."""


def history_of_keras(model, epochs):
    return model.fit(X, Y, batch_size=8, epochs=epochs, shuffle=False, verbose=0).history["loss"]


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("callbacks", [[], [Meets()], [Watch(lambda *_: None)]])
def test_a_fit_ends_with_the_last_finite_epoch_of_keras(callbacks, stored, tmp_path):
    x = X
    if stored:
        np.save(tmp_path / "x.npy", X)
        x = np.load(tmp_path / "x.npy", mmap_mode="r")
    losses = history_of_keras(make_model(3.0), 60)
    good = int(np.argmin(np.isfinite(losses)))
    assert 1 < good < 50
    model = make_model(3.0)
    with pytest.raises(DivergenceError) as caught:
        fit(model, x, Y, 8, 60, 0, callbacks=callbacks, shuffle=False)
    assert caught.value.epoch <= good
    kept = model.history.history["loss"]
    assert model.history.epoch == list(range(caught.value.epoch))
    np.testing.assert_allclose(kept, losses[: len(kept)], rtol=1e-4)
    reference = make_model(3.0)
    reference.fit(X, Y, batch_size=8, epochs=len(kept), shuffle=False, verbose=0)
    for got, wanted in zip(model.get_weights(), reference.get_weights(), strict=True):
        assert np.isfinite(got).all()
        np.testing.assert_allclose(got, wanted, rtol=1e-4)
    assert "learning rate of SGD was 3, and the loss rose from" in str(caught.value)


def test_without_a_good_epoch_the_weights_are_the_first():
    model = make_model(1e30)
    before = model.get_weights()
    with pytest.raises(DivergenceError, match="no epoch was finished") as caught:
        fit(model, X, Y, epochs=5, verbose=0, seed=0)
    assert caught.value.epoch == 0
    assert model.history.history == {}
    for got, wanted in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_early_stopping_puts_its_best_weights_back():
    stopping = keras.callbacks.EarlyStopping("loss", patience=99, restore_best_weights=True)
    model = make_model(3.0)
    with pytest.raises(DivergenceError):
        fit(model, X, Y, 8, 60, 0, callbacks=[stopping], shuffle=False)
    best = int(np.argmin(model.history.history["loss"]))
    assert stopping.best_epoch == best
    reference = make_model(3.0)
    fit(reference, X, Y, 8, best + 1, 0, shuffle=False)
    for got, wanted in zip(model.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_bad_values_are_named_first():
    x = X.copy()
    x[[3, 7], 1] = np.nan
    with pytest.raises(DivergenceError) as caught:
        fit(make_model(0.01), x, Y, epochs=2, verbose=0, seed=0)
    assert caught.value.causes[0] == "x holds NaN or infinite values in 2 of 40 samples."
    assert "the loss became nan" in caught.value.problem


@pytest.mark.parametrize(
    ("scale", "sentence"),
    [
        (None, "and no layer rescales them: begin with Rescaling(1e-06)."),
        (1e-6, None),
        (0.01, "after Rescaling; about -1 to 1 trains well."),
    ],
)
def test_large_values_are_named_unless_a_layer_scales_them(scale, sentence):
    x = X / X.max() * 1e6
    rate = 1e30 if scale == 1e-6 else 1.0
    with pytest.raises(DivergenceError) as caught:
        fit(make_model(rate, scale), x, Y, epochs=50, verbose=0, seed=0)
    said = [cause for cause in caught.value.causes if "values run from" in cause]
    assert (len(said), bool(sentence)) in {(1, True), (0, False)}
    assert not sentence or sentence in said[0]


def test_labels_without_an_output_are_named_where_the_loss_is_your_own():
    def own_loss(y_true, y_pred):
        return keras.losses.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)

    model = keras.Sequential([keras.Input((4,)), L.Dense(3)])
    model.compile(keras.optimizers.SGD(1e38), own_loss)
    labels = np.arange(40) % 5
    with pytest.raises(DivergenceError) as caught:
        fit(model, X * 1e10, labels, epochs=9, verbose=0, seed=0)
    assert "The labels run from 0 to 4, but the model has 3 outputs." in caught.value.causes


def test_the_error_crosses_processes():
    error = DivergenceError("It went.", remedy="Mend it.", epoch=3, causes=("a", "b"))
    back = pickle.loads(pickle.dumps(error))
    assert (back.what, back.remedy, back.epoch, back.causes) == (
        "It went.",
        "Mend it.",
        3,
        ("a", "b"),
    )


def test_one_of_many_does_not_harm_the_others():
    settings = {"epochs": 40, "batch_size": 8}
    with pytest.warns(RuntimeWarning, match="1 of 3 trainings stopped"):
        fitted = fit_many(
            lambda seed: make_model(0.01), X, Y, learning_rates=[0.01, 3.0, 0.02], **settings
        )
    assert [each.divergence is None for each in fitted] == [True, False, True]
    alone = fit_many(lambda seed: make_model(0.01), X, Y, learning_rates=[0.01, 0.02], **settings)
    for got, wanted in zip((fitted[0], fitted[2]), alone, strict=True):
        assert got.history == wanted.history
        for one, other in zip(got.model.get_weights(), wanted.model.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
    ended = fitted[1]
    assert len(ended.history["loss"]) == ended.divergence.epoch < 40
    assert all(np.isfinite(w).all() for w in ended.model.get_weights())
