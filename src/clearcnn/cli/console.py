"""Text for people: Rich in a terminal, plain lines in a pipe or a log."""

from typing import IO, Literal

from rich import console
from rich.console import RenderableType
from rich.text import Text

from clearcnn.cli.exit_codes import ReaderGoneError
from clearcnn.errors import ClearCNNError
from clearcnn.text import printable

PLAIN_COLUMNS = 1000


class Console(console.Console):
    """Rich's console without markup; outside a terminal, lines are never wrapped."""

    def __init__(
        self,
        *,
        stderr: bool = False,
        file: IO[str] | None = None,
        width: int | None = None,
        force_terminal: bool | None = None,
        color_system: Literal["auto"] | None = "auto",
    ) -> None:
        super().__init__(
            highlight=False,
            markup=False,
            emoji=False,
            stderr=stderr,
            file=file,
            width=width,
            force_terminal=force_terminal,
            color_system=color_system,
        )
        if not self.is_terminal:
            self.width = PLAIN_COLUMNS

    def on_broken_pipe(self) -> None:
        """Raise, so that `main` ends the program; Rich itself would exit at once."""
        raise ReaderGoneError

    def show(self, view: RenderableType) -> None:
        """Print a renderable; outside a terminal, without trailing spaces."""
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
        """Whether a line can be redrawn."""
        return self.is_terminal and not self.is_dumb_terminal


def print_error(error: ClearCNNError) -> None:
    """Print the problem and the remedy on stderr, without a traceback."""
    stderr = Console(stderr=True)
    stderr.print(Text.assemble(("error: ", "bold red"), printable(error.problem)))
    stderr.print(Text(printable(error.remedy)))
