"""`clearcnn export`: the model of a run in a form that other programs run."""

import json
import sys
from argparse import Namespace
from pathlib import Path

from clearcnn.cli.exit_codes import Status
from clearcnn.cli.parser import Parser
from clearcnn.text import printable

NAME = "export"
SUMMARY = "write the model of a run for other programs"
KINDS = ("onnx", "keras", "triton", "openvino", "litert")

_DESCRIPTION = """\
Write the model of a run folder in a form that other programs run. It is
executed first, and must give Keras's probabilities to 1e-5; otherwise
nothing is written.

forms:
  onnx      one file, for ONNX Runtime, browsers, phones and most else
  keras     one file, without optimizer, for Keras on any backend
  triton    a model repository for NVIDIA Triton: the ONNX file, its
            configuration and labels
  openvino  a folder with model.xml and model.bin; needs the extra openvino
  litert    is not written, for Keras needs TensorFlow for it; says how
"""

_EPILOG = """\
examples:
  clearcnn export runs/digits-20260102T030405Z --to onnx
  clearcnn export runs/photos --to triton --out models/
"""

TEXTS = {
    "usage": "clearcnn export RUN --to FORM [options]",
    "description": _DESCRIPTION,
    "epilog": _EPILOG,
}


def add_options(parser: Parser) -> None:
    """Fill the verb's own parser.

    Args:
      parser: of `clearcnn export`.
    """
    parser.set_defaults(run=run, parser=parser)
    parser.add_argument("folder", nargs="?", type=Path, metavar="RUN", help="the run folder")
    group = parser.add_argument_group("output")
    group.add_argument("--to", choices=KINDS, metavar="FORM", help=", ".join(KINDS))
    group.add_argument(
        "--out",
        type=Path,
        metavar="PATH",
        help="the file or folder to make; without it, one here, named after the run",
    )
    group.add_argument("--json", action="store_true", help="print the result as JSON")
    group.add_argument("--debug", action="store_true", help="show the traceback of an error")
    group.add_argument("-h", "--help", action="help", help="show this help and exit")


def run(arguments: Namespace, _: list[str]) -> Status:
    """Export as asked, and say what was written.

    Args:
      arguments: parsed.
    Returns:
      The exit status.
    """
    if arguments.folder is None:
        arguments.parser.error("a run folder is needed, such as runs/digits-….")
    if arguments.to is None:
        arguments.parser.error(f"--to is needed: one of {', '.join(KINDS)}.")
    from clearcnn.results.json_codec import to_json
    from clearcnn.workflows.export import export_run

    result = export_run(arguments.folder, arguments.to, arguments.out)
    if arguments.json:
        json.dump(to_json(result), sys.stdout, indent=2)
        sys.stdout.write("\n")
        return Status.SUCCESS
    lines = [
        *result.files,
        f"As Keras to {result.largest_difference:.0e} on {result.num_images} images "
        "(random, all low, all high).",
    ]
    sys.stdout.write("".join(printable(line) + "\n" for line in lines))
    return Status.SUCCESS
