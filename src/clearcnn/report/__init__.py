"""Figures and the self-contained HTML pages."""

from clearcnn.report.evaluation_charts import say_accuracy, say_difference, say_headline, say_spread
from clearcnn.report.evaluation_report import render_assessment, write_assessment
from clearcnn.report.explanation_report import render_explanation, write_explanation
from clearcnn.report.image_sheets import MOST_MISTAKES, ReportImages, choose_samples
from clearcnn.report.label_issues import MOST_SUSPECTS, draw_suspects
from clearcnn.report.layer_images import ExplanationImages, UntrainedMaps
from clearcnn.report.number_format import score_sentence
from clearcnn.report.training_report import render_report, write_report

__all__ = [
    "MOST_MISTAKES",
    "MOST_SUSPECTS",
    "ExplanationImages",
    "ReportImages",
    "UntrainedMaps",
    "choose_samples",
    "draw_suspects",
    "render_assessment",
    "render_explanation",
    "render_report",
    "say_accuracy",
    "say_difference",
    "say_headline",
    "say_spread",
    "score_sentence",
    "write_assessment",
    "write_explanation",
    "write_report",
]
