"""Signed numbers as colours: the sign, the strength, and nothing at 0."""

import numpy as np

from clearcnn.report.heatmaps import ABOVE, BELOW, draw_maps, find_limit, paint, wrap


def test_sign_is_colour_and_size_is_strength():
    pixels = np.asarray(paint([[-2.0, -1.0, 0.0], [0.5, 2.0, 9.0]], limit=2.0))
    assert pixels.shape == (2, 3, 4)
    assert [tuple(p) for p in pixels[0, :, :3][:2]] == [BELOW, BELOW]
    assert [tuple(p) for p in pixels[1, :, :3]] == [ABOVE, ABOVE, ABOVE]
    # What lies beyond the limit is as strong as the limit.
    assert pixels[..., 3].tolist() == [[255, 128, 0], [64, 255, 255]]


def test_enlarging_keeps_every_pixel_square():
    small = paint([[1.0, -1.0]], 1.0)
    large = np.asarray(paint([[1.0, -1.0]], 1.0, side=7))
    assert large.shape == (4, 8, 4)
    np.testing.assert_array_equal(large[::4, ::4], np.asarray(small))


def test_the_limit_is_the_largest_distance_from_0_and_never_0():
    assert find_limit([[-3.0, 2.0]]) == 3.0
    assert find_limit(np.zeros((2, 2))) == 1.0


def test_a_vector_is_written_row_by_row():
    assert wrap(np.arange(5), per_row=3).tolist() == [[0, 1, 2], [3, 4, 0]]
    assert wrap(np.arange(2), per_row=16).tolist() == [[0, 1]]


def test_maps_on_a_sheet_share_one_scale():
    maps = [np.full((2, 2), 1.0), np.full((2, 2), 4.0), np.full((2, 2), -4.0)]
    sheet = np.asarray(draw_maps("Layer", maps, ["1", "2", "3"]))
    assert sheet.shape[1] <= 1280
    assert draw_maps("Layer", maps[:1], [""]).width == 640
    colors = {tuple(color) for color in sheet.reshape(-1, 3).tolist()}
    assert {ABOVE, BELOW} <= colors
    # A quarter of the way from white to teal.
    faint = tuple(round(255 + (c - 255) * 64 / 255) for c in ABOVE)
    assert any(max(abs(a - b) for a, b in zip(faint, c, strict=True)) <= 1 for c in colors)
