"""What `evaluate` prints: its phases while it works, and its figures at the end."""

from collections.abc import Iterator, Sequence

from rich.console import Console as RichConsole
from rich.console import ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from clearcnn.cli.console import Console, Line
from clearcnn.cli.reading_view import ReadingView
from clearcnn.cli.result_tables import view_heading, view_path, view_seconds
from clearcnn.language import say
from clearcnn.report.evaluation_charts import say_accuracy, say_difference, say_headline, say_spread
from clearcnn.report.number_format import percent, share
from clearcnn.report.terms import translate_distortion, translate_term
from clearcnn.results.evaluate import Assessment, ModelScore, Protocol
from clearcnn.text import printable
from clearcnn.workflows.evaluate.evaluate import EvaluateListener

_COVERAGES = (0.95, 0.9)


class EvaluateDisplay(EvaluateListener):
    """Shows a bar for each phase in a terminal, and a line for each elsewhere."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.progress: Progress | None = None
        self.task = TaskID(0)
        self.reading = ReadingView(console)

    def on_reading(self, read: int, total: int) -> None:
        """Show how many images have been read."""
        self.reading.show(read, total)

    def on_finding(self, sentence: str) -> None:
        """Print what is known already, above the bars."""
        self.console.print(Line("  ", printable(sentence)))

    def on_work(self, sentence: str) -> None:
        """Print how much is to do."""
        self.console.print(Line("  ", printable(sentence)))

    def on_phase(self, name: str, steps: int) -> None:
        """Start a bar, or print the phase as a line."""
        if not self.console.is_live:
            self.console.print(say("  {name}, {steps} times …", name=name, steps=steps))
            return
        if self.progress is None:
            self.progress = Progress(
                TextColumn("  {task.description}"),
                BarColumn(30, complete_style="cyan", finished_style="cyan"),
                MofNCompleteColumn(),
                TimeRemainingColumn(compact=True),
                console=self.console,
            )
            self.progress.start()
        self.task = self.progress.add_task(self.console.language.translate(name), total=steps)

    def on_step(self) -> None:
        """Advance the bar."""
        if self.progress is not None:
            self.progress.advance(self.task)

    def close(self) -> None:
        """Stop updating the bars."""
        self.reading.close()
        if self.progress is not None:
            self.progress.stop()


def view_verdict(result: Assessment) -> Line:
    """Return the headline and the path of the report."""
    folder = [] if result.folder is None else [view_path(result.folder)]
    return Line(say_headline(result.headline), "\n", *folder)


def view_assessment(result: Assessment) -> RenderableType:
    """Return the figures for the terminal: models, confidence, robustness, learning curve."""
    blocks: list[RenderableType] = []
    for protocol in result.protocols:
        blocks += [_title(protocol), view_models(protocol)]
    confidence = Group(*map(Line, _say_confidence(result)))
    blocks += [view_heading(say("Confidence")), Padding(confidence, (0, 2))]
    blocks += [view_heading(say("Robustness")), _robustness(result)]
    curve = result.learning_curve
    if curve is not None:
        points = [
            say(
                "{num_train:,} images: {accuracy} % ({low}–{high})",
                num_train=point.num_train,
                accuracy=percent(point.score.accuracy),
                low=percent(point.score.interval.low),
                high=percent(point.score.interval.high),
            )
            for point in curve.points
        ]
        lines = Group(*map(Line, (*points, curve.sentence)))
        blocks += [view_heading(say("Learning curve")), Padding(lines, (0, 2))]
    blocks.append(view_heading(say("Result")))
    facts: list[RenderableType] = [
        Line(
            say(
                "{name}: {headline}",
                name=printable(result.headline.name),
                headline=say_headline(result.headline),
            )
        )
    ]
    facts += [Line(printable(note), style="dim") for note in result.notes]
    facts.append(Line(say("seconds: {seconds}", seconds=view_seconds(result.seconds)), style="dim"))
    if result.folder is not None:
        facts.append(Line(say("report: "), view_path(result.folder / "report.html")))
    blocks.append(Padding(Group(*facts), (0, 2)))
    return Group(*blocks)


def _title(protocol: Protocol) -> Line:
    title = {
        "groups": say("Groups left out"),
        "random": say("Random folds"),
        "test": say("Test images"),
    }
    return view_heading(title[protocol.kind], protocol.sentence)


def view_models(protocol: Protocol) -> RenderableType:
    """Return the models of a protocol: a table, or in a narrow terminal a list."""
    return _Models(protocol)


class _Models:
    """The models as a table; where it does not fit, each model with lines below its name."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol

    def __rich_console__(self, console: RichConsole, options: ConsoleOptions) -> RenderResult:
        table = _tabulate(self._protocol)
        fits = console.measure(table, options=options.update(max_width=1000)).maximum
        yield table if fits <= options.max_width else _list_models(self._protocol)


