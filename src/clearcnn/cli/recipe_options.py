"""The options that choose a recipe and change it, the same for every verb that trains."""

from pathlib import Path
from typing import Any

from clearcnn.cli.parser import number, whole_number

RECIPES = ("default", "tutorial")


def add_recipe_options(group: Any) -> None:
    """Add them to a group of the verb's parser."""
    group.add_argument(
        "--recipe",
        choices=RECIPES,
        default="default",
        metavar="NAME",
        help="default: our best small CNN for the image size; tutorial: the lesson, exactly",
    )
    group.add_argument(
        "--model",
        type=Path,
        metavar="FILE",
        help="a TOML file with the layers, in place of the recipe's model",
    )
    group.add_argument(
        "--epochs",
        type=whole_number,
        metavar="N",
        help="the most epochs to train",
    )
    group.add_argument(
        "--batch-size",
        type=whole_number,
        metavar="N",
        help="images per step",
    )
    group.add_argument(
        "--learning-rate",
        type=number,
        metavar="RATE",
        help="constant, or the peak of the recipe's schedule",
    )
    group.add_argument(
        "--seed",
        type=whole_number,
        default=777,
        metavar="N",
        help="of split, first weights, shuffles and augmentation (default: 777)",
    )
