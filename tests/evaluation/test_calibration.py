"""Against loops written out, known temperatures, and the noise floor measured on the digits."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from clearcnn.evaluation import calibrate, fit_temperature, trace_coverage
from clearcnn.temperature import apply_temperature

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(size=(4_000, 5)) * 2
CHANCES = softmax(LOGITS, axis=1)
# Labels drawn from the very probabilities: a perfectly calibrated model.
LABELS = (RANDOM.random((4_000, 1)) > CHANCES.cumsum(axis=1)).sum(axis=1)


def test_bins_and_error_are_those_of_a_loop():
    found = calibrate(LABELS, CHANCES, seed=0)
    confidence, right = CHANCES.max(axis=1), CHANCES.argmax(axis=1) == LABELS
    error = 0.0
    for bin_ in found.bins:
        within = (confidence > bin_.low) & (confidence <= bin_.high)
        assert bin_.total == within.sum()
        assert bin_.accuracy == pytest.approx(right[within].mean())
        assert bin_.confidence == pytest.approx(confidence[within].mean())
        error += within.mean() * abs(right[within].mean() - confidence[within].mean())
    assert found.error == pytest.approx(error)
    assert sum(bin_.total for bin_ in found.bins) == 4_000


def test_bins_agree_with_scikit_learn():
    found = calibrate(LABELS, CHANCES, seed=0)
    right = CHANCES.argmax(axis=1) == LABELS
    accuracy, confidence = calibration_curve(right, CHANCES.max(axis=1), n_bins=15)
    assert [bin_.accuracy for bin_ in found.bins] == pytest.approx(accuracy.tolist())
    assert [bin_.confidence for bin_ in found.bins] == pytest.approx(confidence.tolist())


def test_a_calibrated_model_stands_near_the_floor_and_an_overconfident_one_above():
    found = calibrate(LABELS, CHANCES, seed=0)
    assert found.error < found.floor_95 * 1.3
    assert found.floor < found.floor_95
    overconfident = calibrate(LABELS, softmax(3 * LOGITS, axis=1), seed=0)
    assert overconfident.error > 5 * overconfident.floor_95


def test_certainty_has_no_floor():
    sure = np.eye(3)[[0, 1, 2, 0]]
    found = calibrate([0, 1, 2, 1], sure, seed=0)
    assert (found.error, found.floor) == (0.25, 0.0)
    assert len(found.bins) == 1


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.5])
def test_the_temperature_undoes_a_scaling(factor):
    scaled = softmax(factor * LOGITS, axis=1)
    temperature = fit_temperature(LABELS, scaled)
    assert temperature == pytest.approx(factor, rel=0.1)
    scaled_back = apply_temperature(scaled, temperature)
    np.testing.assert_allclose(scaled_back.sum(axis=1), 1)
    np.testing.assert_array_equal(scaled_back.argmax(axis=1), scaled.argmax(axis=1))
    assert log_loss(LABELS, scaled_back) <= log_loss(LABELS, scaled) + 1e-9


@pytest.mark.parametrize("factor", [0.02, 0.5, 1.7, 100.0])
def test_the_temperature_is_where_scipy_finds_the_least_loss(factor):
    labels, logits = LABELS[:300], np.log(softmax(LOGITS[:300] / factor, axis=1).clip(1.2e-7))

    def loss(log_temperature):
        scaled = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -scaled[np.arange(300), labels].sum() - scaled.mean()

    bounds = (np.log(0.05), np.log(20))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-9})
    temperature = fit_temperature(labels, np.exp(logits))
    assert temperature == pytest.approx(np.exp(found.x), rel=1e-4)


def test_no_mistake_is_no_certainty():
    """Without the supposed image, 250 that are all right would ask for the least temperature."""
    labels = CHANCES[:250].argmax(axis=1)
    temperature = fit_temperature(labels, CHANCES[:250])
    assert 0.1 < temperature < 1
    more = fit_temperature(np.tile(labels, 10), np.tile(CHANCES[:250], (10, 1)))
    assert 0.05 < more < temperature


def test_zeros_are_no_obstacle():
    sure = np.eye(3)[[0, 1, 2, 0]]
    assert np.isfinite(fit_temperature([0, 1, 2, 1], sure))


def test_the_surest_answers_are_counted():
    points = trace_coverage(LABELS, CHANCES)
    assert (points[0].coverage, points[0].answered) == (1.0, 4_000)
    confidence, right = CHANCES.max(axis=1), CHANCES.argmax(axis=1) == LABELS
    assert points[0].correct == right.sum()
    for point in points:
        sure = confidence >= point.threshold
        assert (point.answered, point.correct) == (sure.sum(), right[sure].sum())
        assert point.answered == round(point.coverage * 4_000)
    accuracies = [point.correct / point.answered for point in points]
    assert accuracies == sorted(accuracies)


def test_one_image_is_answered_at_least():
    assert {point.answered for point in trace_coverage([1], [[0.2, 0.8]])} == {1}
