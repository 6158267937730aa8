"""Augmentation checked against SciPy; its random numbers are read back from coordinates."""

import numpy as np
import pytest
from scipy import ndimage, stats

from clearcnn.specs import AugmentationSpec
from clearcnn.training import augment_model, fit
from clearcnn.training.affine_warp import warp
from clearcnn.training.augmentation import RandomAffine
from clearcnn.training.fit_arrays import arrange
from clearcnn.training.fit_loop import FitLoop
from clearcnn.training.fit_setup import set_up_fit

import keras  # isort: skip  (after clearcnn, which names the backend)

pytestmark = pytest.mark.reference

LIMITS = {
    "shift_pixels": 0.8,
    "rotation_radians": 0.25,
    "zoom_fraction": 0.15,
    "shear_fraction": 0.15,
}
DRAWS = 400


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape, np.float32)


def augment(layer: RandomAffine, images: np.ndarray) -> np.ndarray:
    return np.asarray(layer(images, training=True))


def read_draws(layer: RandomAffine, count: int = DRAWS) -> tuple[np.ndarray, np.ndarray]:
    """Matrices (count, 2, 2) and displacements (count, 2) of a layer, in (y, x), about the centre.

    Images whose values are their own coordinates show where each pixel was read; bilinear
    interpolation is exact on them.
    """
    height, width = 25, 31
    y, x = np.meshgrid(np.arange(height) - 12, np.arange(width) - 15, indexing="ij")
    pictures = np.zeros((count, height, width, 3), np.float32)
    pictures[..., 0], pictures[..., 1] = y, x
    patch = (slice(None), slice(9, 16), slice(12, 19))
    places = np.stack([y[patch[1:]].ravel(), x[patch[1:]].ravel()], axis=1)
    places = np.column_stack([places, np.ones(len(places))])
    found = augment(layer, pictures)[patch][..., :2].reshape(count, -1, 2)
    solved = np.stack([np.linalg.lstsq(places, each, rcond=None)[0] for each in found])
    np.testing.assert_allclose(places @ solved, found, atol=1e-4)
    return solved[:, :2].transpose(0, 2, 1), solved[:, 2]


def assert_uniform(values: np.ndarray, limit: float) -> None:
    assert np.abs(values).max() <= limit * (1 + 1e-4)
    assert stats.kstest(values, stats.uniform(-limit, 2 * limit).cdf).pvalue > 1e-3


# The interpolation


@pytest.mark.parametrize(
    ("shape", "spread"),
    [
        ((12, 12, 1), 0.2),
        ((9, 14, 3), 0.2),
        # Far outside, where only edges are read.
        ((8, 8, 1), 3.0),
        ((2, 2, 1), 1.0),
        ((5, 40, 3), 0.5),
    ],
)
@pytest.mark.parametrize("fill_value", [None, 0.25])
def test_warp_is_scipys_affine_transform(
    shape: tuple[int, int, int], spread: float, fill_value: float | None
) -> None:
    random = np.random.default_rng(1)
    images = random.random((20, *shape), np.float32)
    matrices = random.normal(0, spread, (20, 6)).astype(np.float32)
    matrices[:, [0, 4]] += 1
    matrices[:, [2, 5]] *= 5
    found = np.asarray(warp(images, matrices, fill_value))
    for image, (yy, yx, y0, xy, xx, x0), ours in zip(images, matrices, found, strict=True):
        for channel in range(shape[2]):
            theirs = ndimage.affine_transform(
                image[..., channel].astype(np.float64),
                [[yy, yx], [xy, xx]],
                offset=[y0, x0],
                order=1,
                mode="nearest" if fill_value is None else "grid-constant",
                cval=fill_value or 0.0,
            )
            np.testing.assert_allclose(ours[..., channel], theirs, atol=2e-4)


def test_a_whole_pixel_to_the_right_and_down() -> None:
    images = noise(1, 6, 7, 3)
    moved = np.asarray(warp(images, np.array([[1, 0, -1, 0, 1, -1]], np.float32)))
    np.testing.assert_array_equal(moved[:, 1:, 1:], images[:, :-1, :-1])
    np.testing.assert_array_equal(moved[:, 0, 1:], images[:, 0, :-1])
    np.testing.assert_array_equal(moved[:, 1:, 0], images[:, :-1, 0])


