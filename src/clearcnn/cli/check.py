"""`clearcnn check`: what is wrong with the data, before anyone trains."""

from argparse import Namespace
from pathlib import Path

from clearcnn.cli.exit_codes import Status
from clearcnn.cli.output_options import add_help_options, print_json
from clearcnn.cli.parser import Parser, whole_number
from clearcnn.cli.source_options import SOURCES, add_source, add_source_options, read_source

NAME = "check"
SUMMARY = "look for what is wrong with labelled images"

_DESCRIPTION = f"""\
Look for what spoils a training or its score, before anyone trains: files
that cannot be read, copies and near copies, with other labels or across
parts, empty images, groups on both sides of a split, classes too small,
and labels that models trained on the other images do not believe. Nothing
of it is changed; a cleaned list is written that train --use takes.

{SOURCES}"""

_EPILOG = """\
examples:
  clearcnn check photos/
  clearcnn check photos/ --strict
  clearcnn check idx:mnist/ --json > findings.json
"""

TEXTS = {
    "usage": "clearcnn check [SOURCE] [options]",
    "description": _DESCRIPTION,
    "epilog": _EPILOG,
}


def add_options(parser: Parser) -> None:
    """Fill the verb's own parser.

    Args:
      parser: of `clearcnn check`.
    """
    parser.set_defaults(run=run, parser=parser, skip_unreadable=True, use=None)
    add_source(parser)
    add_source_options(parser.add_argument_group("data"))
    group = parser.add_argument_group("labels")
    group.add_argument(
        "--no-labels",
        dest="labels",
        action="store_false",
        help="do not look for suspect labels, which takes a few short trainings",
    )
    group.add_argument(
        "--seed", type=whole_number, default=777, metavar="N", help="of these (default: 777)"
    )
    group = parser.add_argument_group("output")
    group.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="the folder to make; without it, checks/ with the source and the time",
    )
    group.add_argument("--strict", action="store_true", help="exit with 1 if there is a problem")
    group.add_argument("--json", action="store_true", help="print the result as JSON")
    add_help_options(group)


def run(arguments: Namespace, _: list[str]) -> Status:
    """Check as asked, and say what was found.

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

    display = EvaluateDisplay(Console(stderr=arguments.json))
    try:
        result = check(
            read_source(arguments),
            labels=arguments.labels,
            seed=arguments.seed,
            out=arguments.out,
            listener=display,
        )
    finally:
        display.close()
    if arguments.json:
        print_json(to_json(result))
    else:
        Console().show(view_check(result))
    return Status.ERROR if arguments.strict and result.num_problems else Status.SUCCESS
