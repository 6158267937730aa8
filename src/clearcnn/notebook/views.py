"""Each kind of result as the terminal's text and as the report's HTML."""

import io
from collections.abc import Callable
from functools import singledispatch
from pathlib import Path

import numpy as np
from rich.console import Group, RenderableType

from clearcnn.cli.console import Console, Line
from clearcnn.cli.evaluate_view import view_assessment
from clearcnn.cli.predict_display import PredictionLines, count_classes
from clearcnn.cli.result_tables import (
    view_check,
    view_explanation,
    view_facts,
    view_heading,
    view_result,
)
from clearcnn.data import LabelledImages
from clearcnn.language import choose_language, join, say, say_count
from clearcnn.report import choose_samples, notebook_views
from clearcnn.results.check import CheckResult
from clearcnn.results.evaluate import Assessment
from clearcnn.results.explain import ExplainResult
from clearcnn.results.predict import Prediction, Predictions
from clearcnn.results.train import TrainResult

MOST_PREDICTIONS = 24
_COLUMNS = 100
_EXPLANATION_FIGURES = (
    (say("the image"), "picture.png"),
    (say("gradient map"), "gradient.png"),
    (say("occlusion map"), "occlusion.png"),
)


def make_bundle(record: object) -> dict[str, str]:
    """Return a result for IPython, by MIME type.

    Args:
      record: a result of a verb, or labelled images.
    Returns:
      Its text/plain, as in the terminal, and its text/html, from the parts of the report.
    """
    text, html = _view(record)
    return {"text/plain": _as_text(text), "text/html": html()}


Views = tuple[RenderableType, Callable[[], str]]


@singledispatch
def _view(record: object) -> Views:
    raise TypeError(f"{type(record).__name__} has no view")


@_view.register
def _(result: TrainResult) -> Views:
    return view_result(result), lambda: notebook_views.view_training(result)


@_view.register
def _(result: Assessment) -> Views:
    return view_assessment(result), lambda: notebook_views.view_evaluation(result)


@_view.register
def _(result: CheckResult) -> Views:
    sheet = None if result.folder is None else _read(result.folder / "suspects.png")
    return view_check(result), lambda: notebook_views.view_check(result, sheet)


@_view.register
def _(result: ExplainResult) -> Views:
    figures = [
        (name, content)
        for name, file in _EXPLANATION_FIGURES
        if (content := _read(result.folder / "figures" / file)) is not None
    ]
    return view_explanation(result), lambda: notebook_views.view_explanation(result, figures)


@_view.register
def _(prediction: Prediction) -> Views:
    lines = PredictionLines(
        [prediction.name], [each.name for each in prediction.top], choose_language()
    )
    return Line(
        lines.heading(), "\n", lines.line(prediction)
    ), lambda: notebook_views.view_prediction(prediction)


@_view.register
def _(predictions: Predictions) -> Views:
    shown = predictions[:MOST_PREDICTIONS]
    classes = {each.name for prediction in shown for each in prediction.top}
    names = [each.name for each in shown] or [""]
    lines = PredictionLines(names, sorted(classes), choose_language())
    counts = count_classes(predictions)
    text = join("\n", [lines.heading(), *map(lines.line, shown), counts])
    return Line(text), lambda: notebook_views.view_predictions(
        predictions, MOST_PREDICTIONS, counts
    )


@_view.register
def _(images: LabelledImages) -> Views:
    counts = np.bincount(images.labels, minlength=len(images.class_names))
    low, high = images.value_range
    _, height, width, channels = images.images.shape
    facts = say(
        "{images} of {classes}, {height}×{width} pixels, {colours}, {dtype} from "
        "{low:g} to {high:g}",
        images=say_count("{number:,} image", "{number:,} images", len(images)),
        classes=say_count("{number:,} class", "{number:,} classes", len(counts)),
        height=height,
        width=width,
        colours=say("grey") if channels == 1 else say("RGB"),
        dtype=images.images.dtype,
        low=low,
        high=high,
    )
    named = zip(images.class_names, counts.tolist(), strict=True)
    rows = [(name, f"{total:,}") for name, total in named]
    detail = say("{source} · {facts}", source=images.source, facts=facts)
    text = Line(view_heading(say("Data"), detail), "\n")
    samples = choose_samples(images.labels, len(counts))

    def html() -> str:
        classes = [
            (name, int(total), images.images[chosen])
            for name, total, chosen in zip(images.class_names, counts, samples, strict=True)
        ]
        return notebook_views.view_images(
            images.source, facts, classes, images.value_range, images.preparation
        )

    return Group(text, view_facts(rows)), html


def _as_text(view: RenderableType) -> str:
    # In a kernel, Rich would send the text to the cell itself, with colours.
    file = io.StringIO()
    console = Console(
        file=file, force_terminal=False, force_jupyter=False, language=choose_language()
    )
    console.width = _COLUMNS
    console.print(view)
    return "\n".join(line.rstrip() for line in file.getvalue().strip("\n").splitlines())


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        # The folder was moved or deleted.
        return None
