"""Where words for people go: Rich in a terminal, plain lines in a pipe or a log."""

from typing import Any

from rich import console
from rich.console import RenderableType
from rich.text import Text

from clearcnn.cli.exit_codes import ReaderGoneError
from clearcnn.errors import ClearCNNError
from clearcnn.text import printable

PLAIN_COLUMNS = 1000


class Console(console.Console):
    """Rich's console, printing text as it is; outside a terminal, lines are never wrapped."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **options)
        if not self.is_terminal:
            self.width = PLAIN_COLUMNS

    def on_broken_pipe(self) -> None:
        """Let `main` end the program; Rich itself would exit in the middle of the work."""
        raise ReaderGoneError

    def show(self, view: RenderableType) -> None:
        """Print a table or the like; outside a terminal no line ends in spaces."""
        if self.is_terminal:
            self.print(view)
            return
        with self.capture() as capture:
            self.print(view)
        lines = (line.rstrip() for line in capture.get().splitlines())
        self.out("\n".join(lines), highlight=False)

    def warn(self, sentence: str) -> None:
        """Print a warning."""
        self.print(Text.assemble(("\nwarning: ", "yellow"), printable(sentence)))

    @property
    def is_live(self) -> bool:
        """Whether a line can be drawn anew."""
        return self.is_terminal and not self.is_dumb_terminal


def print_error(error: ClearCNNError) -> None:
    """Print the problem and the remedy on stderr, without a traceback."""
    stderr = Console(stderr=True)
    stderr.print(Text.assemble(("error: ", "bold red"), printable(error.problem)))
    stderr.print(Text(printable(error.remedy)))
