"""Curves of two classes against scikit-learn, and their intervals against simulations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    average_precision_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from clearcnn.evaluation import trace_binary, wilson_interval

NAMES = ["healthy", "sick"]


def trace(truth, scores):
    return trace_binary(truth, np.column_stack([1 - np.asarray(scores), scores]), NAMES)


@settings(deadline=None)  # scikit-learn loads in the first example.
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=2, max_size=60))
def test_areas_are_those_of_scikit_learn_with_ties(pairs):
    truth = np.array([positive for positive, _ in pairs], int)
    scores = np.array([score / 20 for _, score in pairs])
    curves = trace(truth, scores)
    if len(set(truth)) < 2:
        assert curves is None
        return
    rare = 1 if truth.sum() * 2 <= len(truth) else 0
    assert curves.positive == NAMES[rare]
    oriented = scores if rare else 1 - scores
    assert curves.area == pytest.approx(roc_auc_score(truth == rare, oriented))
    assert curves.average_precision == pytest.approx(
        average_precision_score(truth == rare, oriented)
    )
    for point in curves.points:
        found = oriented >= point.threshold
        assert point.recall == pytest.approx(recall_score(truth == rare, found))
        assert point.precision == pytest.approx(precision_score(truth == rare, found))
        assert point.false_positive_rate == pytest.approx(found[truth != rare].mean())
    for value, interval in (
        (curves.area, curves.area_interval),
        (curves.average_precision, curves.average_precision_interval),
    ):
        assert 0 <= interval.low <= value + 1e-9
        assert value - 1e-9 <= interval.high <= 1


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    generator = np.random.default_rng(0)

    def draw(positives, negatives):
        truth = np.repeat([1, 0], [positives, negatives])
        return truth, 1 / (1 + np.exp(-generator.normal(1.5 * truth)))

    large = trace(*draw(20_000, 60_000))
    covered = np.zeros(2)
    rounds = 400
    for _ in range(rounds):
        curves = trace(*draw(40, 120))
        for which, (interval, value) in enumerate(
            (
                (curves.area_interval, large.area),
                (curves.average_precision_interval, large.average_precision),
            )
        ):
            covered[which] += interval.low <= value <= interval.high
    assert 0.92 <= covered[0] / rounds <= 0.99
    assert 0.90 <= covered[1] / rounds <= 1


def test_a_perfect_separation_is_not_certain():
    curves = trace(np.repeat([1, 0], 12), np.repeat([0.9, 0.2], 12))
    assert curves.area == curves.average_precision == 1
    assert 0.6 < curves.area_interval.low < 0.95
    assert curves.area_interval.high == pytest.approx(1)
    assert curves.average_precision_interval == wilson_interval(12, 12)


def test_many_thresholds_are_thinned_and_other_numbers_of_classes_have_no_curves():
    generator = np.random.default_rng(0)
    scores = generator.random(5_000)
    curves = trace(scores > generator.random(5_000), scores)
    assert len(curves.points) == 200
    assert curves.points[-1].recall == curves.points[-1].false_positive_rate == 1
    assert trace_binary([0, 1, 2], np.eye(3), ["a", "b", "c"]) is None
