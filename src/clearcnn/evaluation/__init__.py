"""Scores with their intervals."""

from clearcnn.evaluation.scores import evaluate_predictions, wilson_interval

__all__ = ["evaluate_predictions", "wilson_interval"]
