import numpy as np
import pytest
from PIL import Image

from clearcnn.data.arrays import prepare_array
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec


def _images(shape=(5, 4, 3), dtype=np.uint8, high=256):
    return np.random.default_rng(0).integers(0, high, shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_known_dtypes_pass_unchanged(dtype):
    images = _images(dtype=dtype)
    prepared, sentences = prepare_array(images, DataSpec(), "x")
    assert prepared.dtype == dtype
    np.testing.assert_array_equal(prepared[..., 0], images)
    assert sentences == ()


@pytest.mark.parametrize(
    ("given", "high", "dtype"),
    [
        (np.int64, 256, np.uint8),
        (np.int32, 65536, np.uint16),
        (np.int8, 100, np.uint8),
        (">u2", 65536, np.uint16),
        (">f4", 100, np.float32),
        (np.float16, 100, np.float32),
    ],
)
def test_other_numbers_are_brought_to_one_without_loss(given, high, dtype):
    images = _images(dtype=given, high=high)
    prepared, _ = prepare_array(images, DataSpec(), "x")
    assert prepared.dtype == dtype
    assert prepared.dtype.isnative
    np.testing.assert_array_equal(prepared[..., 0], images)


def test_float64_is_stored_as_float32_and_said():
    images = np.random.default_rng(0).uniform(-1, 1, (5, 4, 3))
    prepared, sentences = prepare_array(images, DataSpec(), "x")
    assert prepared.dtype == np.float32
    np.testing.assert_array_equal(prepared[..., 0], images.astype(np.float32))
    assert sentences == ("float64 stored as float32, which models compute in on every device.",)
    images[2, 1, 0] = 1e39
    with pytest.raises(
        DataError, match=r"values up to 1e\+39; networks compute in float32.* 3.4028"
    ):
        prepare_array(images, DataSpec(), "x")
    images[2, 1, 0] = np.inf
    with pytest.raises(DataError, match="image 2 has the value inf at row 1, column 0"):
        prepare_array(images, DataSpec(), "x")


def test_bits_become_0_and_255():
    prepared, sentences = prepare_array(_images() > 99, DataSpec(), "x")
    np.testing.assert_array_equal(prepared[..., 0], (_images() > 99) * 255)
    assert "0 and 255" in sentences[0]


@pytest.mark.parametrize(
    ("images", "problem"),
    [
        (_images().astype(np.int64) - 1, r"int64 with values from -1 to"),
        (_images().astype(np.int64) * 1000, "0 to 65,535"),
        (_images().astype(complex), "complex128"),
        (np.full((2, 3, 3), np.nan, np.float32), "image 0 has the value nan"),
        (_images((5, 4)), r"shape \(5, 4\)"),
        (_images((5, 4, 3, 4)), "1 or 3 channels"),
        (_images((5, 3, 8, 8)), "numpy.moveaxis"),
        (_images((0, 4, 4)), r"shape \(0"),
        (np.array([["a"]]), "shape"),
    ],
)
def test_what_cannot_be_images_is_refused(images, problem):
    with pytest.raises(DataError, match=problem):
        prepare_array(images, DataSpec(), "x")


def test_colour_is_kept_chosen_or_found_to_be_grey():
    rgb = _images((5, 4, 6, 3))
    assert prepare_array(rgb, DataSpec(), "x")[0].shape == (5, 4, 6, 3)
    grey, sentences = prepare_array(rgb, DataSpec(color_mode="grayscale"), "x")
    expected = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in rgb])
    np.testing.assert_array_equal(grey[..., 0], expected)
    assert "greyscale" in sentences[0]
    equal = np.repeat(rgb[..., :1], 3, axis=-1)
    found, sentences = prepare_array(equal, DataSpec(), "x")
    np.testing.assert_array_equal(found, rgb[..., :1])
    assert "only grey pixels" in sentences[0]
    wide, _ = prepare_array(rgb[..., 0], DataSpec(color_mode="rgb"), "x")
    np.testing.assert_array_equal(wide, equal)


def test_sizes_are_as_asked_or_at_most_96_pixels():
    images = _images((3, 100, 200))
    asked, sentences = prepare_array(images, DataSpec(size=(7, 9)), "x")
    picture = Image.fromarray(images[1]).resize((9, 7), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(asked[1, ..., 0], np.asarray(picture))
    assert "7×9" in sentences[0]
    assert prepare_array(images, DataSpec(), "x")[0].shape == (3, 48, 96, 1)
    assert prepare_array(images, DataSpec(size=(100, 200)), "x")[0].shape == (3, 100, 200, 1)
