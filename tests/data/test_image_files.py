import struct
import warnings
import zlib
from functools import partial

import numpy as np
import pytest
from PIL import Image

from clearcnn.data.image_files import Entry, read_images
from clearcnn.data.safe_files import read_bytes
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec


@pytest.fixture
def save(tmp_path):
    """Save arrays as numbered files; give their entries."""

    def save(*arrays: np.ndarray, suffix: str = "png") -> list[Entry]:
        entries = []
        for number, array in enumerate(arrays):
            path = tmp_path / f"{number}.{suffix}"
            Image.fromarray(array).save(path)
            entries.append(Entry(path.name, "a", partial(read_bytes, path)))
        return entries

    return save


def _random(*shape: int, dtype=np.uint8) -> np.ndarray:
    high = np.iinfo(dtype).max + 1
    return np.random.default_rng(sum(shape)).integers(0, high, shape).astype(dtype)


def _resized(array: np.ndarray, height: int, width: int) -> np.ndarray:
    return np.asarray(Image.fromarray(array).resize((width, height), Image.Resampling.BILINEAR))


def test_many_pictures_of_one_size_come_in_their_order(save):
    arrays = [np.full((4, 5), k, np.uint8) for k in range(200)]
    pictures = read_images(save(*arrays), DataSpec(), "x")
    np.testing.assert_array_equal(pictures.images[..., 0], np.stack(arrays))
    assert pictures.preparation == ()
    assert pictures.kept.tolist() == list(range(200))


def test_mixed_sizes_are_brought_to_the_median_of_small_and_large_ones(save):
    arrays = [_random(10, 30), _random(20, 20), _random(300, 20)]
    pictures = read_images(save(*arrays), DataSpec(), "x")
    expected = np.stack([_resized(array, 20, 20) for array in arrays])
    np.testing.assert_array_equal(pictures.images[..., 0], expected)
    assert "3 sizes from 10×30 to 300×20 pixels were resized to 20×20" in pictures.preparation[0]


def test_large_pictures_are_shrunk_to_96_pixels_unless_asked_otherwise(save):
    entries = save(_random(120, 160), _random(120, 160))
    assert read_images(entries, DataSpec(), "x").images.shape == (2, 72, 96, 1)
    asked = read_images(entries, DataSpec(size=(120, 160)), "x")
    np.testing.assert_array_equal(asked.images[0, ..., 0], _random(120, 160))
    assert asked.preparation == ()


def test_one_coloured_picture_makes_all_rgb(save):
    grey, colour = _random(4, 5), _random(4, 5, 3)
    pictures = read_images(save(grey, colour), DataSpec(), "x")
    np.testing.assert_array_equal(pictures.images[1], colour)
    np.testing.assert_array_equal(pictures.images[0], np.repeat(grey[..., None], 3, axis=-1))
    assert pictures.preparation == ("1 image with only grey pixels read as RGB.",)


def test_colour_can_be_turned_into_grey(save):
    colour = _random(9, 8, 3)
    pictures = read_images(save(colour, _random(9, 8)), DataSpec(color_mode="grayscale"), "x")
    expected = np.asarray(Image.fromarray(colour).convert("L"))
    np.testing.assert_array_equal(pictures.images[0, ..., 0], expected)
    assert "1 image in colour converted to greyscale" in pictures.preparation[0]


def test_greys_stored_in_colour_are_grey_and_said_to_be(save):
    grey = _random(4, 5)
    pictures = read_images(save(np.repeat(grey[..., None], 3, axis=-1)), DataSpec(), "x")
    np.testing.assert_array_equal(pictures.images[0, ..., 0], grey)
    assert "only grey pixels" in pictures.preparation[0]
    rgb = read_images(save(grey), DataSpec(color_mode="rgb"), "x")
    assert rgb.images.shape == (1, 4, 5, 3)


def test_8_bits_join_16_bits_at_the_same_brightness(save):
    eight, sixteen = _random(4, 5), _random(4, 5, dtype=np.uint16)
    pictures = read_images(save(eight, sixteen), DataSpec(), "x")
    assert pictures.images.dtype == np.uint16
    np.testing.assert_array_equal(pictures.images[1, ..., 0], sixteen)
    np.testing.assert_array_equal(pictures.images[0, ..., 0], eight * np.uint16(257))
    assert "scaled from 0 to 255 to the range of the others, 0 to 65,535" in pictures.preparation[0]


def test_floats_among_integers_are_named(save):
    arrays = [np.zeros((4, 5), np.uint8), np.zeros((4, 5), np.float32), np.ones((4, 5), np.uint8)]
    with pytest.raises(DataError, match=r"2 images with integers, but 1 with floating-point") as e:
        read_images(save(*arrays, suffix="tif"), DataSpec(), "x")
    assert "'1.tif'" in e.value.problem


@pytest.mark.parametrize(
    ("kinds", "odd", "reason"),
    [
        ((np.uint8, np.float32, np.uint8), 1, "It has floating-point numbers; most"),
        ((np.float32, np.float32, np.uint16), 2, "It has integers; most"),
    ],
)
def test_floats_among_integers_or_integers_among_floats_are_left_out_when_asked(
    save, kinds, odd, reason
):
    entries = save(*[np.full((4, 5), 1, kind) for kind in kinds], suffix="tif")
    pictures = read_images(entries, DataSpec(skip_unreadable=True), "x")
    assert pictures.kept.tolist() == [row for row in range(3) if row != odd]
    assert [skipped.path for skipped in pictures.skipped] == [entries[odd].name]
    assert pictures.skipped[0].reason.startswith(reason)


def _broken(content: bytes, entry: Entry) -> Entry:
    return Entry(entry.name, entry.label, lambda: content)


def test_the_first_unreadable_picture_is_named_or_all_are_listed(save):
    entries = save(*[_random(4, 5) for _ in range(6)])
    entries[2] = _broken(b"nothing", entries[2])
    entries[4] = _broken(entries[4].read()[:40], entries[4])
    with pytest.raises(DataError, match=r"2\.png cannot be read"):
        read_images(entries, DataSpec(), "x")
    pictures = read_images(entries, DataSpec(skip_unreadable=True), "x")
    assert pictures.kept.tolist() == [0, 1, 3, 5]
    assert len(pictures.images) == 4
    assert [skipped.path for skipped in pictures.skipped] == ["2.png", "4.png"]
    assert "truncated" in pictures.skipped[1].reason


def test_a_large_picture_broken_inside_is_skipped_too(save):
    entries = save(_random(120, 100), _random(120, 100))
    # Its header is whole, so it is measured before it is found broken.
    jpeg = save(_random(300, 300), suffix="jpg")[0]
    entries.append(_broken(jpeg.read()[:2000], jpeg))
    pictures = read_images(entries, DataSpec(skip_unreadable=True), "x")
    assert pictures.kept.tolist() == [0, 1]
    assert [skipped.path for skipped in pictures.skipped] == ["0.jpg"]


def test_nothing_readable_is_an_error_even_when_skipping(save):
    entries = [_broken(b"nothing", entry) for entry in save(_random(4, 5))]
    with pytest.raises(DataError, match="none of the 1 images can be read"):
        read_images(entries, DataSpec(skip_unreadable=True), "x")


def test_bombs_are_refused_without_a_warning_beside_the_error(save):
    entry = save(_random(4, 5))[0]
    content = bytearray(entry.read())
    content[16:24] = struct.pack(">II", 10_000, 10_000)  # the size in the header
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(DataError, match="10000×10000 pixels"):
            read_images([_broken(bytes(content), entry)], DataSpec(), "x")
    assert caught == []
