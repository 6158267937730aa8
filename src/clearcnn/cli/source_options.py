"""SOURCE and the options that say how to read it, the same for every verb."""

from argparse import SUPPRESS, Namespace
from typing import Any, get_args

from clearcnn.cli.parser import Parser, names, size
from clearcnn.errors import SpecError
from clearcnn.specs import ColorMode, DataSpec

SOURCES = """\
SOURCE is one of
  digits                  1,797 handwritten digits of 8x8 pixels (the default)
  a folder                one folder for each class, with or without train/,
                          validation/ and test/ above them
  a folder, CSV or JSONL  images and a metadata file with file_name and label
  IDX files               as MNIST comes, gzipped or not
  an .npz file            x_train, y_train, x_test, y_test, or x and y
  a CSV of pixels         with a label column
  a Parquet file          as Hugging Face writes it: clearcnn[parquet]
and is recognised by itself; a prefix such as folder: or idx: forces it.
"""


def add_source(parser: Parser) -> None:
    """Add SOURCE itself, which defaults to the digits."""
    parser.add_argument("source", nargs="?", default="digits", metavar="SOURCE", help=SUPPRESS)


def add_source_options(group: Any) -> None:
    """Add the options that say how to read it."""
    group.add_argument(
        "--size",
        type=size,
        metavar="SIZE",
        help="resize every image to SIZE: 28, or 28x20 for height x width",
    )
    group.add_argument(
        "--color-mode",
        choices=get_args(ColorMode),
        default="auto",
        metavar="MODE",
        help="auto (the default: grey only if every image is), grayscale or rgb",
    )
    group.add_argument(
        "--classes",
        type=names,
        metavar="NAMES",
        help="the classes in this order, such as cat,dog; without it, natural order",
    )
    group.add_argument(
        "--groups",
        default="group",
        metavar="COLUMN",
        help="the metadata column of what belongs together (default: group)",
    )


def add_reading_options(group: Any) -> None:
    """Add the options that leave images out, for verbs that train."""
    group.add_argument(
        "--use",
        metavar="FILE",
        help="the list that check wrote: use the images it says yes to",
    )
    group.add_argument(
        "--skip-unreadable",
        action="store_true",
        help="go on without files that cannot be read, and list them",
    )


def add_run_data_options(group: Any, *, use: bool = True) -> None:
    """Add the options that say where the images are that a run was trained on.

    Args:
      group: of options.
      use: whether to add --use, which verbs that train have already.
    """
    group.add_argument(
        "--data",
        metavar="SOURCE",
        help="the images RUN was trained on; without it, those that RUN names, if you trained it "
        "on this computer",
    )
    if use:
        group.add_argument(
            "--use", metavar="FILE", help="beside --data: the list that RUN was trained with"
        )


def read_run_data(arguments: Namespace) -> DataSpec | None:
    """Make the DataSpec of the images of a run, if they were named.

    Raises:
      SpecError: there is a list, and no images that it could be of.
    """
    if arguments.data is None and arguments.use is not None:
        raise SpecError(
            "--use was given without --data: it is a list of the images that RUN was trained on.",
            remedy="Name the images too, or leave the list out.",
        )
    if arguments.data is None:
        return None
    return DataSpec(source=arguments.data, use=arguments.use)


def read_source(arguments: Namespace) -> DataSpec:
    """Make the DataSpec of parsed arguments."""
    return DataSpec(
        source=arguments.source,
        size=arguments.size,
        color_mode=arguments.color_mode,
        class_names=arguments.classes,
        skip_unreadable=arguments.skip_unreadable,
        group_column=arguments.groups,
        use=arguments.use,
    )
