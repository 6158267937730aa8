"""argparse with plain sentences and suggestions for typing errors."""

import argparse
import shutil
import sys
from collections.abc import Iterable
from typing import Any, NoReturn, TypeAlias

from clearcnn.cli.exit_codes import Status
from clearcnn.spelling import suggest

HELP_COLUMNS = 80

OptionGroup: TypeAlias = argparse._ArgumentGroup


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help that looks the same on every Python: at most 80 columns, without colour."""

    def __init__(self, prog: str, **options: Any) -> None:
        columns = min(shutil.get_terminal_size().columns, HELP_COLUMNS)
        options |= {"width": columns - 2, "max_help_position": 30}
        super().__init__(prog, **options)


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that suggests corrections.

    Each parser sets its own usage and adds `-h` to a group of its own, because argparse's wording
    differs between Python versions and the help pages are part of the docs.
    """

    def __init__(self, **options: Any) -> None:
        options |= {"formatter_class": Formatter, "allow_abbrev": False, "add_help": False}
        super().__init__(**options)
        self.color = False  # Python 3.14 would colour the help.

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, and end with an error on the first unknown argument.

        Args:
          args: the words after the program's name; None takes them from `sys.argv`.
          namespace: an object to fill, or None.
        Returns:
          The namespace; its `parser` is the verb's parser, if there is a verb.
        """
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            verb: Parser = getattr(parsed, "parser", self)
            verb.refuse(unknown)
        return parsed

    def refuse(self, unknown: list[str]) -> NoReturn:
        """Exit with status 2 and a sentence about the first unknown argument."""
        option = next((word for word in unknown if word.startswith("-")), None)
        if option is None:
            self.error(f"unexpected argument {unknown[0]!r}.")
        name = option.partition("=")[0]
        self.error(f"unknown option {name}.{did_you_mean(name, self._option_string_actions)}")

    def error(self, message: str) -> NoReturn:
        """Exit with status 2: the usage, the message, and how to get help."""
        self.print_usage(sys.stderr)
        self.exit(Status.USAGE, f"{self.prog}: error: {message}\nSee {self.prog} --help.\n")

    def _check_value(self, action: argparse.Action, value: str) -> None:
        # argparse has no public hook for this message, and its own differs between versions.
        if action.choices is None or value in action.choices:
            return
        choices = [str(choice) for choice in action.choices]
        problem = f"{value!r} is not one of: {', '.join(choices)}."
        raise argparse.ArgumentError(action, problem + did_you_mean(value, choices))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return " Did you mean …?" with the nearest known word, or ""."""
    near = suggest(word, known)
    return f" Did you mean {near}?" if near else ""


def whole_number(text: str) -> int:
    """Parse an integer; the spec checks its range."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number.") from None


def number(text: str) -> float:
    """Parse a float."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number.") from None


def size(text: str) -> tuple[int, int]:
    """Parse "28" or "28x20" as (height, width) in pixels."""
    try:
        height, _, width = text.lower().replace("×", "x").partition("x")
        return int(height), int(width or height)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a size; write 28, or 28x20 for height x width."
        ) from None


def names(text: str) -> tuple[str, ...]:
    """Parse "cat,dog" as class names in that order."""
    found = tuple(name.strip() for name in text.split(","))
    if not all(found):
        raise argparse.ArgumentTypeError(f"{text!r} has an empty name; write cat,dog,horse.")
    return found
