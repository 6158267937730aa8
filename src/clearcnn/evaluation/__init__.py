"""Scores with their intervals, comparisons, baselines, calibration, robustness."""

from clearcnn.evaluation.baselines import make_baselines
from clearcnn.evaluation.calibration import (
    apply_temperature,
    calibrate,
    fit_temperature,
    trace_coverage,
)
from clearcnn.evaluation.comparison import compare_answers, compare_on_folds, group_interval
from clearcnn.evaluation.distortions import make_distortions
from clearcnn.evaluation.scores import evaluate_predictions, wilson_interval

__all__ = [
    "apply_temperature",
    "calibrate",
    "compare_answers",
    "compare_on_folds",
    "evaluate_predictions",
    "fit_temperature",
    "group_interval",
    "make_baselines",
    "make_distortions",
    "trace_coverage",
    "wilson_interval",
]
