"""The forecast against curves whose continuation is known."""

import numpy as np
import pytest

from clearcnn.evaluation import forecast_doubling

SIZES = np.array([100, 200, 400, 800, 1600])


def draw_curve(seed, exponent, folds=5, images=2_000, at_first=0.3):
    rng = np.random.default_rng(seed)
    errors = at_first * (SIZES / 100.0) ** exponent
    correct = rng.binomial(images, 1 - errors, (folds, len(SIZES)))
    return correct, np.full(folds, images)


def test_a_power_law_is_continued():
    """Error halves with every fourfold of the images: at 3,200 it is known."""
    truth = 1 - 0.3 * 32**-0.5
    hits = 0
    for seed in range(200):
        interval, sentence = forecast_doubling(SIZES, *draw_curve(seed, -0.5))
        assert "probably" in sentence
        hits += interval.low <= truth <= interval.high
    assert 0.88 <= hits / 200 <= 1


def test_a_flat_curve_promises_nothing():
    said = [forecast_doubling(SIZES, *draw_curve(seed, 0.0)) for seed in range(50)]
    silent = [sentence for interval, sentence in said if interval is None]
    assert len(silent) >= 45
    assert "cannot be determined" in silent[0]


def test_a_noisy_curve_says_that_it_cannot_say_how_much():
    correct, totals = draw_curve(0, -0.4, folds=5, images=25, at_first=0.6)
    interval, sentence = forecast_doubling(SIZES, correct, totals)
    assert interval is None
    assert "cannot be determined" in sentence


def test_no_mistake_at_all_is_no_reason_to_fail():
    correct = np.array([[90, 95, 98, 100, 100]] * 4)
    interval, sentence = forecast_doubling(SIZES, correct, np.full(4, 100))
    assert sentence
    assert interval is None or interval.high <= 1


def test_another_scale_of_sizes_changes_nothing():
    correct, totals = draw_curve(1, -0.5)
    one, _ = forecast_doubling(SIZES, correct, totals)
    other, _ = forecast_doubling(3 * SIZES, correct, totals)
    assert one.low == pytest.approx(other.low)
    assert one.high == pytest.approx(other.high)
