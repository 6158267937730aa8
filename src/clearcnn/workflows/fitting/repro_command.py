"""The command or call that reproduces a result."""

import ast
import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from clearcnn.data import LabelledImages
from clearcnn.language import say
from clearcnn.specs import DataSpec, ModelSpec


def format_call(verb: str, source: object, options: Mapping[str, object]) -> str:
    """Format a call from Python.

    Args:
      verb: a function of clearcnn, such as "train".
      source: the verb's first argument; images that are already loaded are called `images`.
      options: keyword → value; None is left out. A ModelSpec is named by its file in the run
        folder.
    Returns:
      One line, such as "clearcnn.train('digits', recipe='default', seed=777)".
    """
    words = [f"{name}={_format(value)}" for name, value in options.items() if value is not None]
    return f"clearcnn.{verb}({', '.join([_format_source(source), *words])})"


def replace_budget(command: str, chosen: Mapping[str, object]) -> str:
    """Return a command with what a budget chose in place of the budget.

    Args:
      command: `clearcnn VERB … --budget TIME`, or a call as from `format_call`.
      chosen: keyword → value, in place of one that the command has; None keeps the command's. On
        the command line, False is `--no-name`, and True is the default.
    """
    chosen = {name: value for name, value in chosen.items() if value is not None}
    if (call := _parse_call(command)) is not None:
        replaced = {"budget", *chosen}
        kept = [keyword for keyword in call.keywords if keyword.arg not in replaced]
        values = {name: ast.parse(repr(value), mode="eval").body for name, value in chosen.items()}
        call.keywords = kept + [ast.keyword(name, value) for name, value in values.items()]
        return ast.unparse(call)
    words = shlex.split(command)
    end = words.index("--") if "--" in words else len(words)
    words, positional = words[:end], words[end:]
    words = _drop_option(words, "--budget", has_value=True)
    for name, value in chosen.items():
        option, negation = f"--{name.replace('_', '-')}", f"--no-{name.replace('_', '-')}"
        if isinstance(value, bool):
            words = _drop_option(_drop_option(words, option), negation)
            words += [] if value else [negation]
        else:
            words = [*_drop_option(words, option, has_value=True), option, str(value)]
    return shlex.join([*words, *positional])


def _parse_call(command: str) -> ast.Call | None:
    """Parse a call from Python; None for a command line."""
    try:
        parsed = ast.parse(command, mode="eval").body
    except SyntaxError:
        return None
    return parsed if isinstance(parsed, ast.Call) else None


def _drop_option(words: list[str], option: str, *, has_value: bool = False) -> list[str]:
    """Leave out every occurrence of an option, with its value."""
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == option:
            if has_value:
                next(rest, None)
        elif not word.startswith(f"{option}="):
            kept.append(word)
    return kept


def suggest_resume(folder: Path) -> str:
    """Return a sentence with the command that resumes an unfinished run.

    Args:
      folder: `NAME.unfinished`; the command has its full name if there is another run NAME.
    """
    here, place = Path.cwd(), folder.with_suffix("").absolute()
    if os.path.lexists(place):
        place = folder.absolute()
    shown = place.relative_to(here) if place.is_relative_to(here) else place
    return say("Resume with: clearcnn train --resume {folder}", folder=shlex.quote(str(shown)))


def _format_source(source: object) -> str:
    if isinstance(source, (str, Path)):
        return repr(str(source))
    return repr(source) if isinstance(source, DataSpec) else "images"


def _format(value: object) -> str:
    if isinstance(value, ModelSpec):
        return "'model.toml'"
    if isinstance(value, LabelledImages):
        return "images"
    return repr(str(value)) if isinstance(value, Path) else repr(value)
