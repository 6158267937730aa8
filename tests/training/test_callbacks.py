"""Callbacks on epochs work in `clearcnn.fit` as in Keras; callbacks on batches raise an error."""

import csv

import numpy as np
import pytest

from clearcnn.errors import TrainingError
from clearcnn.training import fit, fit_loop
from clearcnn.training.callbacks import LogReader

import keras  # isort: skip

pytestmark = pytest.mark.reference

L = keras.layers


def make_data(n=40):
    random = np.random.default_rng(0)
    x = random.uniform(0, 1, (n, 6, 6, 1)).astype("float32")
    return x, (x.mean((1, 2, 3)) > 0.5).astype(int)


def make_model(seed=0, rate=0.05):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [keras.Input((6, 6, 1)), L.Conv2D(3, 3, activation="relu"), L.Flatten(), L.Dense(2)]
    )
    model.compile(
        keras.optimizers.SGD(rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def run_both(make_callbacks, epochs=12, rate=0.05, **arguments):
    x, y = make_data()
    results = []
    for train in (fit, keras.Model.fit):
        model = make_model(rate=rate)
        callbacks = make_callbacks()
        history = train(
            model,
            x,
            y,
            batch_size=7,
            epochs=epochs,
            validation_split=0.3,
            shuffle=False,
            verbose=0,
            callbacks=callbacks,
            **arguments,
        )
        results.append((model, history, callbacks))
    return results


def assert_equal_runs(results):
    (ours, history, _), (theirs, reference, _) = results
    assert history.epoch == reference.epoch
    assert list(history.history) == list(reference.history)
    for name, values in reference.history.items():
        np.testing.assert_allclose(history.history[name], values, rtol=1e-3, atol=1e-4)
    for got, wanted in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=1e-4)


def test_early_stopping_stops_and_restores_the_best_weights():
    results = run_both(
        lambda: [
            keras.callbacks.EarlyStopping(
                monitor="val_loss", patience=2, min_delta=5e-3, restore_best_weights=True
            )
        ],
        epochs=60,
        rate=0.5,
    )
    assert_equal_runs(results)
    assert len(results[0][1].epoch) < 60


def test_reduce_lr_on_plateau_changes_the_rate():
    results = run_both(
        lambda: [
            keras.callbacks.ReduceLROnPlateau(
                monitor="loss", patience=1, factor=0.5, min_delta=0.01
            )
        ],
    )
    assert_equal_runs(results)
    assert results[0][1].history["learning_rate"][-1] < 0.05


def test_a_learning_rate_scheduler_acts_before_its_epoch():
    assert_equal_runs(
        run_both(lambda: [keras.callbacks.LearningRateScheduler(lambda e: 0.1 / (e + 1))], epochs=4)
    )


def test_model_checkpoints_hold_the_weights_of_their_epoch(tmp_path):
    x, y = make_data()
    path = str(tmp_path / "e{epoch}.weights.h5")
    model = make_model()
    fit(
        model,
        x,
        y,
        batch_size=7,
        epochs=3,
        shuffle=False,
        verbose=0,
        callbacks=[keras.callbacks.ModelCheckpoint(path, save_weights_only=True)],
    )
    for epochs in (1, 3):
        reference = make_model()
        reference.fit(x, y, batch_size=7, epochs=epochs, shuffle=False, verbose=0)
        restored = make_model(seed=9)
        restored.load_weights(tmp_path / f"e{epochs}.weights.h5")
        for got, wanted in zip(restored.get_weights(), reference.get_weights(), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=1e-4)


def test_csv_logger_writes_what_keras_writes(tmp_path):
    rows = []
    x, y = make_data()
    for name, train in (("ours", fit), ("theirs", keras.Model.fit)):
        path = tmp_path / f"{name}.csv"
        train(
            make_model(),
            x,
            y,
            batch_size=7,
            epochs=5,
            shuffle=False,
            verbose=0,
            callbacks=[keras.callbacks.CSVLogger(path)],
        )
        with path.open() as file:
            rows.append(list(csv.DictReader(file)))
    assert [list(row) for row in rows[0]] == [list(row) for row in rows[1]]
    for got, wanted in zip(*rows, strict=True):
        assert [name for name in got if got[name] == "NA"] == ["val_accuracy", "val_loss"]
        for name in set(wanted) - {"val_accuracy", "val_loss"}:
            assert float(got[name]) == pytest.approx(float(wanted[name]), rel=1e-3)


def test_lambda_callbacks_on_epochs_see_the_weights():
    seen = []
    model = make_model()
    x, y = make_data()
    callback = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append((epoch, model.get_weights()[0].sum()))
    )
    fit(model, x, y, batch_size=7, epochs=3, shuffle=False, verbose=0, callbacks=[callback])
    assert [epoch for epoch, _ in seen] == [0, 1, 2]
    assert len({total for _, total in seen}) == 3
    assert seen[-1][1] == model.get_weights()[0].sum()


