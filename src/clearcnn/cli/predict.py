"""`clearcnn predict`: predictions for new images."""

import json
import sys
from argparse import SUPPRESS, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from clearcnn.cli.exit_codes import Status
from clearcnn.cli.options import add_help_options
from clearcnn.cli.parser import Parser, number, whole_number
from clearcnn.language import say
from clearcnn.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from clearcnn.bundle import Manifest
    from clearcnn.results.predict import Prediction

NAME = "predict"
SUMMARY = say("predict the classes of new images")

_DESCRIPTION = say("""\
Predict classes of images with a trained model, by ONNX Runtime alone.

RUN is a run folder that clearcnn train wrote: its path, a unique beginning of
its name below runs/, or latest. FILE is an image, a folder of
images, or - for one image from stdin; there may be several. Each image is
converted to the size, colours, value range and polarity of the training
images, and every conversion is reported. Probabilities are calibrated.
""")

_EPILOG = say("""\
examples:
  clearcnn predict runs/photos cat.png
  clearcnn predict runs/photos inbox/ --csv predictions.csv
  clearcnn predict runs/photos inbox/ --csv predictions.csv --resume
  clearcnn predict runs/digits - --json < scan.png

status 1: an image could not be read; the others have predictions.
""")

TEXTS = {
    "usage": "clearcnn predict RUN FILE|FOLDER|- ... [options]",
    "description": _DESCRIPTION,
    "epilog": _EPILOG,
}


def add_options(parser: Parser) -> None:
    """Add the verb's options to its parser.

    Args:
      parser: of `clearcnn predict`.
    """
    parser.set_defaults(run=run, parser=parser)
    parser.add_argument("run_folder", metavar="RUN", type=Path, help=SUPPRESS)
    parser.add_argument("files", metavar="FILE", nargs="+", help=SUPPRESS)
    group = parser.add_argument_group(say("prediction"))
    group.add_argument(
        "--top",
        type=whole_number,
        default=3,
        metavar="K",
        help=say("number of most probable classes to list (default: 3)"),
    )
    group.add_argument(
        "--abstain-below",
        type=number,
        default=0.0,
        metavar="P",
        help=say("abstain where the confidence is below P, such as 0.9"),
    )
    group.add_argument(
        "--keep-polarity",
        action="store_true",
        help=say("do not invert images of the opposite polarity"),
    )
    group = parser.add_argument_group(say("output"))
    group.add_argument(
        "--csv", type=Path, metavar="FILE", help=say("write predictions to a new CSV file")
    )
    group.add_argument(
        "--resume",
        action="store_true",
        help=say("continue where the CSV file ends, and repeat nothing"),
    )
    group.add_argument(
        "--json", action="store_true", help=say("print one line of JSON per image on stdout")
    )
    add_help_options(group)


def run(arguments: Namespace, _: list[str]) -> Status:
    """Predict and print or write the predictions.

    Args:
      arguments: parsed.
    Returns:
      The exit status.
    """
    if arguments.resume and arguments.csv is None:
        arguments.parser.error(say("--resume needs --csv, the file to continue."))
    from clearcnn.cli.predict_display import PredictDisplay, print_line
    from clearcnn.workflows.predict.csv_output import open_prediction_table
    from clearcnn.workflows.predict.input_files import find_image_files
    from clearcnn.workflows.predict.predict import check_options, predict_files
    from clearcnn.workflows.runs.find_run import find_run
    from clearcnn.workflows.runs.load_onnx_model import open_model

    language = arguments.language
    options = {"top": arguments.top, "abstain_below": arguments.abstain_below}
    check_options(**options)
    model = open_model(find_run(arguments.run_folder))
    found = find_image_files(arguments.files, model.manifest.input.shape[:2])
    for sentence in found.ignored:
        print_line(say("warning: {sentence}", sentence=printable(sentence)), language)
    with open_prediction_table(arguments.csv, model, resume=arguments.resume, **options) as table:
        waiting = [each for each in found.files if not table.holds(each.name)]
        names = [each.name for each in waiting]
        answers = predict_files(model, waiting, keep_polarity=arguments.keep_polarity, **options)
        display = PredictDisplay(
            len(waiting), _choose_lines(arguments, names, model.manifest), language
        )
        try:
            with display:
                for each in answers:
                    table.write(each)
                    display.show(each)
        except KeyboardInterrupt:
            rest = "" if arguments.csv is None else say("; --resume continues there")
            print_line(
                say(
                    "\nStopped after {done:,} of {total:,} images{ending}.",
                    done=display.done,
                    total=len(waiting),
                    ending=rest,
                ),
                language,
            )
            return Status.INTERRUPTED
        earlier = (table.num_rows, table.num_errors)
    display.summarise(model.manifest.confidence, csv=arguments.csv, earlier=earlier)
    return Status.ERROR if display.errors or earlier[1] else Status.SUCCESS


def _choose_lines(
    arguments: Namespace, names: list[str], manifest: "Manifest"
) -> "Callable[[Prediction], str] | None":
    """Return what formats a prediction as a line; None if nothing goes to stdout."""
    if arguments.json:
        return _as_json
    if arguments.csv is not None or not names:
        return None
    from clearcnn.cli.predict_display import PredictionLines

    lines = PredictionLines(names, manifest.class_names, arguments.language)
    sys.stdout.write(lines.heading() + "\n")
    return lines.line


def _as_json(prediction: "Prediction") -> str:
    from clearcnn.results.json_codec import to_json

    return json.dumps(to_json(prediction), allow_nan=False)
