"""Figures and the self-contained HTML report."""

from clearcnn.report.assessment import render_assessment, write_assessment
from clearcnn.report.evidence import say_accuracy, say_difference, say_headline, say_spread
from clearcnn.report.html import render_report, write_report
from clearcnn.report.pictures import MOST_MISTAKES, ReportPictures, choose_samples
from clearcnn.report.wording import score_sentence

__all__ = [
    "MOST_MISTAKES",
    "ReportPictures",
    "choose_samples",
    "render_assessment",
    "render_report",
    "say_accuracy",
    "say_difference",
    "say_headline",
    "say_spread",
    "score_sentence",
    "write_assessment",
    "write_report",
]
