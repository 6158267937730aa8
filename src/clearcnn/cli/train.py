"""`clearcnn train`: from labelled images to a trained, evaluated CNN."""

import shlex
import sys
from argparse import Namespace
from typing import Any, get_args

from clearcnn.cli.output import add_output_options, print_json
from clearcnn.cli.parser import Parser, number
from clearcnn.cli.recipe import add_recipe_options
from clearcnn.cli.source import (
    SOURCES,
    add_reading_options,
    add_source,
    add_source_options,
    read_source,
)
from clearcnn.cli.status import Status
from clearcnn.cli.text import printable
from clearcnn.specs import SplitKind
from clearcnn.version import __version__

NAME = "train"
SUMMARY = "train and score a CNN on labelled images"

_DESCRIPTION = f"""\
Train a small CNN on labelled images, score it on a test part that it never
saw, and keep everything in a run folder: model, figures, report.

{SOURCES}Whatever is not asked for below is as the recipe says.
"""

_EPILOG = """\
examples:
  clearcnn train
  clearcnn train photos/ --size 32 --out runs/photos
  clearcnn train photos/ --split group --seed 1
  clearcnn train --recipe tutorial --epochs 20
  clearcnn train --model model.toml --json > result.json

Ctrl-C stops early and keeps the model of the last finished epoch.
"""


TEXTS = {
    "usage": "clearcnn train [SOURCE] [options]",
    "description": _DESCRIPTION,
    "epilog": _EPILOG,
}


def add_options(parser: Parser) -> None:
    """Fill the verb's own parser.

    Args:
      parser: of `clearcnn train`.
    """
    parser.set_defaults(run=run, parser=parser)
    add_source(parser)
    _add_data_options(parser.add_argument_group("data"))
    add_recipe_options(parser.add_argument_group("model and training"))
    add_output_options(
        parser.add_argument_group("output"),
        out="the run folder to make; without it, runs/ with the source and the time",
    )


def run(arguments: Namespace, words: list[str]) -> Status:
    """Train as asked, and say what came out.

    Args:
      arguments: parsed.
      words: the command line after `clearcnn`, to be kept with the run.
    Returns:
      The exit status.
    """
    if not arguments.quiet:
        # Said before anything large is imported: the first line must not wait for it.
        first = sys.stderr if arguments.json else sys.stdout
        first.write(f"clearcnn {__version__} · reading {printable(arguments.source)} …\n")
        first.flush()

    from clearcnn.cli.console import Console
    from clearcnn.cli.progress import TrainDisplay, WarningsOnly
    from clearcnn.cli.views import view_interruption, view_result, view_score
    from clearcnn.results import to_json
    from clearcnn.workflows.train import train

    stdout, stderr = Console(), Console(stderr=True)
    people = stderr if arguments.json else stdout
    with WarningsOnly(stderr) if arguments.quiet else TrainDisplay(people) as display:
        result = train(
            read_source(arguments),
            **_options_asked_for(arguments),
            listener=display,
            command=shlex.join(["clearcnn", *words]),
        )
    if not arguments.quiet:
        people.show(view_result(result))
    if arguments.json:
        print_json(to_json(result))
    elif arguments.quiet:
        stdout.print(view_score(result))
    if not result.interrupted:
        return Status.SUCCESS
    stderr.print(view_interruption(result))
    return Status.INTERRUPTED


def _add_data_options(group: Any) -> None:
    add_source_options(group)
    add_reading_options(group)
    group.add_argument(
        "--split",
        choices=get_args(SplitKind),
        metavar="KIND",
        help="random, stratified (keeps each class's share) or group (keeps groups whole)",
    )
    group.add_argument(
        "--test-fraction",
        type=number,
        metavar="F",
        help="share of all images kept for the test",
    )
    group.add_argument(
        "--validation-fraction",
        type=number,
        metavar="F",
        help="share of the rest kept for validation",
    )


def _options_asked_for(arguments: Namespace) -> dict[str, Any]:
    # None leaves the choice to the recipe.
    return {
        "recipe": arguments.recipe,
        "model": arguments.model,
        "epochs": arguments.epochs,
        "batch_size": arguments.batch_size,
        "learning_rate": arguments.learning_rate,
        "seed": arguments.seed,
        "split": arguments.split,
        "test_fraction": arguments.test_fraction,
        "validation_fraction": arguments.validation_fraction,
        "out": arguments.out,
    }