def test_log_readers_see_every_epoch_in_order_and_training_is_the_same():
    class Reader(LogReader):
        def __init__(self):
            super().__init__()
            self.seen = []

        def on_epoch_end(self, epoch, logs=None):
            self.seen.append((epoch, logs["loss"]))

    readers = []

    def make_callbacks():
        readers.append(Reader())
        return [readers[-1]]

    results = run_both(make_callbacks, epochs=30)
    assert_equal_runs(results)
    assert [e for e, _ in readers[0].seen] == list(range(30))
    assert [v for _, v in readers[0].seen] == results[0][1].history["loss"]


def test_chunks_of_epochs_do_not_change_the_bits():
    """Stopping at each epoch for a callback, or not at all, gives the same weights."""
    x, y = make_data()
    weights = []
    for callbacks in ([], [keras.callbacks.LambdaCallback(on_epoch_end=lambda e, logs: None)]):
        model = make_model()
        fit(model, x, y, batch_size=7, epochs=6, verbose=0, seed=3, callbacks=callbacks)
        weights.append(np.concatenate([w.ravel() for w in model.get_weights()]))
    np.testing.assert_array_equal(*weights)


def test_the_progress_bar_is_keras_own(capsys):
    x, y = make_data()
    fit(make_model(), x, y, batch_size=7, epochs=2, verbose=2)
    assert "Epoch 2/2" in capsys.readouterr().out


def test_callbacks_on_batches_are_refused_by_name_before_training():
    class BatchWatcher(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise AssertionError("must not be called")

    class WatchfulTerminator(keras.callbacks.TerminateOnNaN):
        def on_train_batch_begin(self, batch, logs=None):
            raise AssertionError("must not be called")

    x, y = make_data()
    model = make_model()
    before = [w.copy() for w in model.get_weights()]
    for callback in (
        BatchWatcher(),
        keras.callbacks.LambdaCallback(on_train_batch_begin=lambda batch, logs: None),
        keras.callbacks.ModelCheckpoint("unused.keras", save_freq=5),
        WatchfulTerminator(),
    ):
        with pytest.raises(TrainingError, match=type(callback).__name__) as caught:
            fit(model, x, y, verbose=0, callbacks=[callback])
        assert "on_epoch_end" in caught.value.remedy
    for got, wanted in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_an_interrupt_leaves_the_last_finished_epoch_in_the_model():
    x, y = make_data()

    def interrupt(epoch, logs):
        if epoch == 1:
            raise KeyboardInterrupt

    model, reference = make_model(), make_model()
    with pytest.raises(KeyboardInterrupt):
        fit(
            model,
            x,
            y,
            batch_size=7,
            epochs=9,
            shuffle=False,
            verbose=0,
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=interrupt)],
        )
    reference.fit(x, y, batch_size=7, epochs=2, shuffle=False, verbose=0)
    for got, wanted in zip(model.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=1e-4)


def test_an_interrupt_while_logs_are_replayed_leaves_history_and_weights_together(monkeypatch):
    # So that a slow machine, too, runs several epochs at once.
    monkeypatch.setattr(fit_loop, "_CALLBACKS_EVERY_SECONDS", 60)

    class Impatient(LogReader):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    x, y = make_data()
    model = make_model()
    with pytest.raises(KeyboardInterrupt):
        fit(
            model,
            x,
            y,
            batch_size=7,
            epochs=200,
            validation_split=0.3,
            verbose=0,
            seed=0,
            callbacks=[Impatient()],
        )
    x_validation, y_validation = x[-12:], y[-12:]
    loss, _ = model.evaluate(x_validation, y_validation, verbose=0)
    assert model.history.history["val_loss"][-1] == pytest.approx(loss, rel=1e-4)
    assert 2 <= len(model.history.epoch) < 200
