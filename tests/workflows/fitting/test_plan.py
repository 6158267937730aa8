"""The pixel statistics that recipes depend on."""

from pathlib import Path

import numpy as np
import pytest

import clearcnn
from clearcnn.workflows.fitting.plan import choose_training, measure_pixels

RANDOM = np.random.default_rng(0)


def test_mean_and_deviation_match_numpy() -> None:
    images = RANDOM.integers(0, 255, (30, 9, 7, 3)).astype(np.uint8)
    pixels = measure_pixels(images)
    assert pixels.mean == pytest.approx(images.astype(float).mean())
    assert pixels.standard_deviation == pytest.approx(images.astype(float).std())


def test_digits_have_a_black_background() -> None:
    assert measure_pixels(clearcnn.load("digits").images).ground == 0.0


def test_dark_on_light_has_a_white_background() -> None:
    images = np.full((20, 16, 16, 3), 255, np.uint8)
    images[:, 5:11, 5:11] = RANDOM.integers(0, 100, (20, 6, 6, 3))
    assert measure_pixels(images).ground == 255.0


def test_images_without_a_border_have_no_background() -> None:
    images = RANDOM.integers(0, 255, (20, 16, 16, 1)).astype(np.uint8)
    assert measure_pixels(images).ground is None


def test_all_four_edges_count() -> None:
    """A color on two sides of four, such as a sky above a road, is not a background."""
    images = RANDOM.integers(0, 255, (20, 16, 16, 1)).astype(np.uint8)
    images[:, 0] = 255
    assert measure_pixels(images).ground is None


def test_the_run_folder_has_the_same_statistics(tmp_path: Path) -> None:
    images = np.zeros((24, 8, 8, 1), np.uint8)
    images[:12, 2:6, 2:6] = 200
    images[12:, 3:5] = 200
    names = tuple(f"row {row}" for row in range(24))
    data = clearcnn.LabelledImages(
        images, np.repeat([0, 1], 12), ("square", "bar"), "shapes", (0, 255), names
    )
    result = clearcnn.train(data, epochs=1, out=tmp_path / "run")
    assert result.train.augmentation is not None
    assert result.train.augmentation.fill_value == 0.0


def test_single_rows_are_not_augmented() -> None:
    pixels = np.random.default_rng(0).normal(size=(30, 2, 6, 1))
    for images, is_picture in ((pixels, True), (pixels[:, :1], False), (pixels[:, :, :1], False)):
        _, spec, _ = choose_training(images, 2, recipe="default", seed=0)
        assert (spec.augmentation is not None) == is_picture
