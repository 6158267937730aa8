"""The options that several verbs share, and their JSON output."""

import json
import sys
from argparse import SUPPRESS, BooleanOptionalAction, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from clearcnn.cli.parser import OptionGroup, Parser, names, number, size, whole_number
from clearcnn.errors import SpecError
from clearcnn.language import CODES, say
from clearcnn.specs import ColorMode, DataSpec

if TYPE_CHECKING:
    from clearcnn.types import JsonValue

LANGUAGE_OPTION = "--lang"
RECIPES = ("default", "tutorial")

SOURCES = say("""\
SOURCE is one of
  digits                  1,797 handwritten digits of 8x8 pixels (the default)
  a folder                one folder per class, with or without train/,
                          validation/ and test/ above
  a .zip or .tar(.gz)     of any of these
  a folder, CSV or JSONL  images and a table of their names and labels
  IDX files               the format of MNIST, gzipped or not
  an .npz file            x_train, y_train, x_test, y_test, or x and y
  a CSV of pixels         with a label column
  a Parquet file          as Hugging Face writes it: clearcnn[parquet]
The kind is detected; a prefix such as folder: or idx: overrides it.
""")


def add_source(parser: Parser) -> None:
    """Add SOURCE, which defaults to the digits."""
    parser.add_argument("source", nargs="?", default="digits", metavar="SOURCE", help=SUPPRESS)


def add_source_options(group: OptionGroup) -> None:
    """Add the options for reading SOURCE."""
    group.add_argument(
        "--size",
        type=size,
        metavar="SIZE",
        help=say("resize every image to SIZE: 28, or 28x20 for height x width"),
    )
    group.add_argument(
        "--color-mode",
        choices=get_args(ColorMode),
        default="auto",
        metavar="MODE",
        help=say("auto (default: grayscale if every image is grey), grayscale or rgb"),
    )
    group.add_argument(
        "--classes",
        type=names,
        metavar="NAMES",
        help=say("the classes in this order, such as cat,dog (default: natural order)"),
    )
    group.add_argument(
        "--min-images",
        type=whole_number,
        metavar="N",
        help=say("leave out the classes with fewer than N images"),
    )
    group.add_argument(
        "--groups",
        default="group",
        metavar="COLUMN",
        help=say("the metadata column with the groups (default: group)"),
    )
    group.add_argument(
        "--groups-from-name",
        metavar="REGEX",
        help=say("find the group of each image in its name: '(.+)_[0-9]+' for TRACK_FRAME.png"),
    )
    group.add_argument(
        "--image-column",
        metavar="COLUMN",
        help=say("the column of a table with the file names (default: found by its content)"),
    )
    group.add_argument(
        "--label-column",
        metavar="COLUMN",
        help=say("the column of a table with the labels (default: found by its name and content)"),
    )


def add_reading_options(group: OptionGroup) -> None:
    """Add the options that exclude images, for verbs that train."""
    group.add_argument(
        "--use",
        metavar="FILE",
        help=say("the list that check wrote: use only the images marked yes"),
    )
    group.add_argument(
        "--skip-unreadable",
        action="store_true",
        help=say("skip files that cannot be read, and list them"),
    )


def add_run_data_options(group: OptionGroup, *, use: bool = True) -> None:
    """Add the options that name the images a run was trained on.

    Args:
      group: of options.
      use: whether to add --use, which verbs that train have already.
    """
    group.add_argument(
        "--data",
        metavar="SOURCE",
        help=say(
            "the images RUN was trained on (default: those that RUN names, if you trained it "
            "on this computer)"
        ),
    )
    if use:
        group.add_argument(
            "--use", metavar="FILE", help=say("with --data: the list that RUN was trained with")
        )


def read_run_data(arguments: Namespace) -> DataSpec | None:
    """Return the DataSpec of the images of a run, if they were named.

    Raises:
      SpecError: --use without --data.
    """
    if arguments.data is None and arguments.use is not None:
        raise SpecError(
            say(
                "--use was given without --data: it is a list of the images that RUN was "
                "trained on."
            ),
            remedy=say("Give --data too, or leave --use out."),
        )
    if arguments.data is None:
        return None
    return DataSpec(source=arguments.data, use=arguments.use)


