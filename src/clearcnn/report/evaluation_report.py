"""The report of an evaluation: one page that begins with a comparison of all models."""

from pathlib import Path

from clearcnn.language import ENGLISH, Language, say
from clearcnn.report.confusion import list_confusions, need_vertical_labels, tabulate
from clearcnn.report.evaluation_charts import (
    place_models,
    plot_learning,
    plot_reliability,
    say_headline,
)
from clearcnn.report.image_sheets import (
    MOST_MISTAKES,
    MOST_ROWS,
    encode_png,
    is_large,
    to_picture,
)
from clearcnn.report.templates import embed, make_environment, read_page
from clearcnn.report.training_report import find_weakest
from clearcnn.results.evaluate import Assessment
from clearcnn.types import Pixels

PROTOCOL_TITLES = {
    "groups": say("Groups left out"),
    "random": say("Random folds"),
    "test": say("Test images"),
}


def write_assessment(
    folder: Path,
    result: Assessment,
    mistakes: Pixels,
    value_range: tuple[float, float],
    command: str,
    language: Language = ENGLISH,
) -> None:
    """Write `report.html`.

    Args:
      folder: the draft folder.
      result: the content of the page.
      mistakes: (m, height, width, channels), the images of the first mistakes.
      value_range: smallest and largest possible pixel value.
      command: the command that gives the same result.
      language: of the page.
    Raises:
      OSError: the file cannot be written.
    """
    page = render_assessment(result, mistakes, value_range, command, language)
    (folder / "report.html").write_bytes(page.encode("utf-8", "backslashreplace"))


def render_assessment(
    result: Assessment,
    mistakes: Pixels,
    value_range: tuple[float, float],
    command: str,
    language: Language = ENGLISH,
) -> str:
    """Render the page of `write_assessment`."""
    from markupsafe import Markup

    test = result.evaluation
    shown = test.mistakes[:MOST_MISTAKES]
    curve = result.learning_curve
    return (
        make_environment(language)
        .get_template("assessment.html")
        .render(
            result=result,
            test=test,
            is_large=is_large(mistakes.shape[1:]),
            headline=result.headline,
            sentence=say_headline(result.headline),
            protocols=[
                (PROTOCOL_TITLES[protocol.kind], protocol, *place_models(protocol))
                for protocol in result.protocols
            ],
            reliability=plot_reliability(result.reliability.scaled or result.reliability.plain),
            learning=None if curve is None else plot_learning(curve),
            rows=tabulate(test),
            upright=need_vertical_labels(result.class_names),
            confusions=list_confusions(test),
            weakest=find_weakest(test),
            most_rows=MOST_ROWS,
            mistakes=[
                (mistake, embed(encode_png(to_picture(image, value_range, side=128))))
                for mistake, image in zip(shown, mistakes[: len(shown)], strict=True)
            ],
            longest=max(result.seconds.values(), default=0.0),
            run=None,
            command=command,
            style=Markup(read_page("style.css") + read_page("assessment.css")),
        )
    )
