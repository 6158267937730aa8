"""A kept trace is used for exactly the programs that it fits."""

import os

import jax
import numpy as np
import pytest
from jax import export

from clearcnn import backend
from clearcnn.specs import AugmentationSpec
from clearcnn.training import augment_model, compile_sooner, disk_cache, fit, program_cache

import keras  # isort: skip

pytestmark = pytest.mark.reference

L = keras.layers
X = np.random.default_rng(0).normal(size=(12, 6, 6, 1)).astype("float32")
Y = np.random.default_rng(1).integers(3, size=12)


class Double(L.Layer):
    def call(self, x):
        return 2 * x


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of traces, as in a process of our own."""
    monkeypatch.setattr(backend, "_is_own_process", True)
    before = jax.config.values["jax_compilation_cache_dir"]
    # It does not exist yet, as if a user chose a new folder.
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "programs"))
    yield tmp_path / "programs" / "traces"
    jax.config.update("jax_compilation_cache_dir", before)
    jax.config.update("jax_enable_compilation_cache", True)


def make_model(*more, filters=2, seed=0, rate=0.01):
    keras.utils.set_random_seed(seed)
    layers = [L.Conv2D(filters, 3, activation="relu"), L.BatchNormalization(), *more]
    head = [L.Flatten(), L.Dropout(0.3, seed=seed), L.Dense(3, activation="softmax")]
    model = keras.Sequential([keras.Input((6, 6, 1)), *layers, *head])
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    return model


def train(model):
    """Train it as the first model of a process."""
    program_cache._programs.clear()
    history = fit(model, X, Y, batch_size=5, epochs=3, validation_split=0.25, verbose=0, seed=1)
    return history.history, model.get_weights()


def assert_equal(ours, theirs):
    jax.tree.map(np.testing.assert_array_equal, ours, theirs)


def refuse(*_):
    raise AssertionError("traced anew")


def test_a_kept_trace_spares_tracing_and_trains_to_the_bit_as_a_new_one(folder, monkeypatch):
    first = train(make_model())
    assert len(list(folder.iterdir())) == 1
    monkeypatch.setattr(export, "export", refuse)
    assert_equal(train(make_model()), first)
    # Seeds and learning rates are inputs of the program.
    other = train(make_model(seed=4, rate=0.02))
    monkeypatch.setattr(backend, "_is_own_process", False)
    assert_equal(train(make_model()), first)
    assert_equal(train(make_model(seed=4, rate=0.02)), other)


def test_another_level_of_optimisation_shares_the_trace(folder):
    train(make_model())
    with compile_sooner(1):
        train(make_model())
    assert len(list(folder.iterdir())) == 1


def test_augmentation_and_winograds_way_are_kept_too(folder, monkeypatch):
    def make():
        keras.utils.set_random_seed(0)  # A layer draws its seed when it is made.
        plain = make_model(L.Conv2D(32, 3, padding="same"), L.MaxPooling2D(2), filters=32)
        model = augment_model(plain, AugmentationSpec(shift_pixels=1.0), 1)
        model.compile(keras.optimizers.Adam(), "sparse_categorical_crossentropy")
        return model

    first = train(make())
    monkeypatch.setattr(export, "export", refuse)
    assert_equal(train(make()), first)


@pytest.mark.parametrize(
    ("filters", "change"),
    [
        (3, lambda patch: None),
        (2, lambda patch: patch.setattr(keras, "__version__", "99.0")),
        (2, lambda patch: patch.setattr(disk_cache, "_hash_sources", lambda: "changed")),
        (2, lambda patch: patch.setattr(keras.config, "epsilon", lambda: 1e-3)),
    ],
    ids=["another model", "another Keras", "our code changed", "another setting"],
)
def test_what_is_made_from_something_else_is_traced_anew(folder, monkeypatch, filters, change):
    train(make_model())
    with monkeypatch.context() as patch:
        change(patch)
        train(make_model(filters=filters))
    assert len(list(folder.iterdir())) == 2


def test_what_a_name_does_not_tell_is_never_kept(folder):
    train(make_model(Double()))
    assert not folder.exists()


@pytest.mark.parametrize("content", [b"", b"short", None], ids=["empty", "short", "cut off"])
def test_a_damaged_trace_is_made_anew(folder, content):
    first = train(make_model())
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-100] if content is None else content)
    assert_equal(train(make_model()), first)
    assert disk_cache._read(path) is not None


def test_what_was_used_longest_ago_is_dropped(folder, monkeypatch):
    monkeypatch.setattr(disk_cache, "_MOST", 2)
    kept = []
    for filters in (1, 2, 1, 3):
        train(make_model(filters=filters))
        kept.append({path.name for path in folder.iterdir()})
    first, second = kept[0], kept[1] - kept[0]
    assert first < kept[3] and not second & kept[3] and len(kept[3]) == 2


@pytest.mark.parametrize("case", ["a user's process", "no cache", "a folder that cannot be made"])
def test_nothing_is_kept_where_nothing_may_be(folder, monkeypatch, case):
    if case == "a user's process":
        monkeypatch.setattr(backend, "_is_own_process", False)
    elif case == "no cache":
        jax.config.update("jax_enable_compilation_cache", False)
    else:
        folder.parent.write_text("in the way")
    history, _ = train(make_model())
    assert len(history["loss"]) == 3
    assert not folder.is_dir()


def test_what_is_not_a_trace_is_never_dropped(tmp_path, monkeypatch):
    monkeypatch.setattr(disk_cache, "_MOST", 2)
    mine = tmp_path / "notes.txt"
    mine.write_bytes(b"mine")
    os.utime(mine, (0, 0))
    for number in range(4):
        path = tmp_path / f"{number:064x}"
        disk_cache._write(path, b"trace")
        os.utime(path, (number, number))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{2:064x}",
        f"{3:064x}",
        "notes.txt",
    ]
