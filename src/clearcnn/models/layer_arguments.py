"""Types of layer arguments, with their ranges.

Each kind describes what it accepts and parses it to a canonical form: pairs become tuples of
two, aliases become names.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from clearcnn.language import say

T = TypeVar("T")

LARGEST_COUNT = 65_536
LARGEST_SIDE = 512

ACTIVATIONS = (
    "elu",
    "gelu",
    "hard_sigmoid",
    "hard_silu",
    "leaky_relu",
    "linear",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
)
_ALIASES = {"swish": "silu", "hard_swish": "hard_silu"}


@dataclass(frozen=True)
class Kind:
    """A type of argument.

    Attributes:
      name: its identifier.
      expected: what it accepts, in words.
      example: one such value, as it is written in a model file.
      parse: returns the canonical form of a valid value, raises ValueError for others.
      choices: valid names, for suggestions; empty for other kinds.
      most: the largest valid integer; None for other kinds.
    """

    name: str
    expected: str
    example: str
    parse: Callable[[object], object]
    choices: tuple[str, ...] = ()
    most: int | None = None

    def values(self) -> dict[str, object]:
        """Return the values of an error about it."""
        return {
            "kind": self.name,
            "example": self.example,
            "choices": self.choices,
            "most": self.most,
        }


@dataclass(frozen=True)
class Argument:
    """An argument of a layer: the kind of its value, and Keras's default if it has one."""

    kind: Kind
    default: object = None
    required: bool = False


def _whole(low: int, high: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        # bool is an int in Python, but `filters = true` is a mistake.
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError
        return value

    return parse


def _number(accepts: Callable[[float], bool] = math.isfinite) -> Callable[[object], float]:
    def parse(value: object) -> float:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise ValueError
        try:
            number = float(value)
        except OverflowError:
            raise ValueError from None
        if not math.isfinite(number) or not accepts(number):
            raise ValueError
        return number

    return parse


def _pair(parse: Callable[[object], T]) -> Callable[[object], tuple[T, T]]:
    def parse_pair(value: object) -> tuple[T, T]:
        if not isinstance(value, (tuple, list)):
            return parse(value), parse(value)
        if len(value) != 2:
            raise ValueError
        return parse(value[0]), parse(value[1])

    return parse_pair


def _parse_borders(value: object) -> tuple[tuple[int, int], tuple[int, int]]:
    rows, columns = _pair(_pair(_whole(0, LARGEST_SIDE)))(value)
    return rows, columns


def _parse_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _parse_padding(value: object) -> str:
    if not isinstance(value, str) or value.lower() not in ("valid", "same"):
        raise ValueError
    return value.lower()


def _parse_activation(value: object) -> str:
    if value is None:
        return "linear"
    if not isinstance(value, str):
        raise ValueError
    name = _ALIASES.get(value, value)
    if name not in ACTIVATIONS:
        raise ValueError
    return name


def _parse_name(value: object) -> str:
    # Keras rejects "/", its separator in the names of weights.
    if not isinstance(value, str) or not value.strip() or "/" in value or not value.isprintable():
        raise ValueError
    return value


COUNT = Kind(
    name="count",
    expected=say("a whole number from 1 to {largest_count:,}", largest_count=LARGEST_COUNT),
    example="16",
    parse=_whole(1, LARGEST_COUNT),
    most=LARGEST_COUNT,
)
SIDES = Kind(
    name="sides",
    expected=say(
        "a whole number from 1 to {largest_side}, or a pair of them", largest_side=LARGEST_SIDE
    ),
    example="3",
    parse=_pair(_whole(1, LARGEST_SIDE)),
    most=LARGEST_SIDE,
)
BORDERS = Kind(
    name="borders",
    expected=say(
        "a whole number from 0 to {largest_side}, a pair (rows, columns) of them, or a pair "
        "of pairs ((top, bottom), (left, right))",
        largest_side=LARGEST_SIDE,
    ),
    example="1",
    parse=_parse_borders,
    most=LARGEST_SIDE,
)
PADDING = Kind(
    name="padding",
    expected=say('"valid" or "same"'),
    example='"same"',
    parse=_parse_padding,
    choices=("valid", "same"),
)
ACTIVATION = Kind(
    name="activation",
    expected=say("one of {activations}", activations=", ".join(ACTIVATIONS)),
    example='"relu"',
    parse=_parse_activation,
    choices=(*ACTIVATIONS, *_ALIASES),
)
FLAG = Kind(name="flag", expected=say("true or false"), example="false", parse=_parse_flag)
SHARE = Kind(
    name="share",
    expected=say("a number in [0, 1)"),
    example="0.25",
    parse=_number(lambda number: 0 <= number < 1),
)
SMALL = Kind(
    name="small",
    expected=say("a number above 0"),
    example="0.001",
    parse=_number(lambda number: number > 0),
)
NUMBER = Kind(name="number", expected=say("a finite number"), example="0.0625", parse=_number())
NAME = Kind(
    name="name", expected=say('printable text without "/"'), example='"edges"', parse=_parse_name
)
