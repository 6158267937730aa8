"""argparse with plain sentences and suggestions for typing errors."""

import argparse
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable
from functools import partial
from typing import Any, NoReturn, TypeAlias

from clearcnn.cli.argparse_errors import describe_error, in_our_words
from clearcnn.cli.exit_codes import Status
from clearcnn.language import ENGLISH, Language, say
from clearcnn.spelling import suggest

HELP_COLUMNS = 80

OptionGroup: TypeAlias = argparse._ArgumentGroup


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help that looks the same on every Python: at most 80 columns, without colour.

    Args:
      prog: as argparse's.
      language: to which Messages in the help are translated.
      options: as argparse's.
    """

    def __init__(self, prog: str, *, language: Language = ENGLISH, **options: Any) -> None:
        self._language = language
        columns = min(shutil.get_terminal_size().columns, HELP_COLUMNS)
        options |= {"width": columns - 2, "max_help_position": 30}
        super().__init__(prog, **options)

    def start_section(self, heading: str | None) -> None:
        """Start a section below a translated heading."""
        super().start_section(heading and self._language.translate(heading))

    def add_text(self, text: str | None) -> None:
        """Add a translated text."""
        super().add_text(text and self._language.translate(text))

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: Any = None) -> None:
        """Add the usage, after a translated "usage: "."""
        shown = self._language.translate(say("usage: ")) if prefix is None else prefix
        super().add_usage(usage, actions, groups, shown)

    def _split_lines(self, text: str, width: int) -> list[str]:
        # Letters of Korean take two columns; argparse counts each as one.
        wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
        if not wide:
            return super()._split_lines(text, width)
        share = len(text) / (len(text) + wide)
        return textwrap.wrap(" ".join(text.split()), int(width * share), break_long_words=False)

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help and self._language.translate(action.help)


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that suggests corrections.

    Each parser sets its own usage and adds `-h` to a group of its own, because argparse's wording
    differs between Python versions and the help pages are part of the docs.

    Args:
      language: of the help and of the errors.
      options: as argparse's.
    """

    def __init__(self, *, language: Language = ENGLISH, **options: Any) -> None:
        self.language = language
        formatter = partial(Formatter, language=language)
        options |= {"formatter_class": formatter, "allow_abbrev": False, "add_help": False}
        options |= {"exit_on_error": False}
        super().__init__(**options)
        self._positionals.title = say("positional arguments")
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
        parsed.language = self.language
        if unknown:
            verb: Parser = getattr(parsed, "parser", self)
            verb.refuse(unknown)
        return parsed

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as argparse does; errors stay Messages."""
        try:
            return super().parse_known_args(args, namespace)
        except argparse.ArgumentError as error:
            self.error(describe_error(error))

    def refuse(self, unknown: list[str]) -> NoReturn:
        """Exit with status 2 and a sentence about the first unknown argument."""
        option = next((word for word in unknown if word.startswith("-")), None)
        if option is None:
            self.error(say("unexpected argument {unknown!r}.", unknown=unknown[0]))
        name = option.partition("=")[0]
        self.error(
            say(
                "unknown option {name}.{suggestion}",
                name=name,
                suggestion=did_you_mean(name, self._option_string_actions),
            )
        )

    def error(self, message: str) -> NoReturn:
        """Exit with status 2: the usage, the message, and how to get help."""
        self.print_usage(sys.stderr)
        sentence = say(
            "{program}: error: {message}\nSee {program} --help.\n",
            program=self.prog,
            message=in_our_words(message),
        )
        self.exit(Status.USAGE, self.language.translate(sentence))

    def _check_value(self, action: argparse.Action, value: str) -> None:
        # argparse has no public hook for this message, and its own differs between versions.
        if action.choices is None or value in action.choices:
            return
        choices = [str(choice) for choice in action.choices]
        problem = say(
            "{value!r} is not one of: {choices}.", value=value, choices=", ".join(choices)
        )
        raise argparse.ArgumentError(action, problem + did_you_mean(value, choices))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return " Did you mean …?" with the nearest known word, or ""."""
    near = suggest(word, known)
    return say(" Did you mean {near}?", near=near) if near else ""


def whole_number(text: str) -> int:
    """Parse an integer; the spec checks its range."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            say("{text!r} is not a whole number.", text=text)
        ) from None


def number(text: str) -> float:
    """Parse a float."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(say("{text!r} is not a number.", text=text)) from None


def size(text: str) -> tuple[int, int]:
    """Parse "28" or "28x20" as (height, width) in pixels."""
    try:
        height, _, width = text.lower().replace("×", "x").partition("x")
        return int(height), int(width or height)
    except ValueError:
        raise argparse.ArgumentTypeError(
            say("{text!r} is not a size; write 28, or 28x20 for height x width.", text=text)
        ) from None


def names(text: str) -> tuple[str, ...]:
    """Parse "cat,dog" as class names in that order."""
    found = tuple(name.strip() for name in text.split(","))
    if not all(found):
        raise argparse.ArgumentTypeError(
            say("{text!r} has an empty name; write cat,dog,horse.", text=text)
        )
    return found