def read_source(arguments: Namespace) -> DataSpec:
    """Return the DataSpec of parsed arguments."""
    return DataSpec(
        source=arguments.source,
        size=arguments.size,
        color_mode=arguments.color_mode,
        class_names=arguments.classes,
        skip_unreadable=arguments.skip_unreadable,
        group_column=arguments.groups,
        min_images=arguments.min_images,
        groups_from_name=arguments.groups_from_name,
        image_column=arguments.image_column,
        label_column=arguments.label_column,
        use=arguments.use,
    )


def add_recipe_options(group: OptionGroup) -> None:
    """Add the recipe options to a group of the verb's parser."""
    group.add_argument(
        "--recipe",
        choices=RECIPES,
        default="default",
        metavar="NAME",
        help=say(
            "default: the best small CNN for the image size; tutorial: the network of the lesson"
        ),
    )
    group.add_argument(
        "--model",
        type=Path,
        metavar="FILE",
        help=say("a TOML file with the layers, instead of the recipe's model"),
    )
    group.add_argument(
        "--epochs",
        type=whole_number,
        metavar="N",
        help=say("maximum number of epochs"),
    )
    group.add_argument(
        "--batch-size",
        type=whole_number,
        metavar="N",
        help=say("images per step"),
    )
    group.add_argument(
        "--learning-rate",
        type=number,
        metavar="RATE",
        help=say("constant, or the maximum of the recipe's schedule"),
    )
    group.add_argument(
        "--seed",
        type=whole_number,
        default=777,
        metavar="N",
        help=say("seed of the split, initial weights, shuffling and augmentation (default: 777)"),
    )


def add_augmentation_options(group: OptionGroup) -> None:
    """Add --augment and --flip."""
    group.add_argument(
        "--augment",
        type=names,
        metavar="NAMES",
        help=say(
            "random changes of training images: some of "
            "shift,rotation,zoom,shear,contrast,brightness,flip, or none (default: the "
            "recipe's)"
        ),
    )
    group.add_argument(
        "--flip",
        action=BooleanOptionalAction,
        help=say("mirror half of the training images, or none (default: a trial training decides)"),
    )


def add_budget_option(group: OptionGroup, what: str) -> None:
    """Add --budget.

    Args:
      group: of options.
      what: what is reduced until the command fits into its budget.
    """
    group.add_argument(
        "--budget",
        metavar="TIME",
        help=say(
            "time for the whole command, such as 60s or 5min: {what} follow from the pace of "
            "this machine",
            what=what,
        ),
    )


def add_output_options(group: OptionGroup, out: str) -> None:
    """Add --out, --quiet, --json, --debug and --help.

    Args:
      group: of the verb's parser.
      out: the help of `--out`.
    """
    group.add_argument("--out", type=Path, metavar="FOLDER", help=out)
    group.add_argument("--quiet", action="store_true", help=say("print only the result"))
    group.add_argument(
        "--json",
        action="store_true",
        help=say("print the result as JSON on stdout, everything else on stderr"),
    )
    add_help_options(group)


def add_help_options(group: OptionGroup) -> None:
    """Add --debug and --help, which every verb has."""
    group.add_argument("--debug", action="store_true", help=say("show the traceback of an error"))
    add_language_option(group)
    group.add_argument("-h", "--help", action="help", help=say("show this help and exit"))


def add_language_option(group: OptionGroup) -> None:
    """Add --lang; `main` chooses the language before it parses the words."""
    group.add_argument(
        LANGUAGE_OPTION,
        dest="language_code",
        choices=CODES,
        metavar="CODE",
        help=say("language of messages and reports: en or ko (default: that of the locale)"),
    )


def print_json(record: "JsonValue") -> None:
    """Print plain JSON values on stdout."""
    # Characters that stdout cannot encode are escaped.
    is_unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    text = json.dumps(record, indent=2, ensure_ascii=not is_unicode, allow_nan=False)
    # JSON does not escape every control character that a terminal acts on.
    shown = (c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
    sys.stdout.write("".join(shown) + "\n")
