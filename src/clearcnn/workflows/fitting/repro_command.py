"""What to type for the same result again."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clearcnn.data import LabelledImages
from clearcnn.specs import DataSpec, ModelSpec


def format_call(verb: str, source: Any, options: Mapping[str, Any]) -> str:
    """Write a call from Python.

    Args:
      verb: a function of clearcnn, such as "train".
      source: as the verb takes it; images that are already loaded are called `images`.
      options: keyword → value; those that are None are left out. A ModelSpec is named by the
        file that the run folder keeps it in.
    Returns:
      One line, such as "clearcnn.train('digits', recipe='default', seed=777)".
    """
    words = [f"{name}={_say(value)}" for name, value in options.items() if value is not None]
    return f"clearcnn.{verb}({', '.join([_say_source(source), *words])})"


def suggest_resume(folder: Path) -> str:
    """Say how to go on with an unfinished run.

    Args:
      folder: `NAME.unfinished`; where another run is called NAME, it is named in full.
    """
    here, place = Path.cwd(), folder.with_suffix("").absolute()
    if os.path.lexists(place):
        place = folder.absolute()
    shown = place.relative_to(here) if place.is_relative_to(here) else place
    return f"Go on with it: clearcnn train --resume {shlex.quote(str(shown))}"


def _say_source(source: Any) -> str:
    if isinstance(source, (str, Path)):
        return repr(str(source))
    return repr(source) if isinstance(source, DataSpec) else "images"


def _say(value: Any) -> str:
    if isinstance(value, ModelSpec):
        return "'model.toml'"
    if isinstance(value, LabelledImages):
        return "images"
    return repr(str(value)) if isinstance(value, Path) else repr(value)
