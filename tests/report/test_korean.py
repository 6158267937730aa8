"""The reports in Korean: nothing in English is left over."""

import re
from pathlib import Path

from tests.language.latin import find_latin, list_texts
from tests.report.test_evaluation_report import make_assessment

from clearcnn.language import load_language
from clearcnn.report import render_report
from clearcnn.report.evaluation_report import render_assessment
from clearcnn.report.explanation_report import render_explanation
from clearcnn.report.figures import write_confusion, write_curves

KOREAN = load_language("ko")


def test_a_report_is_in_korean(digits) -> None:
    page = render_report(*digits, "clearcnn train", language=KOREAN)
    assert '<html lang="ko">' in page
    # Names of the images and of the model.
    assert find_latin(list_texts(page), ["image", "model"]) == {}
    assert not re.search(r"\d %", page.split("</style>")[1])


def test_an_evaluation_is_in_korean(digits) -> None:
    result, pictures = digits
    assessment = make_assessment(result.test, tuple(each.name for each in result.test.classes))
    page = render_assessment(assessment, pictures.mistakes, (0, 16), "clearcnn evaluate", KOREAN)
    left = find_latin(list_texts(page), ["image", "block", "inverted"])
    # What the evaluation itself says is a Message there, and English in this example.
    own = (*(each.sentence for each in assessment.protocols), *assessment.notes)
    assert assessment.learning_curve is not None
    own = (*own, assessment.learning_curve.sentence)
    assert {text for text in left if not any(each in text for each in own)} == set()


def test_an_explanation_is_in_korean(make_explained) -> None:
    result, pictures = make_explained(("고양이", "개", "말"))
    page = render_explanation(result, pictures, "clearcnn explain", language=KOREAN)
    ground = ["image", "png", *result.occlusion.fill_source.split()]
    assert find_latin(list_texts(page), ground) == {}


def test_figures_are_in_korean(tmp_path: Path, digits) -> None:
    result, _ = digits
    for code in ("en", "ko"):
        language = load_language(code)
        write_curves(tmp_path / f"curves-{code}.png", result.history, language)
        write_confusion(tmp_path / f"confusion-{code}.png", result.test, language)
    for name in ("curves", "confusion"):
        english, korean = (tmp_path / f"{name}-{code}.png" for code in ("en", "ko"))
        assert english.read_bytes() != korean.read_bytes()