def test_the_identity_changes_nothing() -> None:
    images = noise(4, 8, 11, 3)
    matrices = np.tile(np.array([1, 0, 0, 0, 1, 0], np.float32), (4, 1))
    np.testing.assert_array_equal(np.asarray(warp(images, matrices)), images)


# The layer


@pytest.mark.parametrize("shape", [(8, 8, 1), (7, 13, 3), (2, 2, 1)])
def test_limits_of_nothing_change_nothing(shape: tuple[int, int, int]) -> None:
    images = noise(5, *shape)
    np.testing.assert_allclose(augment(RandomAffine(seed=3), images), images, atol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_nothing_happens_outside_training(dtype: str) -> None:
    images = (200 * noise(5, 8, 9, 3)).astype(dtype)
    layer = RandomAffine(**LIMITS, seed=3)
    for result in (layer(images), layer(images, training=False)):
        assert result.dtype == "float32"
        np.testing.assert_array_equal(np.asarray(result), images.astype(np.float32))


def test_whole_numbers_are_augmented_as_floats() -> None:
    images = (255 * noise(6, 8, 8, 1)).astype(np.uint8)
    whole = augment(RandomAffine(**LIMITS, seed=3), images)
    floats = augment(RandomAffine(**LIMITS, seed=3), images.astype(np.float32))
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(whole, floats)
    assert np.any(whole != np.rint(whole))


def test_no_value_leaves_the_range_of_its_picture() -> None:
    images = noise(50, 8, 8, 3)
    changed = augment(RandomAffine(2.0, 1.0, 0.5, 0.5, seed=1), images)
    assert np.all(changed.min(axis=(1, 2)) >= images.min(axis=(1, 2)) - 1e-6)
    assert np.all(changed.max(axis=(1, 2)) <= images.max(axis=(1, 2)) + 1e-6)


def test_all_channels_move_alike() -> None:
    images = np.repeat(noise(6, 9, 7, 1), 3, axis=3)
    changed = augment(RandomAffine(**LIMITS, seed=2), images)
    np.testing.assert_array_equal(changed[..., 0], changed[..., 1])
    np.testing.assert_array_equal(changed[..., 0], changed[..., 2])


def test_shifts_are_uniform_along_each_axis_by_itself() -> None:
    matrices, displacements = read_draws(RandomAffine(shift_pixels=0.8, seed=5))
    np.testing.assert_allclose(matrices, np.tile(np.eye(2), (DRAWS, 1, 1)), atol=1e-5)
    for axis in range(2):
        assert_uniform(displacements[:, axis], 0.8)
    assert abs(stats.pearsonr(*displacements.T).statistic) < 0.2


def test_a_bright_pixel_moves_by_no_more_than_the_limit() -> None:
    images = np.zeros((DRAWS, 9, 11, 1), np.float32)
    images[:, 4, 5] = 1
    changed = augment(RandomAffine(shift_pixels=0.8, seed=5), images)[..., 0]
    np.testing.assert_allclose(changed.sum(axis=(1, 2)), 1, atol=1e-5)
    centres = np.array([ndimage.center_of_mass(each) for each in changed]) - [4, 5]
    assert np.abs(centres).max() <= 0.8 + 1e-5
    # Reading at position − displacement moves the image by the displacement.
    np.testing.assert_allclose(
        centres, -read_draws(RandomAffine(shift_pixels=0.8, seed=5))[1], atol=1e-4
    )


def test_rotations_are_about_the_centre() -> None:
    matrices, displacements = read_draws(RandomAffine(rotation_radians=0.25, seed=5))
    np.testing.assert_allclose(displacements, 0, atol=1e-4)
    np.testing.assert_allclose(
        matrices @ matrices.transpose(0, 2, 1), np.tile(np.eye(2), (DRAWS, 1, 1)), atol=1e-5
    )
    np.testing.assert_allclose(np.linalg.det(matrices), 1, atol=1e-5)
    assert_uniform(np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0]), 0.25)


def test_zoom_is_the_same_along_both_axes() -> None:
    matrices, displacements = read_draws(RandomAffine(zoom_fraction=0.15, seed=5))
    np.testing.assert_allclose(displacements, 0, atol=1e-4)
    np.testing.assert_allclose(matrices[:, 0, 0], matrices[:, 1, 1], atol=1e-5)
    np.testing.assert_allclose(matrices[:, [0, 1], [1, 0]], 0, atol=1e-5)
    # Twice the size is read at half the distances.
    assert_uniform(1 / matrices[:, 0, 0] - 1, 0.15)


