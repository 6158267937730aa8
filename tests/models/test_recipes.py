"""The named recipes: the lesson's numbers, and a default that fits every size and class count."""

from itertools import pairwise

import numpy as np
import pytest

from clearcnn.errors import SpecError
from clearcnn.models import (
    RECIPES,
    PixelStatistics,
    build_model,
    check_output,
    choose_class_weight_power,
    find_recipe,
    summarize_model,
)
from clearcnn.specs import AugmentationSpec, LayerSpec, TrainSpec

PIXELS = PixelStatistics(mean=100.0, standard_deviation=50.0)
SIDES = range(8, 97)


# The tutorial


def test_the_tutorials_layers_are_the_lessons() -> None:
    spec = RECIPES["tutorial"].make_model((8, 8, 1), 10, PIXELS)
    assert spec.name == "tutorial"
    assert spec.layers == (
        LayerSpec("Conv2D", {"filters": 10, "kernel_size": (3, 3)}),
        LayerSpec("Activation", {"activation": "relu"}),
        LayerSpec("MaxPooling2D", {"pool_size": (2, 2)}),
        LayerSpec("Flatten"),
        LayerSpec("Dense", {"units": 50, "activation": "relu"}),
        LayerSpec("Dense", {"units": 10, "activation": "softmax"}),
    )


