"""Keras's TerminateOnNaN in `fit`: a training that ends in NaN ends as in Keras."""

import numpy as np
import pytest

from clearcnn.errors import DivergenceError
from clearcnn.training import fit, fit_many

import keras  # isort: skip

X = np.random.default_rng(0).uniform(1, 2, (40, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


class Ears(keras.callbacks.Callback):
    """Records its calls; not a LogReader, so it is called after every epoch."""

    def __init__(self):
        super().__init__()
        self.heard = []

    def on_epoch_begin(self, epoch, logs=None):
        self.heard.append(("begin", epoch))

    def on_epoch_end(self, epoch, logs=None):
        self.heard.append(("end", epoch, bool(np.isfinite(logs["loss"]))))

    def on_train_end(self, logs=None):
        self.heard.append(("train end", bool(np.isfinite(logs["loss"]))))


def make_model(rate=10.0):
    """Each step multiplies the error by several hundred: it overflows in the third epoch."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), "mse", metrics=["mae"])
    return model


def train(way, *callbacks, epochs=8, **options):
    model = make_model()
    given = {"batch_size": 8, "epochs": epochs, "shuffle": False, "verbose": 0}
    history = way(model, X, Y, callbacks=[*callbacks], **(given | options))
    return model, history


@pytest.mark.parametrize("meets", [False, True], ids=["replayed", "met"])
@pytest.mark.parametrize("validates", [False, True], ids=["alone", "validated"])
def test_history_is_that_of_keras(meets, validates, tmp_path):
    options = {"validation_data": (X[:7], Y[:7])} if validates else {}
    results, ears = [], []
    for way in (keras.Model.fit, fit):
        ears.append(Ears())
        more = [ears[-1]] if meets else []
        log = tmp_path / f"{way.__name__}{len(ears)}.csv"
        callbacks = [keras.callbacks.TerminateOnNaN(), keras.callbacks.CSVLogger(str(log)), *more]
        results.append((*train(way, *callbacks, **options), log.read_text().splitlines()))
    (theirs, reference, their_log), (ours, history, our_log) = results
    assert 1 < len(reference.epoch) < 8
    assert history.epoch == reference.epoch
    assert history.history.keys() == reference.history.keys()
    for name, values in reference.history.items():
        np.testing.assert_allclose(history.history[name][:-1], values[:-1], rtol=1e-3)
    assert not np.isfinite(reference.history["loss"][-1])
    assert not np.isfinite(history.history["loss"][-1])
    assert len(our_log) == len(their_log) == 1 + len(history.epoch)
    assert ours.stop_training
    assert theirs.stop_training
    if meets:
        assert ears[0].heard == ears[1].heard
        assert ears[1].heard[-1] == ("train end", False)


def test_the_model_has_the_weights_of_the_last_finite_epoch():
    model, history = train(fit, keras.callbacks.TerminateOnNaN())
    until = len(history.epoch) - 1
    reference, _ = train(keras.Model.fit, epochs=until)
    for got, wanted in zip(model.get_weights(), reference.get_weights(), strict=True):
        assert np.isfinite(got).all()
        np.testing.assert_allclose(got, wanted, rtol=1e-3)


def test_a_finite_training_is_not_touched():
    model, history = train(fit, keras.callbacks.TerminateOnNaN(), epochs=1)
    reference, expected = train(fit, epochs=1)
    assert history.history == expected.history
    assert not model.stop_training
    for got, wanted in zip(model.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_streamed_and_checkpointed_it_ends_alike(tmp_path):
    _, reference = train(fit, keras.callbacks.TerminateOnNaN())
    np.save(tmp_path / "x.npy", X)
    model = make_model()
    history = fit(
        model,
        np.load(tmp_path / "x.npy", mmap_mode="r"),
        Y,
        8,
        8,
        0,
        [keras.callbacks.TerminateOnNaN()],
        shuffle=False,
        checkpoint=tmp_path / "kept",
    )
    assert history.epoch == reference.epoch
    assert not np.isfinite(history.history["loss"][-1])


def test_raise_error_is_an_error_as_in_keras_and_nobody_hears_of_an_end():
    for way, kind in ((keras.Model.fit, RuntimeError), (fit, DivergenceError)):
        ears = Ears()
        with pytest.raises(kind):
            train(way, keras.callbacks.TerminateOnNaN(raise_error=True), ears)
        assert all(event[0] != "train end" for event in ears.heard)
        assert all(event[-1] for event in ears.heard if event[0] == "end")
    assert issubclass(DivergenceError, RuntimeError)


def test_fit_many_says_which_ended_so():
    with pytest.warns(RuntimeWarning, match="1 of 1 trainings stopped"):
        (fitted,) = fit_many(
            lambda seed: make_model(),
            X,
            Y,
            seeds=[0],
            batch_size=8,
            epochs=8,
            callbacks=lambda: [keras.callbacks.TerminateOnNaN()],
        )
    assert fitted.divergence is not None
    assert not np.isfinite(fitted.history["loss"][-1])
