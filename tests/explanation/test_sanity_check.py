"""The rank correlation, against ranks correlated by NumPy; the verdict, on maps made for it."""

import math

import numpy as np

from clearcnn.explanation import correlate


def test_it_is_the_correlation_of_ranks():
    random = np.random.default_rng(0)
    trained, others = random.normal(size=(6, 5)), random.normal(size=(3, 6, 5))
    check = correlate(trained, list(others), [1, 2, 3])
    ranks = trained.ravel().argsort().argsort()
    wanted = [np.corrcoef(ranks, other.ravel().argsort().argsort())[0, 1] for other in others]
    np.testing.assert_allclose(check.correlations, wanted, atol=1e-12)
    assert check.magnitude == np.abs(wanted).mean()
    assert check.verdict == "passed"


def test_a_map_that_is_always_the_same_fails_up_or_down():
    trained = np.random.default_rng(0).normal(size=(6, 5))
    assert correlate(trained, [trained**3, trained], [1, 2]).verdict == "failed"
    assert correlate(trained, [-trained, trained], [1, 2]).verdict == "failed"


def test_a_constant_map_has_no_ranks():
    trained = np.random.default_rng(0).normal(size=(6, 5))
    check = correlate(trained, [np.zeros((6, 5))], [1])
    assert math.isnan(check.correlations[0])
    assert check.verdict == "undefined"
