"""JPEGs that are truncated and closed with an end marker, which Pillow reads without a word."""

import io

import numpy as np
import pytest
from PIL import Image

from clearcnn.data.decode_image import decode
from clearcnn.data.jpeg import with_other_padding
from clearcnn.errors import DataError

KINDS = {
    "baseline": {},
    "optimized": {"optimize": True},
    "no subsampling": {"subsampling": 0},
    "progressive": {"progressive": True},
    "restart markers": {"restart_marker_blocks": 3},
    "progressive, restart markers": {"progressive": True, "restart_marker_rows": 1},
    "nothing lost": {"quality": 100},
}
END = b"\xff\xd9"


def _photo(seed: int, mode: str = "RGB") -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), np.uint8)
    return Image.fromarray(noise).resize((61, 45), Image.Resampling.BICUBIC).convert(mode)


def _saved(image: Image.Image, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def _pixels(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("kind", KINDS)
def test_cut_off_data_are_refused_and_whole_ones_read(kind, mode):
    taken_by_pillow = 0
    for seed in range(6):
        whole = _saved(_photo(seed, mode), **KINDS[kind])
        expected = _pixels(whole)
        shown = np.broadcast_to(decode(whole, "x").pixels, expected.shape)
        np.testing.assert_array_equal(shown, expected)
        for share in (0.4, 0.6, 0.8, 0.95):
            cut = whole[: int(share * len(whole))].removesuffix(b"\xff") + END
            try:
                _pixels(cut)
            except OSError:
                continue
            taken_by_pillow += 1
            with pytest.raises(DataError, match="truncated"):
                decode(cut, "x")
    assert taken_by_pillow >= 12


def test_a_scan_that_is_missing_altogether_is_noticed():
    whole = _saved(_photo(0), progressive=True)
    without = whole[: whole.rfind(b"\xff\xc4")] + END  # Its tables come before the last scan.
    _pixels(without)
    with pytest.raises(DataError, match="its last scans are missing"):
        decode(without, "x")


def test_a_missing_end_marker_is_noticed():
    whole = _saved(_photo(0))
    with pytest.raises(DataError, match="its end marker is missing"):
        decode(whole.removesuffix(END), "x")


def test_a_gap_before_a_restart_marker_is_noticed():
    whole = _saved(_photo(0), restart_marker_rows=1)
    place = whole.index(b"\xff\xd1")
    _pixels(whole[: place - 40] + whole[place:])
    with pytest.raises(DataError, match="its JPEG data are truncated"):
        decode(whole[: place - 40] + whole[place:], "x")


@pytest.mark.parametrize("tail", [b"", b"\0" * 50, b"\xff\xd9", b"text \xff\xd8\xff\xda\0\0"])
def test_what_follows_the_end_does_not_matter(tail):
    whole = _saved(_photo(0))
    np.testing.assert_array_equal(decode(whole + tail, "x").pixels, _pixels(whole))


def test_a_thumbnail_and_a_second_picture_are_not_taken_for_the_picture():
    thumbnail = _saved(_photo(1).resize((16, 12)))
    exif = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    whole = _saved(_photo(0))
    content = whole[:2] + exif + whole[2:]
    np.testing.assert_array_equal(decode(content, "x").pixels, _pixels(whole))
    both = io.BytesIO()
    _photo(0).save(both, "MPO", save_all=True, append_images=[_photo(1)])
    np.testing.assert_array_equal(decode(both.getvalue(), "x").pixels, _pixels(both.getvalue()))


def test_bits_between_data_and_marker_change_nothing_in_a_whole_file():
    for options in KINDS.values():
        whole = _saved(_photo(3), **options)
        other = with_other_padding(whole)
        assert other is not None and other != whole
        np.testing.assert_array_equal(_pixels(other), _pixels(whole))
