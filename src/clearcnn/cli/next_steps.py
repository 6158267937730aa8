"""What to do after a training, as commands to copy."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding

from clearcnn.cli.console import Line
from clearcnn.language import say
from clearcnn.results.train import TrainResult
from clearcnn.text import printable

_OPENERS = {"darwin": "open", "win32": "start"}


def list_next_steps(result: TrainResult, platform: str = sys.platform) -> Iterator[tuple[str, str]]:
    """List what to do next.

    Args:
      result: of the training.
      platform: as `sys.platform`; each has another command to open a file.
    Yields:
      (what it is for, the command).
    """
    run = quote(shorten_path(result.run_folder), platform)
    report = quote(shorten_path(result.run_folder / "report.html"), platform)
    opener = _OPENERS.get(platform, "xdg-open")
    # The first quoted argument of Windows' start is the title of a window.
    title = '"" ' if platform == "win32" and report.startswith('"') else ""
    yield say("open the report"), f"{opener} {title}{report}"
    if result.test.mistakes:
        worst = result.test.mistakes[0]
        yield (
            say(
                "why {label} was predicted as {prediction}, the most confident mistake",
                label=worst.label,
                prediction=worst.prediction,
            ),
            f"clearcnn explain {run} {worst.index}",
        )
    yield say("predict new images"), f"clearcnn predict {run} FOLDER"
    yield say("draw, look inside, retrain"), f"clearcnn serve {run}"


def view_next_steps(result: TrainResult) -> RenderableType:
    """Return the next steps for the terminal: each command on a line of its own."""
    steps = [
        line
        for what, command in list_next_steps(result)
        for line in (
            Line(printable(command), style="bold"),
            Line("    ", printable(what), style="dim"),
        )
    ]
    return Group(Line("\n", (say("Next"), "bold cyan")), Padding(Group(*steps), (0, 2)))


def quote(path: Path, platform: str = sys.platform) -> str:
    """Quote a path for a shell of this platform."""
    if platform == "win32":
        return subprocess.list2cmdline([str(path)])
    return shlex.quote(str(path))


def shorten_path(path: Path) -> Path:
    """Return a path relative to the working folder if it is below it."""
    here = Path.cwd()
    return Path(os.path.relpath(path, here)) if path.is_relative_to(here) else path