def test_the_tutorials_shapes_and_parameters_are_those_keras_prints() -> None:
    import keras

    lesson = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(10, (3, 3)),
            keras.layers.Activation("relu"),
            keras.layers.MaxPooling2D((2, 2)),
            keras.layers.Flatten(),
            keras.layers.Dense(50, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    spec = RECIPES["tutorial"].make_model((8, 8, 1), 10, PIXELS)
    summary = summarize_model(spec, (8, 8, 1))
    assert [row.output_shape for row in summary.layers] == [
        layer.output.shape[1:] for layer in lesson.layers
    ]
    assert [row.parameters for row in summary.layers] == [
        layer.count_params() for layer in lesson.layers
    ]
    assert summary.parameters == lesson.count_params() == 100 + 4550 + 510


def test_the_tutorial_is_trained_as_in_the_lesson() -> None:
    recipe = RECIPES["tutorial"]
    assert recipe.split == "random"
    for num_train in (1005, 60_000):
        assert recipe.make_training((8, 8, 1), num_train, PIXELS, 777) == TrainSpec(
            epochs=100,
            batch_size=50,
            learning_rate=0.001,
            optimizer="adam",
            schedule="constant",
            weight_decay=0.0,
            label_smoothing=0.0,
            patience=None,
            augmentation=None,
            seed=777,
        )


# The default


@pytest.mark.parametrize("num_classes", [2, 10, 100])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_default_fits_every_square_size(channels: int, num_classes: int) -> None:
    for side in SIDES:
        shape = (side, side, channels)
        spec = RECIPES["default"].make_model(shape, num_classes, PIXELS)
        summary = check_output(spec, shape, num_classes)
        assert summary.layers[-1].output_shape == (num_classes,)
        # A person's laptop holds it with ease, and an 8×8 digit still has enough to learn with.
        assert 50_000 < summary.parameters < 500_000, side


def test_the_default_fits_oblong_sizes() -> None:
    refused = []
    for long in SIDES:
        for short in (8, 9, 11, 15, 16, 17, 33):
            for shape in ((long, short, 1), (short, long, 3)):
                try:
                    check_output(RECIPES["default"].make_model(shape, 10, PIXELS), shape, 10)
                except SpecError:
                    refused.append(shape)
    assert refused == []


def test_the_default_fits_images_of_one_row_or_column() -> None:
    for side in (1, 2, 3, 15, 16, 17, 40, 500):
        for shape in ((1, side, 1), (side, 1, 2), (2, side, 1), (3, side, 4)):
            summary = check_output(RECIPES["default"].make_model(shape, 2, PIXELS), shape, 2)
            assert summary.layers[-1].output_shape == (2,)


@pytest.mark.parametrize(
    ("shape", "halvings"),
    [((8, 8, 1), 0), ((15, 15, 3), 0), ((15, 17, 1), 1), ((8, 60, 3), 2)],
)
def test_narrow_images_are_halved_first(shape: tuple[int, int, int], halvings: int) -> None:
    spec = RECIPES["default"].make_model(shape, 10, PIXELS)
    names = [layer.layer for layer in spec.layers]
    # One pooling is the core's own.
    assert names.count("MaxPooling2D") == halvings + 1
    assert names.count("Conv2D") == halvings + 3
    rows = summarize_model(spec, shape).layers
    core = next(k for k, row in enumerate(rows) if row.output_shape[-1:] == (24,))
    assert max(rows[core].output_shape[:2]) <= 16


@pytest.mark.parametrize("side", range(16, 97))
def test_pictures_leave_full_resolution_at_once(side: int) -> None:
    shape = (side, side, 3)
    spec = RECIPES["default"].make_model(shape, 10, PIXELS)
    rows = summarize_model(spec, shape).layers
    first, second = [row.output_shape for row in rows if row.layer == "Conv2D"][:2]
    assert rows[1].layer == "Conv2D"
    # Above 60 pixels, the patches do half of it.
    assert max(first[:2]) <= (20 if side <= 60 else 40)
    assert 13 <= max(second[:2]) <= 20 or side < 26
    # Global pooling: as many weights at any size, but for the patches.
    assert [row.layer for row in rows].count("GlobalMaxPooling2D") == 1
    assert sum(row.parameters for row in rows[2:]) == sum(
        row.parameters for row in summarize_model(spec, (32, 32, 3)).layers[2:]
    )


def test_figures_on_a_plain_ground_have_half_the_filters_and_are_turned() -> None:
    figures = PixelStatistics(30.0, 80.0, ground=0.0)
    counts = {}
    for pixels in (PIXELS, figures):
        layers = RECIPES["default"].make_model((28, 28, 1), 10, pixels).layers
        counts[pixels] = [each.arguments["filters"] for each in layers if each.layer == "Conv2D"]
    assert counts[PIXELS] == [24, 32, 64, 64, 128, 128]
    assert counts[figures] == [24, 16, 32, 32, 64, 64]
    make = RECIPES["default"].make_training
    photographs, drawn = (
        make((28, 28, 1), 1000, pixels, 0).augmentation for pixels in (PIXELS, figures)
    )
    assert photographs is not None
    assert drawn is not None
    # A person's photograph is upright; a written digit is slanted, and equally dark everywhere.
    assert photographs.rotation_radians == photographs.zoom_fraction == 0
    assert 0 < drawn.rotation_radians < np.pi / 8
    assert photographs.brightness_shift > drawn.brightness_shift == 0
    assert photographs.contrast_fraction > drawn.contrast_fraction == 0


@pytest.mark.parametrize("seed", range(3))
def test_the_first_probabilities_of_pictures_are_nearly_equal(seed: int) -> None:
    random = np.random.default_rng(seed)
    images = random.normal(100, 50, (64, 32, 32, 3)).clip(0, 255).astype(np.uint8)
    spec = RECIPES["default"].make_model((32, 32, 3), 10, PIXELS)
    network = build_model(spec, (32, 32, 3), 10, seed=seed)
    # As in training: the batch's own statistics.
    probabilities = np.asarray(network(images.astype(np.float32), training=True))
    # Without scaling the maxima, the largest is above one half.
    assert probabilities.max() < 0.25


def test_the_parameters_at_the_largest_size_are_those_keras_counts() -> None:
    shape = (96, 96, 3)
    spec = RECIPES["default"].make_model(shape, 10, PIXELS)
    summary = check_output(spec, shape, 10)
    network = build_model(spec, shape, 10, seed=0)
    assert network.count_params() == summary.parameters
    # Patches of 3×3×3 → 24, then 3×3 kernels without bias, each normalised by four values.
    chain = (24, 32, 64, 64, 128, 128)
    by_hand = (27 + 1) * 24 + sum(9 * a * b + 4 * b for a, b in pairwise(chain)) + 129 * 10
    assert summary.parameters == by_hand


def test_only_pictures_are_mirrored_if_a_trial_says_so() -> None:
    make = RECIPES["default"].make_training
    for shape, flip in (((8, 8, 1), False), ((32, 32, 3), None)):
        training = make(shape, 1000, PIXELS, 0)
        assert training.augmentation is not None
        assert training.augmentation.horizontal_flip is flip
        assert training.whitening is (shape != (8, 8, 1))


@pytest.mark.parametrize("seed", range(3))
def test_the_default_normalises_the_training_pixels_inside_the_model(seed: int) -> None:
    random = np.random.default_rng(seed)
    images = random.gamma(2.0, 20.0, (50, 8, 8, 1)).astype(np.float32)
    pixels = PixelStatistics(float(images.mean()), float(images.std()))
    spec = RECIPES["default"].make_model((8, 8, 1), 10, pixels)
    first = spec.layers[0]
    assert first.layer == "Rescaling"
    normalised = images * first.arguments["scale"] + first.arguments["offset"]
    assert normalised.mean() == pytest.approx(0, abs=1e-4)
    assert normalised.std() == pytest.approx(1, abs=1e-4)


def test_images_without_contrast_are_not_divided_by_nothing() -> None:
    spec = RECIPES["default"].make_model((8, 8, 1), 2, PixelStatistics(7.0, 0.0))
    assert spec.layers[0].arguments == {"scale": 1.0, "offset": -7.0}


def test_the_default_keeps_labels_safe() -> None:
    training = RECIPES["default"].make_training((8, 8, 1), 1005, PIXELS, 777)
    augmentation = training.augmentation
    assert isinstance(augmentation, AugmentationSpec)
    # A 6 turned by half a turn is a 9: stay far from it.
    assert 0 < augmentation.rotation_radians < np.pi / 8
    assert 0 < augmentation.zoom_fraction < 0.5
    assert training.schedule == "one_cycle"
    assert training.optimizer == "adamw"
    assert RECIPES["default"].split == "stratified"


@pytest.mark.parametrize(
    ("num_train", "epochs"),
    [(2, 120), (250, 120), (1000, 80), (4000, 35), (48_000, 8), (57_600, 8), (10**7, 8)],
)
def test_the_more_images_the_fewer_epochs(num_train: int, epochs: int) -> None:
    training = RECIPES["default"].make_training((8, 8, 1), num_train, PIXELS, 5)
    assert training.epochs == epochs
    assert training.seed == 5
    assert training.patience is not None
    assert 3 <= training.patience < epochs


@pytest.mark.parametrize("shape", [(8, 8, 1), (32, 32, 3)])
def test_epochs_never_grow_with_the_images(shape: tuple[int, int, int]) -> None:
    make = RECIPES["default"].make_training
    epochs = [make(shape, n, PIXELS, 0).epochs for n in range(1, 60_000, 97)]
    assert epochs == sorted(epochs, reverse=True)


# By name


def test_recipes_are_found_by_their_names() -> None:
    assert list(RECIPES) == ["default", "tutorial"]
    for name, recipe in RECIPES.items():
        assert find_recipe(name) is recipe
        assert recipe.name == name


@pytest.mark.parametrize(("name", "near"), [("defualt", "default"), ("Tutorials", "tutorial")])
def test_an_unknown_recipe_is_met_with_the_nearest(name: str, near: str) -> None:
    with pytest.raises(SpecError) as caught:
        find_recipe(name)
    assert f"did you mean '{near}'?" in caught.value.problem
    assert caught.value.remedy == "Choose one of default, tutorial."


def test_a_name_near_to_none_is_met_with_all() -> None:
    with pytest.raises(SpecError, match=r"no recipe 'resnet'\. Choose one of default, tutorial"):
        find_recipe("resnet")


def test_what_comes_in_from_outside_is_the_ground() -> None:
    for ground in (None, 0.0, 255.0):
        pixels = PixelStatistics(100.0, 50.0, ground)
        augmentation = RECIPES["default"].make_training((8, 8, 1), 1005, pixels, 0).augmentation
        assert augmentation is not None
        assert augmentation.fill_value == ground


@pytest.mark.parametrize(("small", "power"), [(9, 0.5), (10, 0.5), (11, 0.0), (100, 0.0)])
def test_only_very_unequal_classes_are_weighed(small: int, power: float) -> None:
    labels = np.repeat([0, 2], [100, small])
    assert choose_class_weight_power(labels) == power
