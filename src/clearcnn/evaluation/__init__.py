"""Folds, scores, intervals, comparisons, baselines, calibration, OOD, robustness, label issues."""

from clearcnn.evaluation.baselines import (
    BASELINES,
    make_baselines,
    shrink_for_baselines,
)
from clearcnn.evaluation.binary_curves import trace_binary
from clearcnn.evaluation.calibration import (
    calibrate,
    fit_temperature,
    trace_coverage,
)
from clearcnn.evaluation.comparison import (
    compare_answers,
    compare_on_folds,
    fold_interval,
    group_interval,
)
from clearcnn.evaluation.folds import Fold, leave_groups_out, make_random_folds
from clearcnn.evaluation.label_issues import estimate_label_errors, find_suspects
from clearcnn.evaluation.learning_curve import forecast_doubling
from clearcnn.evaluation.ood import fit_distances
from clearcnn.evaluation.robustness import make_distortions
from clearcnn.evaluation.scores import balance, evaluate_predictions, wilson_interval

__all__ = [
    "BASELINES",
    "Fold",
    "balance",
    "calibrate",
    "compare_answers",
    "compare_on_folds",
    "estimate_label_errors",
    "evaluate_predictions",
    "find_suspects",
    "fit_distances",
    "fit_temperature",
    "fold_interval",
    "forecast_doubling",
    "group_interval",
    "leave_groups_out",
    "make_baselines",
    "make_distortions",
    "make_random_folds",
    "shrink_for_baselines",
    "trace_binary",
    "trace_coverage",
    "wilson_interval",
]
