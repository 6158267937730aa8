"""A fit that was stopped and resumed ends in the same bits as one that never stopped."""

import json

import numpy as np
import pytest

from clearcnn.checkpoints import CheckpointFolder, CheckpointTarget, decode_checkpoint
from clearcnn.errors import CheckpointError, TrainingError
from clearcnn.specs import CheckpointSpec
from clearcnn.training import Watch, fit, streaming
from clearcnn.training.augmentation import RandomAffine

import keras  # isort: skip  (after clearcnn, which names the backend)

pytestmark = pytest.mark.reference

L = keras.layers
RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(0, 1, (61, 6, 6, 1)).astype("float32")
Y = np.eye(3, dtype="float32")[RANDOM.integers(0, 3, 61)]
EPOCHS = 8


class StopError(Exception):
    pass


class Bomb(Watch):
    """Raises in the middle of a training, as a power cut would end it."""

    def __init__(self, at):
        super().__init__(lambda *_: None)
        self.at = at

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.at:
            raise StopError


def make_model(schedule=None, dtype=None):
    """Everything that has a state: augmentation, statistics, dropout, Adam, a schedule."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            RandomAffine(1.0, 0.2, 0.1, 0.1, seed=3),
            L.Conv2D(3, 3, dtype=dtype),
            L.BatchNormalization(dtype=dtype),
            L.Activation("relu"),
            L.Dropout(0.3, seed=2),
            L.Flatten(),
            L.Dense(3, activation="softmax"),
        ]
    )
    rate = 3e-3
    if schedule:
        rate = keras.optimizers.schedules.CosineDecay(1e-4, schedule, 0.0, warmup_target=1e-2)
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=0.01),
        "categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def stopping():
    return keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)


def plateau():
    return keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=0.5)


ARGUMENTS = {"batch_size": 16, "validation_split": 0.2, "verbose": 0, "seed": 1}


def train(model, callbacks=(), epochs=EPOCHS, x=X, **options):
    return fit(model, x, Y, epochs=epochs, callbacks=list(callbacks), **(ARGUMENTS | options))


def assert_same_bits(model, reference, ours, theirs):
    assert ours.epoch == theirs.epoch
    assert ours.history == theirs.history
    variables = zip(
        model.variables + model.optimizer.variables,
        reference.variables + reference.optimizer.variables,
        strict=True,
    )
    for one, other in variables:
        np.testing.assert_array_equal(np.asarray(one.value), np.asarray(other.value), one.path)


KINDS = {
    "as it is": (dict, list),
    "a schedule": (lambda: {"schedule": 32}, list),
    "early stopping": (dict, lambda: [stopping()]),
    "a falling rate": (dict, lambda: [plateau()]),
    "bfloat16": (lambda: {"dtype": "bfloat16"}, lambda: [stopping()]),
}


@pytest.mark.parametrize(("build", "make_callbacks"), KINDS.values(), ids=KINDS)
def test_stopped_twice_it_ends_in_the_same_bits(build, make_callbacks, tmp_path):
    reference = make_model(**build())
    theirs = train(reference, make_callbacks())
    checkpoint = CheckpointSpec(tmp_path, seconds=0)
    for at in (1, 2):
        with pytest.raises(StopError):
            train(make_model(**build()), [*make_callbacks(), Bomb(at)], checkpoint=checkpoint)
    assert CheckpointFolder(tmp_path).load().epoch == 2
    model = make_model(**build())
    ours = train(model, make_callbacks(), checkpoint=checkpoint)
    assert_same_bits(model, reference, ours, theirs)


def test_streamed_data_too(tmp_path, monkeypatch):
    monkeypatch.setattr(streaming, "CHUNK_BYTES", 2 * 16 * (36 * 4 + 12))
    np.save(tmp_path / "x.npy", X)
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    reference = make_model()
    theirs = train(reference, x=x)
    checkpoint = CheckpointSpec(tmp_path / "kept", seconds=0)
    with pytest.raises(StopError):
        train(make_model(), [Bomb(3)], x=x, checkpoint=checkpoint)
    model = make_model()
    ours = train(model, x=x, checkpoint=checkpoint)
    assert_same_bits(model, reference, ours, theirs)
    with pytest.raises(CheckpointError, match="differs in data"):
        train(make_model(), x=x[::-1], checkpoint=checkpoint)


def test_without_a_seed_numpys_generator_is_kept(tmp_path):
    np.random.seed(5)
    reference = make_model()
    theirs = train(reference, seed=None)
    np.random.seed(5)
    checkpoint = CheckpointSpec(tmp_path, seconds=0)
    with pytest.raises(StopError):
        train(make_model(), [Bomb(3)], seed=None, checkpoint=checkpoint)
    np.random.seed(6)
    model = make_model()
    ours = train(model, seed=None, checkpoint=checkpoint)
    assert_same_bits(model, reference, ours, theirs)


@pytest.mark.parametrize("make_callbacks", [list, lambda: [plateau()]])
def test_more_epochs_equal_as_many_at_once(make_callbacks, tmp_path):
    reference = make_model()
    theirs = train(reference, make_callbacks(), epochs=7)
    train(make_model(), make_callbacks(), epochs=4, checkpoint=tmp_path)
    model = make_model()
    ours = train(model, make_callbacks(), epochs=7, checkpoint=tmp_path)
    assert_same_bits(model, reference, ours, theirs)


def test_a_finished_training_is_not_trained_again(tmp_path, monkeypatch):
    model = make_model()
    theirs = train(model, [stopping()], checkpoint=tmp_path)
    again = make_model()
    heard = []
    ours = train(again, [stopping(), Watch(lambda *said: heard.append(said))], checkpoint=tmp_path)
    assert_same_bits(again, model, ours, theirs)
    # A callback that reads logs gets every epoch nevertheless.
    assert [epoch for epoch, _ in heard] == theirs.epoch


def test_extended_after_early_stopping_patience_counts_anew(tmp_path):
    ended = train(make_model(), [stopping()], epochs=30, checkpoint=tmp_path)
    assert len(ended.epoch) < 30
    longer = train(make_model(), [stopping()], epochs=31, checkpoint=tmp_path)
    assert len(ended.epoch) + 2 <= len(longer.epoch)
    assert longer.history["loss"][: len(ended.epoch)] == ended.history["loss"]


def test_a_csv_log_is_whole(tmp_path):
    logs = [keras.callbacks.CSVLogger(tmp_path / f"{name}.csv") for name in ("once", "twice")]
    train(make_model(), [logs[0]])
    checkpoint = CheckpointSpec(tmp_path / "kept", seconds=0)
    with pytest.raises(StopError):
        train(make_model(), [Bomb(3)], checkpoint=checkpoint)
    train(make_model(), [logs[1]], checkpoint=checkpoint)
    assert (tmp_path / "twice.csv").read_text() == (tmp_path / "once.csv").read_text()


DIFFERENCES = {
    "batch size (16 then, 20 now)": (make_model, {"batch_size": 20}),
    "seed (1 then, 2 now)": (make_model, {"seed": 2}),
    "shuffle (true then, false now)": (make_model, {"shuffle": False}),
    "differs in data": (make_model, {"sample_weight": np.full(61, 2.0)}),
    "samples (48 then, 36 now)": (make_model, {"validation_split": 0.4}),
    "learning rate": (lambda: make_model(schedule=32), {}),
    "layers": (lambda: make_model(dtype="bfloat16"), {}),
    "callbacks": (make_model, {"callbacks": [plateau()]}),
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    train(make_model(), epochs=1, checkpoint=folder)
    return folder


@pytest.mark.parametrize("what", DIFFERENCES)
def test_another_training_is_refused_and_named(what, kept):
    build, options = DIFFERENCES[what]
    with pytest.raises(CheckpointError, match="it belongs to another training") as caught:
        train(build(), **({"epochs": 1} | options), checkpoint=kept)
    assert what in str(caught.value)


def test_fewer_epochs_are_refused(kept, tmp_path):
    train(make_model(), epochs=2, checkpoint=tmp_path)
    with pytest.raises(CheckpointError, match="has 2 epochs, more than the 1"):
        train(make_model(), epochs=1, checkpoint=tmp_path)


class Counts(keras.callbacks.Callback):
    """Ends the training after a number of epochs, which it counts itself."""

    def __init__(self):
        super().__init__()
        self.seen = 0

    def on_epoch_end(self, epoch, logs=None):
        self.seen += 1
        self.model.stop_training = self.seen == 5


class Remembers(Counts):
    def get_state(self):
        return {"seen": self.seen, "nested": [(1.5, None), {"array": np.arange(3)}]}

    def set_state(self, state):
        self.seen = state["seen"]
        assert state["nested"][0] == (1.5, None)
        np.testing.assert_array_equal(state["nested"][1]["array"], [0, 1, 2])


def test_a_callback_of_ones_own_must_tell_what_it_remembers(tmp_path):
    with pytest.raises(TrainingError, match="Counts may have state"):
        train(make_model(), [Counts()], checkpoint=tmp_path / "no")
    checkpoint = CheckpointSpec(tmp_path / "yes", seconds=0)
    with pytest.raises(StopError):
        train(make_model(), [Remembers(), Bomb(2)], checkpoint=checkpoint)
    assert len(train(make_model(), [Remembers()], checkpoint=checkpoint).epoch) == 5


def test_a_memory_that_cannot_be_kept_is_said_before_training(tmp_path):
    class Odd(Remembers):
        def get_state(self):
            return {"file": object()}

    epochs = []
    watch = Watch(lambda epoch, _: epochs.append(epoch))
    with pytest.raises(TrainingError, match="A checkpoint cannot hold this"):
        train(make_model(), [Odd(), watch], checkpoint=tmp_path)
    assert epochs == []


def test_a_ctrl_c_while_callbacks_hear_of_old_epochs_is_heard(tmp_path):
    class Pressed(Watch):
        def on_epoch_again(self, epoch, logs=None):
            self.model.stop_training = True

    train(make_model(), epochs=2, checkpoint=tmp_path)
    pressed = Pressed(lambda *_: None)
    history = train(make_model(), [pressed], epochs=6, checkpoint=tmp_path)
    assert len(history.epoch) == 2


def test_none_is_kept_between_in_a_short_training(tmp_path):
    saved = []

    class Counting(CheckpointFolder):
        def save(self, checkpoint, *, is_last=False):
            saved.append((checkpoint.epoch, is_last))

    train(
        make_model(), [stopping()], epochs=4, checkpoint=CheckpointTarget(Counting(tmp_path), 30.0)
    )
    assert saved == [(4, True)] or (len(saved) == 1 and saved[0][1])


def test_a_full_disk_costs_no_training(tmp_path, monkeypatch):
    reference = make_model()
    theirs = train(reference)
    (tmp_path / "taken").write_bytes(b"")
    model = make_model()
    with pytest.warns(RuntimeWarning, match="cannot be written"):
        ours = train(model, checkpoint=tmp_path / "taken")
    assert_same_bits(model, reference, ours, theirs)


def test_two_at_once_are_refused(tmp_path):
    other = CheckpointFolder(tmp_path)
    with other.locked(), pytest.raises(CheckpointError, match="Another process is training"):
        train(make_model(), epochs=1, checkpoint=tmp_path)


def test_what_does_not_fit_is_one_error(tmp_path):
    train(make_model(), epochs=1, checkpoint=tmp_path)
    (path,) = CheckpointFolder(tmp_path).list_files()
    found = decode_checkpoint(path.read_bytes(), path)
    for change in ({"shuffler": 7}, {"history": [["loss"]]}, {"callbacks": "x"}, {"form": 2}):
        broken = json.loads(json.dumps(found.facts)) | change
        store = CheckpointFolder(tmp_path / "broken")
        store.save(type(found)(broken, found.arrays))
        with store.locked():
            pass
        with pytest.raises(CheckpointError, match="cannot be resumed"):
            train(make_model(), epochs=1, checkpoint=tmp_path / "broken")
    fewer = {name: array for name, array in found.arrays.items() if name != "optimizer/2"}
    CheckpointFolder(tmp_path / "fewer").save(type(found)(found.facts, fewer))
    with pytest.raises(CheckpointError, match="optimizer variable 2"):
        train(make_model(), epochs=1, checkpoint=tmp_path / "fewer")
