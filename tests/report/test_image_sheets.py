import io

import numpy as np
import pytest
from PIL import Image

from clearcnn.report.image_sheets import (
    MOST_ROWS,
    choose_samples,
    draw_sheet,
    draw_strip,
    encode_png,
    to_picture,
)
from clearcnn.results.train import ClassCount


def _pixels(picture):
    return np.asarray(picture)


def _enlarge(image, factor):
    """Nearest neighbour, independently of Pillow."""
    return np.kron(image, np.ones((factor, factor), dtype=image.dtype))


def test_a_digit_is_enlarged_without_smoothing():
    from sklearn.datasets import load_digits

    image = load_digits().images[0]
    expected = _enlarge(np.round(image / 16 * 255).astype(np.uint8), 8)
    picture = to_picture(image[..., np.newaxis], (0, 16))
    assert picture.mode == "L"
    np.testing.assert_array_equal(_pixels(picture), expected)


@pytest.mark.parametrize("shape", [(96, 80), (96, 80, 1), (96, 80, 3)])
def test_bytes_of_a_large_image_stay_as_they_are(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    picture = to_picture(image, (0, 255))
    assert picture.size == (80, 96)
    assert picture.mode == ("RGB" if shape[-1] == 3 else "L")
    np.testing.assert_array_equal(_pixels(picture), image.squeeze())


@pytest.mark.parametrize(
    ("image", "value_range", "expected"),
    [
        (np.array([[0, 257, 65535]], np.uint16), (0, 65535), [[0, 1, 255]]),
        (np.array([[-1.0, 0.0, 1.0]]), (-1, 1), [[0, 128, 255]]),
        (np.array([[-0.5, 0.5, 2.0]], np.float32), (0, 1), [[0, 128, 255]]),
        (np.array([[np.nan, 1.0, np.inf]]), (0, 1), [[0, 255, 255]]),
        (np.array([[False, True]]), (0, 1), [[0, 255]]),
        (np.array([[5, 5]]), (5, 5), [[0, 0]]),
    ],
)
def test_every_kind_of_number_is_scaled_by_its_range(image, value_range, expected):
    picture = to_picture(image, value_range, side=1)
    np.testing.assert_array_equal(_pixels(picture), expected)


def test_an_image_that_is_not_square_keeps_its_shape():
    assert to_picture(np.zeros((10, 30)), (0, 1), side=64).size == (90, 30)


def test_a_png_holds_the_same_pixels():
    image = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    png = encode_png(to_picture(image, (0, 255)))
    np.testing.assert_array_equal(_pixels(Image.open(io.BytesIO(png))), image)


def test_a_strip_lays_images_side_by_side_over_nothing():
    images = [np.full((8, 8, 1), value, np.uint8) for value in (10, 200)]
    strip = Image.open(io.BytesIO(draw_strip(images, (0, 255))))
    pixels = _pixels(strip)
    gap = strip.width - 2 * 64
    assert (strip.mode, strip.height) == ("LA", 64)
    assert gap > 0
    assert np.all(pixels[:, :64] == (10, 255))
    assert np.all(pixels[:, 64 : 64 + gap, 1] == 0)
    assert np.all(pixels[:, 64 + gap :] == (200, 255))


def _sheet(class_names, images_per_class=3, shape=(8, 8, 1)):
    """A sheet whose image j of class k is filled with 10 k + j + 1."""
    samples = [
        np.stack(
            [np.full(shape, (10 * k + j + 1) % 256, np.uint8) for j in range(images_per_class)]
        )
        for k in range(len(class_names))
    ]
    classes = [ClassCount(name, 1_234, 1_000, 100, 134) for name in class_names]
    return _pixels(draw_sheet(samples, classes, (0, 255)))


def test_the_sheet_shows_every_sample_in_its_row():
    sheet = _sheet(["zero", "one", "two"])
    assert np.all(np.ptp(sheet, axis=-1) < 6)  # grey paper, ink and images
    top = 24
    for k in range(3):
        # The images are the last three blocks of the row, six pixels apart.
        for j in range(3):
            right = sheet.shape[1] - 24 - (2 - j) * 70
            block = sheet[top : top + 64, right - 64 : right]
            assert np.all(block == 10 * k + j + 1)
            assert np.all(sheet[top : top + 64, right : right + 6] == 255)
        top += 70
    assert top - 6 + 24 == sheet.shape[0]


def test_many_classes_are_cut_and_the_rest_is_said():
    most = _sheet([str(k) for k in range(MOST_ROWS)], images_per_class=1)
    more = _sheet([str(k) for k in range(MOST_ROWS + 40)], images_per_class=1)
    assert most.shape[1] == more.shape[1]
    np.testing.assert_array_equal(most[:-24], more[: most.shape[0] - 24])
    extra = more[most.shape[0] - 24 :]
    assert 24 < extra.shape[0] < 80
    assert extra.min() < 200  # a line of text


def _name_area(name):
    return _sheet([name])[:, :140]


def test_korean_names_are_drawn_with_their_own_letters():
    from clearcnn.report.fonts import _letters, find_font

    font = find_font("고양이")
    if not {ord(letter) for letter in "고양이"} <= _letters(font):
        pytest.skip("this machine has no Korean font")
    # Letters that a font lacks are all drawn as the same box.
    assert not np.array_equal(_name_area("고양이"), _name_area("강아지"))


def test_without_a_korean_font_nothing_breaks(monkeypatch):
    from clearcnn.report import fonts

    dejavu = fonts._candidates()[:1]
    monkeypatch.setattr(fonts, "_candidates", lambda: dejavu)
    assert np.array_equal(_name_area("고양이"), _name_area("강아지"))


@pytest.mark.parametrize("name", ["", "\n\x00", "bad\udcff", "x" * 500, "🐱", "‮", "가" * 90])
def test_no_name_breaks_the_sheet_or_runs_into_the_images(name):
    sheet = _sheet([name], images_per_class=1)
    assert sheet.shape[1] <= 24 + 200 + 64 + 24
    left = sheet.shape[1] - 24 - 64
    assert np.all(sheet[:, left - 5 : left] == 255)


def test_a_class_without_images_still_has_its_row():
    samples = [np.zeros((0, 8, 8, 1)), np.zeros((2, 8, 8, 1))]
    classes = [ClassCount("none", 0, 0, 0, 0), ClassCount("some", 2, 2, 0, 0)]
    sheet = _pixels(draw_sheet(samples, classes, (0, 1)))
    assert sheet[:64].min() < 200
    assert sheet.shape[0] == 24 + 2 * 64 + 6 + 24


def test_samples_are_spread_evenly_over_each_class():
    labels = np.array([0] * 100 + [1] * 3 + [2] * 10)
    zero, one, two, three = choose_samples(labels, 4, per_class=5)
    assert zero.tolist() == [0, 25, 50, 74, 99]
    assert one.tolist() == [100, 101, 102]
    assert two.tolist() == [103, 105, 107, 110, 112]
    assert three.tolist() == []
