"""`clearcnn predict`: answers for new pictures."""

import json
import sys
from argparse import SUPPRESS, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from clearcnn.cli.exit_codes import Status
from clearcnn.cli.parser import Parser, number, whole_number
from clearcnn.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from clearcnn.bundle import Manifest
    from clearcnn.results.predict import Prediction

NAME = "predict"
SUMMARY = "say what new pictures show"

_DESCRIPTION = """\
Answer for pictures with a trained model, by ONNX Runtime alone.

RUN is a run folder that clearcnn train made. FILE is a picture, a folder of
pictures, or - for one picture from stdin; there may be several. Each picture
is brought to the size, colours, values and polarity of those the model was
trained on, and what was done is said. Probabilities are calibrated.
"""

_EPILOG = """\
examples:
  clearcnn predict runs/photos cat.png
  clearcnn predict runs/photos inbox/ --csv answers.csv
  clearcnn predict runs/photos inbox/ --csv answers.csv --resume
  clearcnn predict runs/digits - --json < scan.png

status 1: a picture could not be read; the others are answered.
"""

TEXTS = {
    "usage": "clearcnn predict RUN FILE|FOLDER|- ... [options]",
    "description": _DESCRIPTION,
    "epilog": _EPILOG,
}


def add_options(parser: Parser) -> None:
    """Fill the verb's own parser.

    Args:
      parser: of `clearcnn predict`.
    """
    parser.set_defaults(run=run, parser=parser)
    parser.add_argument("run_folder", metavar="RUN", type=Path, help=SUPPRESS)
    parser.add_argument("files", metavar="FILE", nargs="+", help=SUPPRESS)
    group = parser.add_argument_group("answer")
    group.add_argument(
        "--top",
        type=whole_number,
        default=3,
        metavar="K",
        help="the K most probable classes (default: 3)",
    )
    group.add_argument(
        "--abstain-below",
        type=number,
        default=0.0,
        metavar="P",
        help="give no class with a confidence below P, such as 0.9",
    )
    group.add_argument(
        "--keep-polarity",
        action="store_true",
        help="do not exchange light and dark where the model was trained on the opposite",
    )
    group = parser.add_argument_group("output")
    group.add_argument("--csv", type=Path, metavar="FILE", help="write the answers to a new CSV")
    group.add_argument(
        "--resume", action="store_true", help="go on where the CSV ends, and repeat nothing"
    )
    group.add_argument(
        "--json", action="store_true", help="print one line of JSON for each picture on stdout"
    )
    group.add_argument("--debug", action="store_true", help="show the traceback of an error")
    group.add_argument("-h", "--help", action="help", help="show this help and exit")


def run(arguments: Namespace, _: list[str]) -> Status:
    """Answer as asked.

    Args:
      arguments: parsed.
    Returns:
      The exit status.
    """
    if arguments.resume and arguments.csv is None:
        arguments.parser.error("--resume needs --csv, the file to go on with.")
    from clearcnn.cli.predict_display import PredictDisplay, say
    from clearcnn.workflows.predict.csv_output import open_prediction_table
    from clearcnn.workflows.predict.input_files import find_image_files
    from clearcnn.workflows.predict.predict import check_options, predict_files
    from clearcnn.workflows.runs.load_onnx_model import open_model

    options = {"top": arguments.top, "abstain_below": arguments.abstain_below}
    check_options(**options)
    model = open_model(arguments.run_folder)
    found = find_image_files(arguments.files)
    for sentence in found.ignored:
        say(f"warning: {printable(sentence)}")
    with open_prediction_table(arguments.csv, model, resume=arguments.resume, **options) as table:
        waiting = [each for each in found.files if not table.holds(each.name)]
        names = [each.name for each in waiting]
        answers = predict_files(model, waiting, keep_polarity=arguments.keep_polarity, **options)
        display = PredictDisplay(len(waiting), _choose_lines(arguments, names, model.manifest))
        try:
            with display:
                for each in answers:
                    table.write(each)
                    display.hear(each)
        except KeyboardInterrupt:
            rest = "" if arguments.csv is None else "; --resume goes on there"
            say(f"\nStopped after {display.done:,} of {len(waiting):,} pictures{rest}.")
            return Status.INTERRUPTED
        earlier = (table.num_rows, table.num_errors)
    display.conclude(model.manifest.confidence, csv=arguments.csv, earlier=earlier)
    return Status.ERROR if display.errors or earlier[1] else Status.SUCCESS


def _choose_lines(
    arguments: Namespace, names: list[str], manifest: "Manifest"
) -> "Callable[[Prediction], str] | None":
    """Give what makes a line of an answer; answers that go to a file alone have none."""
    if arguments.json:
        return _as_json
    if arguments.csv is not None or not names:
        return None
    from clearcnn.cli.predict_view import AnswerLines

    lines = AnswerLines(names, manifest.class_names)
    sys.stdout.write(lines.heading() + "\n")
    return lines.line


def _as_json(answer: "Prediction") -> str:
    from clearcnn.results.json_codec import to_json

    return json.dumps(to_json(answer), allow_nan=False)
