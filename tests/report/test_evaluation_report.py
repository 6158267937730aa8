"""The page of an evaluation: the geometry by hand, the page in a real browser."""

from dataclasses import replace

import numpy as np
import pytest

from clearcnn.evaluation import calibrate, trace_coverage, wilson_interval
from clearcnn.report import say_difference, say_headline, say_spread, write_assessment
from clearcnn.report.evaluation_charts import place_models, plot_learning, plot_reliability
from clearcnn.results.evaluate import (
    Assessment,
    FoldScore,
    LearningCurve,
    LearningPoint,
    ModelScore,
    Protocol,
    Reliability,
    Robustness,
)
from clearcnn.results.scores import Difference, Interval, Score

FOLDS = (FoldScore("block 1", 1, 90, 9, 10), FoldScore("block 2", 2, 90, 10, 10))


def score(correct, total):
    return Score(correct, total, wilson_interval(correct, total))


def make_models(*names):
    difference = Difference(0.012, Interval(-0.003, 0.027, 0.95, "corrected resampled t"))
    first = ModelScore(names[0], score(19, 20), 0.07, FOLDS, None, None)
    return (
        first,
        *(replace(first, name=name, difference=difference, p_value=0.2) for name in names[1:]),
    )


def make_assessment(evaluation, class_names, models=("default", "SVM (RBF)"), **changes):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 200)
    chances = rng.dirichlet((1, 1, 1), 200)
    calibration = calibrate(labels, chances, seed=0)
    points = tuple(LearningPoint(n, score(180 + n // 100, 200)) for n in (100, 200, 400, 800, 1600))
    fields = {
        "source": "digits",
        "num_images": 1797,
        "class_names": tuple(class_names),
        "protocols": (
            Protocol("groups", "1,797 images of 14 groups.", make_models(*models)),
            Protocol("random", "1,797 images in 10 folds.", make_models(*models)),
        ),
        "evaluation": evaluation,
        "reliability": Reliability(
            1.3, calibration, calibration, 0.2, 0.19, trace_coverage(labels, chances)
        ),
        "robustness": (Robustness("none", 0.95, 0.96), Robustness("inverted", 0.1, 0.2)),
        "baseline": models[1],
        "learning_curve": LearningCurve(
            points, Interval(0.98, 0.99, 0.95, "power law"), "Twice as many would help."
        ),
        "notes": ("Groups are inferred.",),
        "seconds": {"data": 0.1, "folds": 20.0},
    }
    return Assessment(**(fields | changes))


def test_a_headline_has_count_interval_spread_and_worst_fold_by_name():
    model = make_models("default")[0]
    assert say_headline(model) == (
        "19 of 20 predictions correct: 95.0 %, 95 % interval 76.4–99.1; ±7.0, worst 90.0 % "
        "on block 1 over 2 trainings"
    )
    single = replace(model, folds=FOLDS[:1])
    assert say_spread(single) == ""
    assert "trainings" not in say_headline(single)


def test_a_difference_is_said_in_points():
    difference = make_models("a", "b")[1].difference
    assert say_difference(difference) == "+1.2 points (−0.3 to +2.7)"
    assert difference.verdict == "cannot be told apart on this data"


def test_models_stand_on_one_axis():
    bars, ticks = place_models(Protocol("groups", "", make_models("default", "SVM")))
    assert ticks[0] == (0.0, "50")
    assert ticks[-1] == (100.0, "100")
    ours = bars[0]
    assert ours.mark == pytest.approx(100 * (0.95 - 0.5) / 0.5)
    assert ours.worst == pytest.approx(80)
    assert ours.low < ours.mark < ours.high <= 100
    assert (ours.verdict, bars[1].verdict) == ("", "cannot be told apart on this data")


def test_a_hopeless_model_does_not_spoil_the_axis_for_the_others():
    models = make_models("default", "most frequent class")
    hopeless = replace(models[1], score=score(2, 20))
    bars, ticks = place_models(Protocol("random", "", (models[0], hopeless)))
    assert ticks[0][1] == "50"
    assert bars[1].mark == 0


def test_perfect_confidence_lies_on_the_diagonal():
    rng = np.random.default_rng(1)
    sure = rng.uniform(0.5, 1, 50_000)
    labels = (rng.random(50_000) > sure).astype(int)
    chart = plot_reliability(calibrate(labels, np.column_stack([sure, 1 - sure]), seed=0))
    left, top, right, bottom = chart.frame
    for point in chart.points:
        along, up = (point.x - left) / (right - left), (bottom - point.y) / (bottom - top)
        assert up == pytest.approx(along, abs=0.02)


def test_doubling_is_one_step_on_the_learning_curve():
    chart = plot_learning(make_assessment(None, "ab").learning_curve)
    steps = np.diff([point.x for point in chart.points])
    assert steps == pytest.approx(np.full(4, steps[0]), abs=0.02)
    assert chart.x_ticks[-1].text == "3,200"
    low, high = chart.forecast
    assert low > high


@pytest.fixture(scope="module")
def pages(tmp_path_factory, digits, hostile):
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for name, (trained, pictures), changes in (
        ("digits", digits, {}),
        (
            "hostile",
            hostile,
            {"models": ("<script>alert(1)</script>", '"><img src=x onerror=alert(2)>')},
        ),
        ("bare", digits, {"learning_curve": None, "notes": (), "baseline": None}),
    ):
        result = make_assessment(
            trained.test, [each.name for each in trained.test.classes], **changes
        )
        if name == "bare":
            plain = replace(result.reliability, scaled=None, scaled_loss=None, temperature=None)
            alone = tuple(replace(p, models=p.models[:1]) for p in result.protocols[:1])
            stripped = tuple(replace(r, baseline=None) for r in result.robustness)
            result = replace(result, reliability=plain, protocols=alone, robustness=stripped)
        place = folder / name
        place.mkdir()
        write_assessment(
            place, result, pictures.mistakes, trained.data.value_range, "clearcnn evaluate"
        )
        found[name] = (place / "report.html").as_uri()
    return found


@pytest.mark.browser
@pytest.mark.parametrize("name", ["digits", "hostile", "bare"])
@pytest.mark.parametrize("width", [320, 768, 1280])
def test_the_page_holds_at_every_width_and_asks_nobody(browser, pages, poor_contrasts, name, width):
    complaints = []
    for scheme in ("light", "dark"):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.goto(pages[name])
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(poor_contrasts) == []
        assert page.locator(".models").first.is_visible()
        page.close()
    assert complaints == []
