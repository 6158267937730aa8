"""Results as HTML for a notebook, from the report's own parts."""

from collections.abc import Sequence

from clearcnn.language import choose_language, say, say_count
from clearcnn.report import number_format
from clearcnn.report.confusion import need_vertical_labels, tabulate
from clearcnn.report.curves import plot_history
from clearcnn.report.evaluation_charts import place_models, say_headline
from clearcnn.report.evaluation_report import PROTOCOL_TITLES
from clearcnn.report.image_sheets import MOST_ROWS, draw_strip, encode_png, to_picture
from clearcnn.report.notebook_style import make_notebook_style
from clearcnn.report.templates import embed, make_environment
from clearcnn.report.training_report import place_interval
from clearcnn.results.check import CheckResult
from clearcnn.results.evaluate import Assessment
from clearcnn.results.explain import ExplainResult
from clearcnn.results.pictures import Pictures
from clearcnn.results.predict import Prediction
from clearcnn.results.scores import Evaluation
from clearcnn.results.train import History, TrainResult
from clearcnn.types import Pixels

_MOST_CLASSES = 5
_SIDE = 128


def view_training(result: TrainResult) -> str:
    """Show a training: score, interval, curves, mistakes, confusion matrix."""
    history, divergence = result.history, result.divergence
    epochs = say_count("{number:,} epoch", "{number:,} epochs", history.num_epochs)
    stopped = (say("Stopped early, after {epochs}.", epochs=epochs),) if result.interrupted else ()
    diverged = () if divergence is None else (divergence.sentence,)
    return _render(
        "training",
        result=result,
        headline=number_format.percent(result.score.accuracy),
        sentence=number_format.score_sentence(result.score),
        interval=place_interval(result.test),
        notices=(*stopped, *diverged, *result.warnings),
        charts=plot_history(history),
        epochs=say(
            "{epochs}, the model has the weights of epoch {best_epoch}",
            epochs=epochs,
            best_epoch=history.best_epoch + 1,
        ),
        **_show_scored(result.test, result.pictures),
    )


def view_evaluation(result: Assessment) -> str:
    """Show an evaluation: score, interval, the compared models, mistakes, confusion matrix."""
    return _render(
        "evaluation",
        result=result,
        headline=number_format.percent(result.score.accuracy),
        sentence=say_headline(result.headline),
        protocols=[
            (PROTOCOL_TITLES[protocol.kind], protocol, place_models(protocol)[0])
            for protocol in result.protocols
        ],
        **_show_scored(result.evaluation, result.pictures),
    )


def view_check(result: CheckResult, suspects: bytes | None) -> str:
    """Show a check: problems, notices, and the PNG of the images with suspect labels."""
    shown = None if suspects is None else embed(suspects)
    return _render("check", result=result, suspects=shown)


def view_explanation(result: ExplainResult, pictures: Sequence[tuple[str, bytes]]) -> str:
    """Show an explanation: the prediction, and PNGs with their names, the image itself first."""
    return _render(
        "explanation",
        result=result,
        classes=result.answers[:_MOST_CLASSES],
        pictures=[(name, embed(png)) for name, png in pictures],
    )


def view_prediction(prediction: Prediction) -> str:
    """Show one prediction with its image."""
    return _render("prediction", prediction=prediction, picture=_show_first(prediction.pictures))


def view_predictions(predictions: Sequence[Prediction], shown: int, counts: str) -> str:
    """Show the first predictions with their images, and how many there are of each class."""
    first = [(each, _show_first(each.pictures)) for each in predictions[:shown]]
    return _render("predictions", predictions=predictions, shown=first, counts=counts)


def view_images(
    source: str,
    facts: str,
    classes: Sequence[tuple[str, int, Pixels]],
    value_range: tuple[float, float],
    preparation: Sequence[str],
) -> str:
    """Show labelled images: for each class its name, its number of images, and some of them."""
    drawn = [
        (
            name,
            total,
            embed(draw_strip(list(samples), value_range)) if len(samples) else "",
            len(samples),
        )
        for name, total, samples in classes[:MOST_ROWS]
    ]
    return _render(
        "images",
        source=source,
        facts=facts,
        classes=drawn,
        widest=max(1, *(number for *_, number in drawn)),
        rest=len(classes) - len(drawn),
        preparation=preparation,
    )


def view_progress(
    facts: Sequence[str],
    warnings: Sequence[str],
    bars: Sequence[dict[str, object]],
    history: History | None = None,
    names: Sequence[str] = (),
    rows: Sequence[Sequence[str]] = (),
) -> str:
    """Show a training or evaluation that is running.

    Args:
      facts: lines about the data and the model.
      warnings: one sentence each.
      bars: each with `words` and `share`, from 0 to 1, or None where nothing is known.
      history: the finished epochs.
      names, rows: the table of epochs.
    """
    charts = () if history is None or history.num_epochs < 2 else plot_history(history)
    return _render(
        "progress",
        facts=facts,
        warnings=warnings,
        bars=bars,
        history=history,
        names=names,
        rows=rows,
        charts=charts,
    )


def _render(name: str, **values: object) -> str:
    from markupsafe import Markup

    template = make_environment(choose_language()).get_template(f"notebook/{name}.html")
    return template.render(style=Markup(make_notebook_style()), **values)


def _show_scored(test: Evaluation, pictures: Pictures | None) -> dict[str, object]:
    images = [] if pictures is None else [_show(each, pictures) for each in pictures.images]
    shown = list(zip(test.mistakes, images, strict=False))
    total = say_count("{number:,} mistake", "{number:,} mistakes", len(test.mistakes))
    if not test.mistakes:
        heading = say(
            "No mistakes among {total}",
            total=say_count("{number:,} image", "{number:,} images", test.score.total),
        )
    elif 0 < len(shown) < len(test.mistakes):
        heading = say("The {number} most confident of {total}", number=len(shown), total=total)
    else:
        heading = total
    return {
        "mistakes": shown,
        "heading": heading,
        "rows": tabulate(test),
        "upright": need_vertical_labels([each.name for each in test.classes]),
    }


def _show_first(pictures: Pictures | None) -> str | None:
    return None if pictures is None else _show(pictures.images[0], pictures)


def _show(image: Pixels, pictures: Pictures) -> str:
    return embed(encode_png(to_picture(image, pictures.value_range, side=_SIDE)))
