"""`clearcnn export`: the model of a run in a format for other programs."""

import sys
from argparse import Namespace
from pathlib import Path

from clearcnn.cli.exit_codes import Status
from clearcnn.cli.options import add_help_options, print_json
from clearcnn.cli.parser import Parser
from clearcnn.language import say
from clearcnn.text import printable

NAME = "export"
SUMMARY = say("export the model of a run for other programs")
KINDS = ("onnx", "keras", "triton", "openvino", "litert")

_DESCRIPTION = say("""\
Write the model of a run folder in a format that other programs run. It is
executed first and must reproduce Keras's probabilities to 1e-5; otherwise
nothing is written.

formats:
  onnx      one file, for ONNX Runtime, browsers, phones and others
  keras     one file, without the optimizer, for Keras on any backend
  triton    a model repository for NVIDIA Triton: the ONNX file, its
            configuration and labels
  openvino  a folder with model.xml and model.bin; needs clearcnn[openvino]
  litert    not written: Keras needs TensorFlow for it; prints how to do it
""")

_EPILOG = say("""\
examples:
  clearcnn export runs/digits-20260102T030405Z --to onnx
  clearcnn export runs/photos --to triton --out models/
""")

TEXTS = {
    "usage": "clearcnn export RUN --to FORMAT [options]",
    "description": _DESCRIPTION,
    "epilog": _EPILOG,
}


def add_options(parser: Parser) -> None:
    """Add the verb's options to its parser.

    Args:
      parser: of `clearcnn export`.
    """
    parser.set_defaults(run=run, parser=parser)
    parser.add_argument("folder", nargs="?", type=Path, metavar="RUN", help=say("the run folder"))
    group = parser.add_argument_group(say("output"))
    group.add_argument("--to", choices=KINDS, metavar="FORMAT", help=", ".join(KINDS))
    group.add_argument(
        "--out",
        type=Path,
        metavar="PATH",
        help=say("the file or folder to create (default: in this folder, named after the run)"),
    )
    group.add_argument("--json", action="store_true", help=say("print the result as JSON"))
    add_help_options(group)


def run(arguments: Namespace, _: list[str]) -> Status:
    """Export the model and print what was written.

    Args:
      arguments: parsed.
    Returns:
      The exit status.
    """
    if arguments.folder is None:
        arguments.parser.error(say("RUN is missing: a run folder such as runs/digits-…."))
    if arguments.to is None:
        arguments.parser.error(say("--to is needed: one of {kinds}.", kinds=", ".join(KINDS)))
    from clearcnn.results.json_codec import to_json
    from clearcnn.workflows.export import export_run
    from clearcnn.workflows.runs.find_run import find_run

    result = export_run(find_run(arguments.folder), arguments.to, arguments.out)
    if arguments.json:
        print_json(to_json(result))
        return Status.SUCCESS
    lines = [
        *result.files,
        say(
            "Equals Keras to {largest_difference:.0e} on {num_images} images (random, all "
            "minimum, all maximum).",
            largest_difference=result.largest_difference,
            num_images=result.num_images,
        ),
    ]
    translate = arguments.language.translate
    sys.stdout.write("".join(translate(printable(line)) + "\n" for line in lines))
    return Status.SUCCESS
