"""`clearcnn explain`: how a model came to its answer on one image."""

import json
import shlex
import sys
from argparse import SUPPRESS, Namespace
from pathlib import Path

from clearcnn.cli.exit_codes import Status
from clearcnn.cli.parser import Parser, whole_number
from clearcnn.cli.source_options import add_run_data_options, read_run_data
from clearcnn.text import printable
from clearcnn.version import __version__

NAME = "explain"
SUMMARY = "show how a model came to its answer on one image"

_DESCRIPTION = """\
Show what each layer of a trained model does to one image, which pixels
decided, the arithmetic of one convolution and one pooling, and the images
that look alike to the model: one HTML page, pictures, and JSON.

RUN is a run folder that clearcnn train made. IMAGE is a picture file, or a
number: the row of an image of the run's source, as predictions.csv has it
in its column index (a file called 17 is ./17).
"""

_EPILOG = """\
examples:
  clearcnn explain runs/photos cat.png
  clearcnn explain runs/photos 17
  clearcnn explain runs/digits scan.png --invert --out explained
  clearcnn explain from-a-friend cat.png --data photos/
"""

TEXTS = {
    "usage": "clearcnn explain RUN IMAGE [options]",
    "description": _DESCRIPTION,
    "epilog": _EPILOG,
}


def add_options(parser: Parser) -> None:
    """Fill the verb's own parser.

    Args:
      parser: of `clearcnn explain`.
    """
    parser.set_defaults(run=run, parser=parser)
    parser.add_argument("run_folder", metavar="RUN", type=Path, help=SUPPRESS)
    parser.add_argument("image", metavar="IMAGE", help=SUPPRESS)
    group = parser.add_argument_group("picture")
    group.add_argument(
        "--invert", action="store_true", help="exchange light and dark before the model sees it"
    )
    add_run_data_options(parser.add_argument_group("data"))
    group = parser.add_argument_group("output")
    group.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="the folder to make; without it, RUN-explained-IMAGE beside the run folder",
    )
    group.add_argument(
        "--seed",
        type=whole_number,
        default=777,
        metavar="N",
        help="of the noise and of the random weights to check against (default: 777)",
    )
    group.add_argument(
        "--json",
        action="store_true",
        help="print the result as JSON on stdout, everything else on stderr",
    )
    group.add_argument("--debug", action="store_true", help="show the traceback of an error")
    group.add_argument("-h", "--help", action="help", help="show this help and exit")


def run(arguments: Namespace, words: list[str]) -> Status:
    """Explain as asked, and say where the page is.

    Args:
      arguments: parsed.
      words: the command line after `clearcnn`, which the page shows.
    Returns:
      The exit status.
    """
    # Said before anything large is imported: the first line must not wait for it.
    first = sys.stderr if arguments.json else sys.stdout
    first.write(f"clearcnn {__version__} · explaining {printable(arguments.image)} …\n")
    first.flush()

    from clearcnn.cli.console import Console
    from clearcnn.cli.explain_view import view_explanation
    from clearcnn.results.json_codec import to_json
    from clearcnn.workflows.explain.explain import explain

    result = explain(
        arguments.run_folder,
        arguments.image,
        data=read_run_data(arguments),
        invert=arguments.invert,
        seed=arguments.seed,
        out=arguments.out,
        command=shlex.join(["clearcnn", *words]),
    )
    stderr = Console(stderr=True)
    for sentence in result.warnings:
        stderr.warn(sentence)
    (stderr if arguments.json else Console()).show(view_explanation(result))
    if arguments.json:
        json.dump(to_json(result), sys.stdout, indent=2, allow_nan=False)
        sys.stdout.write("\n")
    return Status.SUCCESS
