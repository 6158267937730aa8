"""Text for people: Rich in a terminal, plain lines in a pipe or a log."""

from typing import IO, Any, Literal

from rich import console
from rich.console import ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.text import Text

from clearcnn.cli.exit_codes import ReaderGoneError
from clearcnn.errors import ClearCNNError
from clearcnn.language import ENGLISH, Language, say
from clearcnn.text import printable

PLAIN_COLUMNS = 1000


class Console(console.Console):
    """Rich's console without markup; outside a terminal, lines are never wrapped.

    Messages in whatever it prints are rendered in its language: texts, cells of tables, Lines.
    """

    def __init__(
        self,
        *,
        stderr: bool = False,
        file: IO[str] | None = None,
        width: int | None = None,
        force_terminal: bool | None = None,
        force_jupyter: bool | None = None,
        color_system: Literal["auto"] | None = "auto",
        language: Language = ENGLISH,
    ) -> None:
        self.language = language
        super().__init__(
            highlight=False,
            markup=False,
            emoji=False,
            stderr=stderr,
            file=file,
            width=width,
            force_terminal=force_terminal,
            force_jupyter=force_jupyter,
            color_system=color_system,
        )
        if not self.is_terminal:
            self.width = PLAIN_COLUMNS

    def render_str(self, text: str, **options: Any) -> Text:
        """Render a text of a renderable, in this console's language."""
        return super().render_str(self.language.translate(text), **options)

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
        self.print(Line((say("\nwarning: "), "yellow"), printable(sentence)))

    @property
    def is_live(self) -> bool:
        """Whether a line can be redrawn."""
        return self.is_terminal and not self.is_dumb_terminal


class Line:
    """Texts with styles, as for `Text.assemble`, of which Messages are translated when printed."""

    def __init__(self, *parts: "str | Text | Line | tuple[str, str]", style: str = "") -> None:
        self._parts = parts
        self._style = style

    def in_language(self, language: Language) -> Text:
        """Return the line in a language."""
        translated = (
            (language.translate(part[0]), part[1])
            if isinstance(part, tuple)
            else language.translate(part)
            if isinstance(part, str)
            else part.in_language(language)
            if isinstance(part, Line)
            else part
            for part in self._parts
        )
        return Text.assemble(*translated, style=self._style)

    def __rich_console__(self, console: console.Console, _: ConsoleOptions) -> RenderResult:
        yield self.in_language(_language_of(console))

    def __rich_measure__(self, console: console.Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self.in_language(_language_of(console)))


def _language_of(place: console.Console) -> Language:
    return place.language if isinstance(place, Console) else ENGLISH


def print_error(error: ClearCNNError, language: Language = ENGLISH) -> None:
    """Print the problem and the remedy on stderr, without a traceback."""
    stderr = Console(stderr=True, language=language)
    stderr.print(Line((say("error: "), "bold red"), printable(error.problem)))
    stderr.print(Line(printable(error.remedy)))
