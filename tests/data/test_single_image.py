"""One picture for a model: the same pixels as the picture in a class folder gives."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clearcnn.data import load, read_image_file
from clearcnn.errors import DataError

RGB = np.random.default_rng(0).integers(0, 256, (30, 22, 3), np.uint8)
GREY = RGB[..., 0]


def read(path, **changes):
    options = {
        "size": (12, 9),
        "color_mode": "grayscale",
        "dtype": "uint8",
        "value_range": (0.0, 255.0),
    }
    return read_image_file(path, **(options | changes))


@pytest.mark.parametrize("color_mode", ["grayscale", "rgb"])
@pytest.mark.parametrize("pixels", [RGB, GREY], ids=["colour", "grey"])
def test_it_is_what_training_reads_from_a_class_folder(tmp_path: Path, pixels, color_mode):
    for name in ("a", "b"):
        (tmp_path / "all" / name).mkdir(parents=True)
        for number in range(2):
            Image.fromarray(pixels).save(tmp_path / "all" / name / f"{number}.png")
    wanted = load(tmp_path / "all", size=(12, 9), color_mode=color_mode)
    found = read(tmp_path / "all" / "a" / "0.png", color_mode=color_mode)
    np.testing.assert_array_equal(found.pixels, wanted.images[0])
    assert found.pixels.dtype == wanted.images.dtype
    assert any("30×22 to 12×9" in sentence for sentence in found.preparation)


def test_values_are_brought_to_the_range_of_the_digits_and_that_is_said(tmp_path: Path):
    path = tmp_path / "grey.png"
    Image.fromarray(np.array([[0, 255], [128, 7]], np.uint8)).save(path)
    found = read(path, size=(2, 2), value_range=(0.0, 16.0))
    # 128 · 16 / 255 = 8.03 and 7 · 16 / 255 = 0.44
    assert found.pixels[..., 0].tolist() == [[0, 16], [8, 0]]
    assert found.preparation == (
        "Values from 0 to 255 scaled to 0 to 16, the range of the training images, and rounded to "
        "integers.",
    )
    floats = read(path, size=(2, 2), dtype="float32", value_range=(-1.0, 1.0))
    np.testing.assert_allclose(floats.pixels[..., 0], [[-1, 1], [2 * 128 / 255 - 1, 14 / 255 - 1]])
    assert floats.pixels.dtype == np.float32


def test_a_picture_that_fits_is_left_alone(tmp_path: Path):
    path = tmp_path / "grey.png"
    Image.fromarray(GREY).save(path)
    found = read(path, size=(30, 22))
    np.testing.assert_array_equal(found.pixels[..., 0], GREY)
    assert found.preparation == ()


def test_bits_are_brought_to_those_of_the_model(tmp_path: Path):
    path = tmp_path / "deep.png"
    Image.fromarray(np.array([[0, 65535], [257, 32896]], np.uint16)).save(path)
    assert read(path, size=(2, 2)).pixels[..., 0].tolist() == [[0, 255], [1, 128]]
    Image.fromarray(np.array([[0, 255], [1, 128]], np.uint8)).save(path)
    found = read(path, size=(2, 2), dtype="uint16", value_range=(0.0, 65535.0))
    assert found.pixels[..., 0].tolist() == [[0, 65535], [257, 32896]]


def test_floats_have_no_range_that_could_be_known(tmp_path: Path):
    path = tmp_path / "float.tiff"
    Image.fromarray(np.array([[0.5, 2.0]], np.float32)).save(path)
    with pytest.raises(DataError, match="of unknown range"):
        read(path, size=(1, 2))
    found = read(path, size=(1, 2), dtype="float64", value_range=(0.0, 3.0))
    assert found.pixels.ravel().tolist() == [0.5, 2.0]


def test_what_is_no_picture_is_refused(tmp_path: Path):
    path = tmp_path / "broken.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\nnot really")
    with pytest.raises(DataError, match=r"broken\.png cannot be read"):
        read(path)