def test_shear_slants_along_each_axis_by_itself() -> None:
    matrices, displacements = read_draws(RandomAffine(shear_fraction=0.15, seed=5))
    np.testing.assert_allclose(displacements, 0, atol=1e-4)
    np.testing.assert_allclose(matrices[:, [0, 1], [0, 1]], 1, atol=1e-5)
    vertical, horizontal = matrices[:, 0, 1], matrices[:, 1, 0]
    assert_uniform(vertical, 0.15)
    assert_uniform(horizontal, 0.15)
    assert abs(np.corrcoef(vertical, horizontal)[0, 1]) < 0.2


def test_together_they_stay_within_their_limits() -> None:
    matrices, displacements = read_draws(RandomAffine(**LIMITS, seed=5))
    area = np.linalg.det(matrices)
    # Shear along both axes keeps the area, except for the product of the two.
    sheared = 1 + np.array([-1, 1]) * 0.15**2
    assert np.all((area >= sheared[0] * 1.15**-2 - 1e-4) & (area <= sheared[1] * 0.85**-2 + 1e-4))
    # After the shift comes rotation, scale and shear about the centre: A · (p − shift).
    shifts = np.linalg.solve(matrices, -displacements[..., np.newaxis])[..., 0]
    for axis in range(2):
        assert_uniform(shifts[:, axis], 0.8)


def test_a_flip_mirrors_about_half_of_the_images_and_moves_nothing_else() -> None:
    images = noise(DRAWS, 5, 8, 3)
    changed = augment(RandomAffine(horizontal_flip=True, seed=3), images)
    is_mirrored = np.array(
        [not np.allclose(a, b, atol=1e-5) for a, b in zip(changed, images, strict=True)]
    )
    expected = np.where(is_mirrored[:, None, None, None], images[:, :, ::-1], images)
    np.testing.assert_allclose(changed, expected, atol=1e-5)
    assert stats.binomtest(int(is_mirrored.sum()), DRAWS).pvalue > 1e-3


def test_a_mirrored_image_is_shaken_like_any_other() -> None:
    matrices, displacements = read_draws(RandomAffine(**LIMITS, horizontal_flip=True, seed=5))
    signs = np.sign(np.linalg.det(matrices))
    assert stats.binomtest(int((signs > 0).sum()), DRAWS).pvalue > 1e-3
    # Mirrored back, the column that is read runs the usual way again.
    matrices[:, 1] *= signs[:, None]
    displacements[:, 1] *= signs
    shifts = np.linalg.solve(matrices, -displacements[..., np.newaxis])[..., 0]
    for axis in range(2):
        assert_uniform(shifts[:, axis], 0.8)


# Chance


def test_every_image_is_changed_by_itself() -> None:
    images = np.repeat(noise(1, 8, 8, 1), 16, axis=0)
    changed = augment(RandomAffine(**LIMITS, seed=4), images)
    assert len({each.tobytes() for each in changed}) == 16
    images[0] = 0.5
    again = augment(RandomAffine(**LIMITS, seed=4), images)
    np.testing.assert_array_equal(again[1:], changed[1:])
    np.testing.assert_allclose(again[0], 0.5, atol=1e-6)


def test_a_seed_gives_the_same_draws_and_every_call_new_ones() -> None:
    images = noise(8, 8, 8, 1)
    first, second, other = (RandomAffine(**LIMITS, seed=seed) for seed in (4, 4, 5))
    calls = [augment(first, images) for _ in range(3)]
    for call in calls:
        np.testing.assert_array_equal(augment(second, images), call)
    assert len({call.tobytes() for call in calls}) == 3
    assert not np.array_equal(augment(other, images), calls[0])


def test_the_global_seed_has_no_say() -> None:
    images = noise(8, 8, 8, 1)
    results = []
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        results.append(augment(RandomAffine(**LIMITS, seed=4), images))
    np.testing.assert_array_equal(*results)


