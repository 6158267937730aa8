"""`report.html`, a self-contained file, and its figures."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from clearcnn.errors import SpecError
from clearcnn.language import ENGLISH, Language, join, say
from clearcnn.report import number_format
from clearcnn.report.binary_charts import plot_binary
from clearcnn.report.confusion import list_confusions, need_vertical_labels, tabulate
from clearcnn.report.curves import plot_history, say_value
from clearcnn.report.evaluation_charts import plot_reliability
from clearcnn.report.figures import write_confusion, write_curves
from clearcnn.report.history_words import describe_history
from clearcnn.report.image_sheets import (
    MOST_MISTAKES,
    MOST_ROWS,
    ReportImages,
    draw_sheet,
    draw_strip,
    encode_png,
    is_large,
    to_picture,
)
from clearcnn.report.templates import embed, hash_script, make_environment, read_page
from clearcnn.results.scores import Calibration, ClassScore, Evaluation, Mistake
from clearcnn.results.train import TrainResult
from clearcnn.types import View


def write_report(
    folder: Path,
    result: TrainResult,
    pictures: ReportImages,
    command: str,
    versions: Mapping[str, str] | None = None,
    language: Language = ENGLISH,
) -> None:
    """Write `report.html`, `figures/data.png`, `figures/curves.png`, `figures/confusion.png`.

    Args:
      folder: the draft of the run folder; `figures/` is created if it is missing.
      result: the content of the report.
      pictures: the images it shows.
      command: the command that gives the same result.
      versions: versions of the software that made the result, by name.
      language: of the page and of the figures.
    Raises:
      SpecError: the images do not belong to the result.
      OSError: a file cannot be written.
    """
    _check_pictures(result, pictures)
    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    sheet = draw_sheet(pictures.samples, result.data.classes, result.data.value_range, language)
    (figures / "data.png").write_bytes(encode_png(sheet))
    write_curves(figures / "curves.png", result.history, language)
    write_confusion(figures / "confusion.png", result.test, language)
    page = render_report(result, pictures, command, versions, language)
    # A file name that is not valid Unicode must still be shown.
    content = page.encode("utf-8", "backslashreplace")
    (folder / "report.html").write_bytes(content)


def render_report(
    result: TrainResult,
    pictures: ReportImages,
    command: str,
    versions: Mapping[str, str] | None = None,
    language: Language = ENGLISH,
) -> str:
    """Render the page of `write_report`."""
    from markupsafe import Markup

    _check_pictures(result, pictures)
    script, style = read_page("script.js"), read_page("style.css")
    charts = plot_history(result.history)
    calibration, curves = result.calibration, result.curves
    return (
        make_environment(language)
        .get_template("report.html")
        .render(
            result=result,
            headline=number_format.percent(result.test.score.accuracy),
            sentence=number_format.score_sentence(result.test.score),
            interval=place_interval(result.test),
            guess=_guess_most_frequent(result),
            strips=_draw_strips(result, pictures),
            is_large=is_large(result.data.shape[1:]),
            widest=max(len(images) for images in pictures.samples),
            most_rows=MOST_ROWS,
            ratio=_compare_parameters(result),
            charts=charts,
            readout=_say_best(result),
            shape=describe_history(result.history, result.train),
            reliability=None if calibration is None else plot_reliability(calibration),
            confidence="" if calibration is None else _judge_confidence(calibration),
            binary=None if curves is None else plot_binary(curves),
            rows=tabulate(result.test),
            upright=need_vertical_labels([each.name for each in result.test.classes]),
            confusions=list_confusions(result.test),
            weakest=find_weakest(result.test),
            mistakes=_show_mistakes(result, pictures),
            run=quote_run(result.run_folder),
            recipe=number_format.recipe_rows(result.train, result.flip_trial),
            split=number_format.split_sentence(result.split),
            longest=max(result.seconds.values(), default=0.0),
            command=command,
            versions=dict(versions or {}),
            style=Markup(style),
            script=Markup(script),
            script_hash=hash_script(script),
        )
    )


def _check_pictures(result: TrainResult, pictures: ReportImages) -> None:
    num_classes = len(result.data.classes)
    wanted = min(len(result.test.mistakes), MOST_MISTAKES)
    if len(pictures.samples) != num_classes or len(pictures.mistakes) < wanted:
        raise SpecError(
            say(
                "The report got samples of {num_samples} classes and {num_mistakes} images of "
                "mistakes; the result has {num_classes} classes and asks for {wanted} "
                "mistakes.",
                num_samples=len(pictures.samples),
                num_mistakes=len(pictures.mistakes),
                num_classes=num_classes,
                wanted=wanted,
            ),
            remedy=say(
                "Give samples for every class, and an image for each of the first mistakes."
            ),
        )


def _draw_strips(result: TrainResult, pictures: ReportImages) -> list[tuple[str, int]]:
    """Per class, its samples side by side as a data URI, and their number."""
    return [
        (
            embed(draw_strip(list(images), result.data.value_range)) if len(images) else "",
            len(images),
        )
        for images in pictures.samples[:MOST_ROWS]
    ]


def quote_run(run_folder: Path) -> str:
    """Return how commands in a report name a run: its path if it is below the working folder."""
    here = Path.cwd()
    is_below = run_folder.is_absolute() and run_folder.is_relative_to(here)
    shown = run_folder.relative_to(here) if is_below else Path(run_folder.name)
    return shlex.quote(shown.as_posix())


def _show_mistakes(result: TrainResult, pictures: ReportImages) -> list[tuple[Mistake, str]]:
    shown = result.test.mistakes[:MOST_MISTAKES]
    images = pictures.mistakes[: len(shown)]
    return [
        (mistake, embed(encode_png(to_picture(image, result.data.value_range, side=128))))
        for mistake, image in zip(shown, images, strict=True)
    ]


def place_interval(test: Evaluation) -> View:
    """Positions on an axis that ends at 100 % and starts low enough to show the interval."""
    interval, accuracy = test.score.interval, test.score.accuracy
    start = next(s for s in (0.95, 0.9, 0.8, 0.5, 0.0) if s < interval.low or s == 0)
    ticks = [start + step * (1 - start) / 5 for step in range(6)]

    def place(value: float) -> float:
        return round(100 * (value - start) / (1 - start), 2)

    return {
        "low": place(interval.low),
        "high": place(interval.high),
        "mark": place(accuracy),
        "ticks": [(place(tick), f"{round(100 * tick):d}") for tick in ticks],
    }


def _guess_most_frequent(result: TrainResult) -> View:
    """The score of always predicting the most frequent class of the training set."""
    classes = result.data.classes
    most = max(range(len(classes)), key=lambda k: classes[k].train)
    correct = result.test.classes[most].support
    return {
        "name": classes[most].name,
        "correct": correct,
        "accuracy": correct / result.test.score.total,
    }


def _compare_parameters(result: TrainResult) -> str:
    """The MLP's parameters as a multiple of the model's; empty without convolutions."""
    ratio = result.model_summary.mlp_parameters / max(result.model_summary.parameters, 1)
    if all(layer.dense_parameters is None for layer in result.model_summary.layers):
        return ""
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.1f}"


def _say_best(result: TrainResult) -> str:
    """The metrics of the epoch whose weights the model has."""
    history = result.history
    named = {"accuracy": say("training"), "val_accuracy": say("validation")}
    parts = [
        name + " " + say_value("accuracy", history.metrics[metric][history.best_epoch])
        for metric, name in named.items()
        if history.metrics.get(metric)
    ]
    return join(", ", parts)


def _judge_confidence(calibration: Calibration) -> str:
    """Compare the calibration error with what chance alone gives."""
    error = say(
        "The confidence differs from the accuracy by {error} on average over the test "
        "images (expected calibration error)",
        error=number_format.points(calibration.error),
    )
    floor = number_format.points(calibration.floor_95)
    if calibration.error <= calibration.floor_95:
        return say(
            "{error}. That is no more than chance: a perfectly calibrated model stays "
            "below {floor} in 95 of 100 test sets of this size.",
            error=error,
            floor=floor,
        )
    confidence = sum(each.total * each.confidence for each in calibration.bins)
    right = sum(each.total * each.accuracy for each in calibration.bins)
    leaning = say("over-confident") if confidence > right else say("under-confident")
    return say(
        "{error}. That is more than chance, which stays below {floor} in 95 of 100 test "
        "sets of this size: the model is {leaning}.",
        error=error,
        floor=floor,
        leaning=leaning,
    )


def find_weakest(test: Evaluation) -> ClassScore | None:
    """The class with the lowest recall; None if there are no mistakes."""
    scored = [each for each in test.classes if each.recall is not None and each.recall < 1]
    return min(scored, key=lambda each: each.recall or 0.0, default=None)
