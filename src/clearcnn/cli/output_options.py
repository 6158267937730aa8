"""Options and JSON that verbs with a result have in common."""

import json
import sys
from pathlib import Path
from typing import Any


def add_output_options(group: Any, out: str) -> None:
    """Add where to write, how much to say, and help.

    Args:
      group: of the verb's parser.
      out: the help of `--out`.
    """
    group.add_argument("--out", type=Path, metavar="FOLDER", help=out)
    group.add_argument("--quiet", action="store_true", help="print only the result")
    group.add_argument(
        "--json",
        action="store_true",
        help="print the result as JSON on stdout, everything else on stderr",
    )
    add_help_options(group)


def add_help_options(group: Any) -> None:
    """Add what every verb has."""
    group.add_argument("--debug", action="store_true", help="show the traceback of an error")
    group.add_argument("-h", "--help", action="help", help="show this help and exit")


def print_json(record: Any) -> None:
    """Print a record, already plain JSON values, on stdout."""
    # Letters as they are where stdout can hold them, as escapes elsewhere.
    is_unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    text = json.dumps(record, indent=2, ensure_ascii=not is_unicode, allow_nan=False)
    # JSON escapes some control characters of names; a terminal obeys others, too.
    shown = (c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
    sys.stdout.write("".join(shown) + "\n")
