"""`clearcnn check`: what is wrong with the data, before anyone trains."""

import json
import sys
from argparse import Namespace

from clearcnn.cli.output import add_help_options
from clearcnn.cli.parser import Parser
from clearcnn.cli.source import SOURCES, add_source, add_source_options, read_source
from clearcnn.cli.status import Status

NAME = "check"
SUMMARY = "look for what is wrong with labelled images"

_DESCRIPTION = f"""\
Look for what spoils a training or its score, before anyone trains: files
that cannot be read, copies and near copies, with other labels or across
parts, empty images, groups on both sides of a split, classes too small.
Nothing is changed.

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
    parser.set_defaults(run=run, parser=parser, skip_unreadable=True)
    add_source(parser)
    add_source_options(parser.add_argument_group("data"))
    group = parser.add_argument_group("output")
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
    from clearcnn.cli.views import view_check
    from clearcnn.results import to_json
    from clearcnn.workflows.check import check

    result = check(read_source(arguments))
    if arguments.json:
        json.dump(to_json(result), sys.stdout, indent=2, allow_nan=False)
        sys.stdout.write("\n")
    else:
        Console().show(view_check(result))
    return Status.ERROR if arguments.strict and result.num_problems else Status.SUCCESS
