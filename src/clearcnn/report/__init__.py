"""Figures and the self-contained HTML pages."""

from clearcnn.report.assessment import render_assessment, write_assessment
from clearcnn.report.evidence import say_accuracy, say_difference, say_headline, say_spread
from clearcnn.report.explanation import (
    ExplanationPictures,
    UntrainedMaps,
    render_explanation,
    write_explanation,
)
from clearcnn.report.html import render_report, write_report
from clearcnn.report.pictures import MOST_MISTAKES, ReportPictures, choose_samples
from clearcnn.report.suspects import MOST_SUSPECTS, draw_suspects
from clearcnn.report.wording import score_sentence

__all__ = [
    "MOST_MISTAKES",
    "MOST_SUSPECTS",
    "ExplanationPictures",
    "ReportPictures",
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
