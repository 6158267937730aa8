"""Float images that are bytes stay bytes, and become the same floats in a batch."""

import jax
import numpy as np
import pytest
from jax import export

from clearcnn.training import fit
from clearcnn.training.fit_arrays import arrange
from clearcnn.training.fit_loop import FitLoop
from clearcnn.training.fit_setup import set_up_fit
from clearcnn.training.scaled_bytes import find_bytes, take_rows

import keras  # isort: skip  (after clearcnn, which names the backend)

LEVELS = np.arange(256, dtype=np.uint8)
SCALED = {
    "divided": LEVELS.astype(np.float32) / np.float32(255),
    "multiplied": LEVELS.astype(np.float32) * np.float32(1 / 255),
    "bytes": LEVELS.astype(np.float32),
}


def pictures(scale="divided", n=60):
    random = np.random.default_rng(3)
    return SCALED[scale][random.integers(0, 256, (n, 8, 8, 1))]


def labels(n=60):
    return np.random.default_rng(4).integers(0, 3, n)


def model():
    keras.utils.set_random_seed(5)
    network = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    network.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return network


@pytest.mark.parametrize("scale", SCALED)
def test_every_level_is_the_same_float_in_a_program(scale):
    found = find_bytes(SCALED[scale][:, None])
    np.testing.assert_array_equal(found.levels, LEVELS[:, None])
    rows = np.random.default_rng(0).permutation(256)
    batch, none = jax.jit(take_rows)((found, None), rows)
    assert batch.dtype == np.float32 and none is None
    np.testing.assert_array_equal(
        np.asarray(batch).view(np.uint32), SCALED[scale][rows][:, None].view(np.uint32)
    )


@pytest.mark.parametrize("odd", [0.5, 256, -1, np.nan, np.inf, -np.inf, -0.0, 3e38])
def test_one_other_number_keeps_all_as_floats(odd):
    images = np.zeros((2000, 16, 16, 1), np.float32)
    assert find_bytes(images) is not None
    images[-1, -1, -1] = odd
    assert find_bytes(images) is None


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.uint8, np.int32, np.bool_])
def test_other_dtypes_stay(dtype):
    assert find_bytes(np.ones((3, 2), dtype)) is None


def test_any_layout_of_the_array():
    images = np.asfortranarray(pictures(n=40)[::2])
    np.testing.assert_array_equal(
        np.asarray(take_rows((find_bytes(images),), np.arange(20))[0]), images
    )


def test_only_the_images_of_a_fit_are_kept_as_bytes():
    x, y = pictures(), np.eye(3, dtype=np.float32)[labels()]
    network = model()
    network.compile("sgd", "categorical_crossentropy")
    setup = set_up_fit(
        network,
        arrange(x, y, np.ones(60, np.float32), None, 0.2, None),
        batch_size=16,
        validation_batch_size=None,
        epochs=1,
        callbacks=None,
        shuffle=True,
        seed=0,
    )
    _, _, train, (held_out, _), _ = FitLoop(setup).inputs
    for images, targets, weights in (train, held_out):
        assert images.levels.dtype == np.uint8
        assert targets.dtype == np.float32 and weights.dtype == np.float32


@pytest.mark.parametrize("scale", SCALED)
def test_a_fit_has_the_same_bits_as_with_floats(scale, monkeypatch):
    def train():
        network = model()
        history = fit(
            network,
            pictures(scale),
            labels(),
            epochs=3,
            batch_size=16,
            validation_split=0.2,
            seed=1,
        )
        return [*network.get_weights(), *history.history.values()]

    kept = train()
    monkeypatch.setattr("clearcnn.training.fit_loop.find_bytes", lambda array: None)
    for ours, theirs in zip(kept, train(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.reference
def test_a_fit_is_that_of_keras():
    ours, theirs = model(), model()
    settings = {"epochs": 3, "batch_size": 16, "shuffle": False, "validation_split": 0.2}
    found = fit(ours, pictures(), labels(), **settings).history
    expected = theirs.fit(pictures(), labels(), verbose=0, **settings).history
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, err_msg=name)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)


def test_a_trace_with_them_can_be_kept():
    data, rows = (find_bytes(pictures()), None), np.arange(5)
    trace = export.export(jax.jit(take_rows))(data, rows).serialize()
    kept = export.deserialize(bytearray(trace)).call(data, rows)
    np.testing.assert_array_equal(np.asarray(kept[0]), pictures()[:5])
