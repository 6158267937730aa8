"""`clearcnn explain`: why a model gave its prediction for one image."""

import shlex
import sys
from argparse import SUPPRESS, Namespace
from pathlib import Path

from clearcnn.cli.exit_codes import Status
from clearcnn.cli.options import (
    add_help_options,
    add_run_data_options,
    print_json,
    read_run_data,
)
from clearcnn.cli.parser import Parser, whole_number
from clearcnn.language import say
from clearcnn.text import printable
from clearcnn.version import __version__

NAME = "explain"
SUMMARY = say("explain a model's prediction for one image")

_DESCRIPTION = say("""\
Show what each layer of a trained model does to one image: saliency maps,
feature maps, the arithmetic of one convolution and one pooling, and the most
similar training images. Writes one HTML page, PNG figures and JSON.

RUN is a run folder that clearcnn train wrote: its path, a unique beginning of
its name below runs/, or latest. IMAGE is an image file, or an image of the
run's source: its name, as in the report, or its row number, as in the column
index of predictions.csv (for a file named 17, write ./17).
""")

_EPILOG = say("""\
examples:
  clearcnn explain runs/photos cat.png
  clearcnn explain runs/photos 17
  clearcnn explain latest cat/IMG_5108.JPG
  clearcnn explain runs/digits scan.png --invert --out explained
  clearcnn explain from-a-friend cat.png --data photos/
""")

TEXTS = {
    "usage": "clearcnn explain RUN IMAGE [options]",
    "description": _DESCRIPTION,
    "epilog": _EPILOG,
}


def add_options(parser: Parser) -> None:
    """Add the verb's options to its parser.

    Args:
      parser: of `clearcnn explain`.
    """
    parser.set_defaults(run=run, parser=parser)
    parser.add_argument("run_folder", metavar="RUN", type=Path, help=SUPPRESS)
    parser.add_argument("image", metavar="IMAGE", help=SUPPRESS)
    group = parser.add_argument_group(say("image"))
    group.add_argument(
        "--invert", action="store_true", help=say("invert the image before prediction")
    )
    add_run_data_options(parser.add_argument_group(say("data")))
    group = parser.add_argument_group(say("output"))
    group.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help=say("the folder to create (default: RUN-explained-IMAGE beside the run folder)"),
    )
    group.add_argument(
        "--seed",
        type=whole_number,
        default=777,
        metavar="N",
        help=say("seed of the noise and of the random weights to compare with (default: 777)"),
    )
    group.add_argument(
        "--json",
        action="store_true",
        help=say("print the result as JSON on stdout, everything else on stderr"),
    )
    add_help_options(group)


def run(arguments: Namespace, words: list[str]) -> Status:
    """Explain the prediction and print where the page is.

    Args:
      arguments: parsed.
      words: the command line after `clearcnn`, which the page shows.
    Returns:
      The exit status.
    """
    # Printed before the heavy imports, so that the first line appears at once.
    first = sys.stderr if arguments.json else sys.stdout
    explaining = say(
        "clearcnn {version} · explaining {image} …\n",
        version=__version__,
        image=printable(arguments.image),
    )
    first.write(arguments.language.translate(explaining))
    first.flush()

    from clearcnn.cli.console import Console
    from clearcnn.cli.result_tables import view_explanation
    from clearcnn.results.json_codec import to_json
    from clearcnn.workflows.explain.explain import explain
    from clearcnn.workflows.runs.find_run import find_run

    result = explain(
        find_run(arguments.run_folder),
        arguments.image,
        data=read_run_data(arguments),
        invert=arguments.invert,
        seed=arguments.seed,
        out=arguments.out,
        command=shlex.join(["clearcnn", *words]),
        language=arguments.language.code,
    )
    stdout = Console(language=arguments.language)
    stderr = Console(stderr=True, language=arguments.language)
    for sentence in result.warnings:
        stderr.warn(sentence)
    (stderr if arguments.json else stdout).show(view_explanation(result))
    if arguments.json:
        print_json(to_json(result))
    return Status.SUCCESS
