"""Figures and the self-contained HTML report."""

from clearcnn.report.html import render_report, write_report
from clearcnn.report.pictures import MOST_MISTAKES, ReportPictures, choose_samples
from clearcnn.report.wording import score_sentence

__all__ = [
    "MOST_MISTAKES",
    "ReportPictures",
    "choose_samples",
    "render_report",
    "score_sentence",
    "write_report",
]