def _list_models(protocol: Protocol) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True)
    ours, *others = protocol.models
    is_compared = bool(others)
    for position, model in enumerate(protocol.models):
        style = "bold" if position == 0 else ""
        name, accuracy, *more = _cells(model, is_compared)
        table.add_row(Line(name, style=style), Line(accuracy, style=style))
        if len(model.folds) > 1:
            table.add_row("", Line(more.pop(0), style="dim"))
        if more and more[0]:
            compared = say("{name} is {more}", name=printable(ours.name), more=more[0])
            table.add_row("", Line(compared, style="dim"))
    return Padding(table, (0, 0, 0, 2))


def _tabulate(protocol: Protocol) -> RenderableType:
    table = Table(box=None, padding=(0, 1), header_style="dim", pad_edge=True)
    table.add_column(say("model"), no_wrap=True)
    table.add_column(say("accuracy (95 % interval)"), no_wrap=True)
    is_compared = len(protocol.models) > 1
    if len(protocol.models[0].folds) > 1:
        table.add_column(say("over folds"))
    if is_compared:
        table.add_column(say("{name} is", name=protocol.models[0].name))
    for position, model in enumerate(protocol.models):
        style = "bold" if position == 0 else ""
        table.add_row(*_cells(model, is_compared), style=style)
    return Padding(table, (0, 0, 0, 1))


def _cells(model: ModelScore, is_compared: bool) -> Iterator[str]:
    yield printable(model.name)
    yield say_accuracy(model)
    if len(model.folds) > 1:
        yield printable(say_spread(model))
    if is_compared:
        difference = model.difference
        if difference is None:
            yield ""
            return
        yield say(
            "{verdict}, {difference}",
            verdict=translate_term(difference.verdict),
            difference=say_difference(difference),
        )


def _say_confidence(result: Assessment) -> Sequence[str]:
    calibration = result.reliability
    shown = calibration.scaled or calibration.plain
    error = say("calibration error {error:.3f}", error=calibration.plain.error)
    if calibration.scaled is not None:
        error += say(
            ", {error:.3f} with temperature {temperature:.2f}",
            error=calibration.scaled.error,
            temperature=calibration.temperature,
        )
    lines = [
        say(
            "{error} (by chance alone: {floor:.3f}, rarely above {rare_floor:.3f})",
            error=error,
            floor=shown.floor,
            rare_floor=shown.floor_95,
        )
    ]
    lines += [
        say(
            "on the most confident {coverage:.0f} %: {percent} % of {answered:,} correct",
            coverage=100 * point.coverage,
            percent=percent(point.correct / point.answered),
            answered=point.answered,
        )
        for point in calibration.coverage
        if point.coverage in _COVERAGES
    ]
    return lines


def _robustness(result: Assessment) -> RenderableType:
    table = Table(box=None, padding=(0, 1), header_style="dim", pad_edge=True)
    table.add_column(say("images"), no_wrap=True)
    table.add_column(result.headline.name, justify="right", no_wrap=True)
    if result.baseline is not None:
        table.add_column(result.baseline, justify="right", no_wrap=True)
    for each in result.robustness:
        name = translate_distortion(each.distortion)
        cells = [share(each.ours)]
        if each.baseline is not None:
            cells.append(share(each.baseline))
        table.add_row(name, *cells)
    return Padding(table, (0, 0, 0, 1))