def test_a_configuration_makes_the_same_layer(tmp_path) -> None:
    layer = RandomAffine(**LIMITS, seed=4, name="shaken")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
    assert {name: again.get_config()[name] for name in LIMITS} == LIMITS
    images = noise(8, 6, 7, 3)
    np.testing.assert_array_equal(augment(again, images), augment(layer, images))
    assert again.compute_output_shape((None, 6, 7, 3)) == (None, 6, 7, 3)

    keras.Sequential([keras.Input((6, 7, 3)), again]).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras").layers[0]
    # Keras saves no states of seed generators, so they start again.
    np.testing.assert_array_equal(
        augment(loaded, images), augment(RandomAffine(**LIMITS, seed=4), images)
    )


# In front of a model


def make_base() -> keras.Model:
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((6, 7, 3)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )


def test_training_the_augmented_model_trains_the_base() -> None:
    base = make_base()
    augmented = augment_model(base, AugmentationSpec(**LIMITS), seed=1)
    assert [type(layer).__name__ for layer in augmented.layers] == [
        "RandomAffine",
        "Conv2D",
        "Flatten",
        "Dense",
    ]
    assert all(a is b for a, b in zip(augmented.layers[1:], base.layers, strict=True))
    assert {n: v for n, v in augmented.layers[0].get_config().items() if n in LIMITS} == LIMITS
    before = base.get_weights()
    augmented.compile("adam", "sparse_categorical_crossentropy")
    fit(augmented, noise(20, 6, 7, 3), np.arange(20) % 2, epochs=2, verbose=0, seed=0)
    assert all(np.any(a != b) for a, b in zip(before, base.get_weights(), strict=True))
    # The seed generator is the augmented model's only other variable.
    for ours, theirs in zip(base.weights, augmented.trainable_weights, strict=True):
        assert ours is theirs


def test_the_base_stays_free_of_augmentation(tmp_path) -> None:
    base = make_base()
    images = noise(5, 6, 7, 3)
    before = base.predict(images, verbose=0)
    augmented = augment_model(base, AugmentationSpec(**LIMITS), seed=1)
    assert [type(layer).__name__ for layer in base.layers] == ["Conv2D", "Flatten", "Dense"]
    np.testing.assert_array_equal(base.predict(images, verbose=0), before)
    np.testing.assert_array_equal(np.asarray(base(images, training=True)), np.asarray(base(images)))
    # Outside training the augmented model is the base; in training it is not.
    np.testing.assert_allclose(augmented.predict(images, verbose=0), before, atol=1e-6)
    assert not np.allclose(np.asarray(augmented(images, training=True)), before, atol=1e-4)


@pytest.mark.parametrize("same", [True, False], ids=["same seed", "other seed"])
def test_a_fit_augments_anew_in_every_epoch_and_never_for_validation(same: bool) -> None:
    x, y = noise(24, 6, 7, 3), np.arange(24) % 2
    histories = []
    for seed in (1, 1 if same else 2):
        augmented = augment_model(make_base(), AugmentationSpec(**LIMITS), seed=seed)
        # Nothing is learned, so only augmentation can change the loss.
        augmented.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
        history = fit(
            augmented, x, y, epochs=5, batch_size=24, validation_data=(x, y), verbose=0, seed=0
        )
        histories.append(history.history)
    first, second = histories
    assert len(set(first["loss"])) == 5
    assert len(set(first["val_loss"])) == 1
    assert (first["loss"] == second["loss"]) is same
    assert first["val_loss"] == second["val_loss"]


def test_pixels_stay_whole_numbers_until_a_batch_needs_them() -> None:
    images = np.random.default_rng(0).integers(0, 256, (4000, 6, 7, 3), np.uint8)
    augmented = augment_model(make_base(), AugmentationSpec(**LIMITS, contrast_fraction=0.1), 1)
    augmented.compile("adam", "sparse_categorical_crossentropy")
    loop = FitLoop(
        set_up_fit(
            augmented,
            arrange(images, np.arange(4000) % 2, None, None, 0.2, None),
            batch_size=16,
            validation_batch_size=16,
            epochs=2,
            callbacks=None,
            shuffle=True,
            seed=0,
        )
    )
    assert loop.inputs[2][0].dtype == np.uint8
    # As floats they would take four times their own room.
    assert loop.program.memory_analysis().temp_size_in_bytes < 0.5 * images.nbytes
