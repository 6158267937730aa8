"""Muon's steps, checked against singular value decompositions in NumPy and Keras's AdamW."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from clearcnn.specs import CheckpointSpec, TrainSpec
from clearcnn.training import compile_model, fit, fit_many
from clearcnn.training.muon import ConvolutionMuon, orthogonalize

import keras  # isort: skip  (after clearcnn, which names the backend)

SHAPES = [(45, 6), (6, 45), (8, 8)]


def raise_singular_values(values: np.ndarray) -> np.ndarray:
    """What five Newton-Schulz iterations do to each singular value."""
    for _ in range(5):
        values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
    return values


def orthogonal_by_svd(matrix: np.ndarray) -> np.ndarray:
    """The same through a decomposition, in double precision."""
    left, values, right = np.linalg.svd(matrix.astype(np.float64), full_matrices=False)
    raised = raise_singular_values(values / np.sqrt(np.sum(values**2)))
    product: np.ndarray = (left * raised) @ right
    return product


def make_images(n: int = 24) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    return random.normal(size=(n, 8, 8, 3)).astype(np.float32), np.eye(3, dtype=np.float32)[
        random.integers(0, 3, n)
    ]


def make_network(seed: int = 0) -> keras.Model:
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(6, 3, activation="relu"),
            keras.layers.Conv2D(8, 3, use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.GlobalMaxPooling2D(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


def compile_with_muon(seed: int = 0) -> keras.Model:
    network = make_network(seed)
    spec = TrainSpec(optimizer="muon", learning_rate=0.02, weight_decay=0.05, batch_size=8)
    compile_model(network, spec, 24)
    return network


@pytest.mark.parametrize("shape", SHAPES)
def test_singular_values_are_raised_to_about_one(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    left, _, right = np.linalg.svd(random.normal(size=shape), full_matrices=False)
    values = np.geomspace(1.0, 0.05, min(shape))
    result = np.asarray(orthogonalize(jnp.asarray((left * values) @ right, jnp.float32)))
    within = left.T @ result @ right.T
    np.testing.assert_allclose(within, np.diag(np.diag(within)), atol=1e-4)
    assert np.diag(within).min() > 0.65
    assert np.diag(within).max() < 1.25


@pytest.mark.parametrize("shape", SHAPES)
def test_orthogonalize_equals_a_decomposition(shape: tuple[int, int]) -> None:
    matrix = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    np.testing.assert_allclose(
        orthogonalize(jnp.asarray(matrix)), orthogonal_by_svd(matrix), atol=2e-5
    )


def test_a_zero_gradient_leaves_a_kernel_as_it_is() -> None:
    assert not np.asarray(orthogonalize(jnp.zeros((9, 5)))).any()


def test_kernels_follow_the_formula() -> None:
    random = np.random.default_rng(2)
    start = random.normal(size=(3, 3, 5, 6))
    gradients = random.normal(size=(3, *start.shape))
    variable = keras.Variable(start.astype(np.float32))
    optimizer = ConvolutionMuon(0.02, weight_decay=0.05)
    for gradient in gradients:
        optimizer.apply([gradient.astype(np.float32)], [variable])
    expected, momentum = start, np.zeros_like(start)
    for gradient in gradients:
        momentum = 0.95 * momentum + gradient
        ahead = (gradient + 0.95 * momentum).reshape(45, 6)
        update = 0.2 * np.sqrt(45) * orthogonal_by_svd(ahead)
        expected = expected * (1 - 0.05 * 0.02) - 0.02 * update.reshape(start.shape)
    np.testing.assert_allclose(variable, expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(7,), (9, 5), (3, 3, 4, 16), (3, 3, 16, 1)])
def test_other_variables_follow_adamw_at_a_quarter_of_the_rate(shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(4)
    start = random.normal(size=shape).astype(np.float32)
    ours, theirs = keras.Variable(start), keras.Variable(start)
    optimizer = ConvolutionMuon(0.02, weight_decay=0.05)
    reference = keras.optimizers.AdamW(0.005, weight_decay=0.2)
    for _ in range(4):
        gradient = random.normal(size=shape).astype(np.float32)
        optimizer.apply([gradient], [ours])
        reference.apply([gradient], [theirs])
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_fit_equals_model_fit() -> None:
    images, labels = make_images()
    ours, theirs = compile_with_muon(), compile_with_muon()
    fit(ours, images, labels, batch_size=8, epochs=2, shuffle=False)
    theirs.fit(images, labels, batch_size=8, epochs=2, shuffle=False, verbose=0)
    for mine, reference in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, reference, atol=1e-4)


def test_a_resumed_training_ends_in_the_same_bits(tmp_path: Path) -> None:
    images, labels = make_images()
    whole, resumed = compile_with_muon(), compile_with_muon()
    fit(whole, images, labels, batch_size=8, epochs=4, seed=1)
    checkpoint = CheckpointSpec(tmp_path / "checkpoints", seconds=0)
    fit(resumed, images, labels, batch_size=8, epochs=2, seed=1, checkpoint=checkpoint)
    again = compile_with_muon(seed=5)
    fit(again, images, labels, batch_size=8, epochs=4, seed=1, checkpoint=checkpoint)
    assert len(again.history.epoch) == 4
    for mine, expected in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, expected)


def test_many_trainings_equal_single_ones() -> None:
    images, labels = make_images()
    for fitted in fit_many(compile_with_muon, images, labels, seeds=(0, 1), batch_size=8, epochs=2):
        alone = compile_with_muon(fitted.seed)
        fit(alone, images, labels, batch_size=8, epochs=2, seed=fitted.seed)
        for mine, expected in zip(fitted.model.get_weights(), alone.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, expected)


def test_keras_recreates_the_optimizer() -> None:
    config = keras.optimizers.serialize(ConvolutionMuon(0.03, 0.1, adam_fraction=0.5))
    again = keras.optimizers.deserialize(config)
    assert type(again) is ConvolutionMuon
    assert again.get_config() == ConvolutionMuon(0.03, 0.1, adam_fraction=0.5).get_config()
