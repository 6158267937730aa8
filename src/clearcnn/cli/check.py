"""`clearcnn check`: problems in the data, found before training."""

from argparse import Namespace
from pathlib import Path

from clearcnn.cli.exit_codes import Status
from clearcnn.cli.options import (
    SOURCES,
    add_augmentation_options,
    add_budget_option,
    add_help_options,
    add_source,
    add_source_options,
    print_json,
    read_source,
)
from clearcnn.cli.parser import Parser, whole_number
from clearcnn.cli.signals import interrupt_on_signals
from clearcnn.language import say

NAME = "check"
SUMMARY = say("find problems in labelled images")

_DESCRIPTION = say(
    """\
Find problems that would spoil a training or its score: unreadable files,
duplicates and near-duplicates (with different labels, or in both training and
test set), empty images, groups on both sides of a split, classes that are too
small, and labels that models trained on the other images disagree with. The
data is not changed; a cleaned list is written, which train --use takes. Ctrl-C
keeps what was found before.

{sources}""",
    sources=SOURCES,
)

_EPILOG = say("""\
examples:
  clearcnn check photos/
  clearcnn check photos/ --strict
  clearcnn check idx:mnist/ --json > findings.json
""")

TEXTS = {
    "usage": "clearcnn check [SOURCE] [options]",
    "description": _DESCRIPTION,
    "epilog": _EPILOG,
}


def add_options(parser: Parser) -> None:
    """Add the verb's options to its parser.

    Args:
      parser: of `clearcnn check`.
    """
    parser.set_defaults(run=run, parser=parser, skip_unreadable=True, use=None)
    add_source(parser)
    add_source_options(parser.add_argument_group(say("data")))
    group = parser.add_argument_group(say("labels"))
    group.add_argument(
        "--no-labels",
        dest="labels",
        action="store_false",
        help=say("do not look for label issues, which takes a few short trainings"),
    )
    group.add_argument(
        "--seed",
        type=whole_number,
        default=777,
        metavar="N",
        help=say("seed of these trainings (default: 777)"),
    )
    group.add_argument(
        "--epochs",
        type=whole_number,
        metavar="N",
        help=say("epochs of these trainings (default: a quarter of the recipe's)"),
    )
    add_augmentation_options(group)
    add_budget_option(group, say("the epochs of these trainings"))
    group = parser.add_argument_group(say("output"))
    group.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help=say("the folder to create (default: checks/ with the source and the time)"),
    )
    group.add_argument(
        "--strict", action="store_true", help=say("exit with 1 if there is a problem")
    )
    group.add_argument("--json", action="store_true", help=say("print the result as JSON"))
    add_help_options(group)


@interrupt_on_signals()
def run(arguments: Namespace, _: list[str]) -> Status:
    """Check the data and print the findings.

    Args:
      arguments: parsed.
    Returns:
      The exit status.
    """
    from clearcnn.cli.console import Console
    from clearcnn.cli.evaluate_view import EvaluateDisplay
    from clearcnn.cli.result_tables import view_check
    from clearcnn.results.json_codec import to_json
    from clearcnn.workflows.check.check import check

    display = EvaluateDisplay(Console(stderr=arguments.json, language=arguments.language))
    try:
        result = check(
            read_source(arguments),
            labels=arguments.labels,
            epochs=arguments.epochs,
            augment=arguments.augment,
            flip=arguments.flip,
            budget=arguments.budget,
            seed=arguments.seed,
            out=arguments.out,
            listener=display,
            language=arguments.language.code,
        )
    finally:
        display.close()
    if arguments.json:
        print_json(to_json(result))
    else:
        Console(language=arguments.language).show(view_check(result))
    if result.interrupted:
        return Status.INTERRUPTED
    return Status.ERROR if arguments.strict and result.num_problems else Status.SUCCESS
