"""Summaries and results as Rich renderables, readable without colour."""

from collections.abc import Iterable
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text

from clearcnn.cli.console import Line
from clearcnn.language import join, say, say_count
from clearcnn.report.number_format import percent, score_sentence, share
from clearcnn.report.terms import translate_term
from clearcnn.results.check import CheckResult
from clearcnn.results.explain import ExplainResult, SanityCheck
from clearcnn.results.scores import Evaluation, Interval
from clearcnn.results.train import (
    ClassCount,
    DataSummary,
    History,
    TrainResult,
    describe_skipped,
)
from clearcnn.text import printable

MOST_CLASSES_LISTED = 20
CLASSES_NAMED_AT_THE_ENDS = 3
NAMES_LISTED = 5
CLASSES_EXPLAINED = 3


def view_data(summary: DataSummary, sheet: Path) -> RenderableType:
    """Show what was read, how it is split, and how many images each class has.

    Args:
      summary: of the data.
      sheet: where the sheet of sample images will be.
    Returns:
      A renderable.
    """
    axes = (say("images"), say("height"), say("width"), say("channels"))[: len(summary.shape)]
    facts: list[tuple[str, RenderableType]] = [
        (say("shape"), say("{shape} · {axes}", shape=summary.shape, axes=join(", ", axes))),
        (
            say("values"),
            say(
                "{dtype}, {span}{seen}",
                dtype=summary.dtype,
                span=_span(summary.value_range),
                seen=_seen(summary),
            ),
        ),
        (
            say("split"),
            say(
                "{train:,} train · {validation:,} validation · {test:,} test",
                train=summary.train,
                validation=summary.validation,
                test=summary.test,
            ),
        ),
    ]
    if summary.num_groups is not None:
        facts.append((say("groups"), f"{summary.num_groups:,}"))
    facts += [(say("prepared"), printable(sentence)) for sentence in summary.preparation]
    if summary.skipped:
        facts.append((say("skipped"), _skipped(summary)))
    facts.append((say("sample images"), view_path(sheet)))
    return Group(
        view_heading(say("Data"), summary.source),
        view_facts(facts),
        Text(),
        _classes(summary.classes),
    )


def view_check(result: CheckResult) -> RenderableType:
    """Show each finding with the first affected images, and a verdict.

    Args:
      result: of the check.
    Returns:
      A renderable.
    """
    lines: list[RenderableType] = [
        Line(printable(sentence), style="dim") for sentence in result.preparation
    ]
    for finding in result.findings:
        sign = (say("problem"), "bold red") if finding.is_problem else (say("notice"), "yellow")
        lines.append(Line(sign, "  ", printable(finding.sentence)))
        shown = finding.names[:NAMES_LISTED]
        lines += [Line("    ", printable(name), style="dim") for name in shown]
        if len(finding.names) > len(shown):
            lines.append(Text("    …", style="dim"))
    counts = say(
        "{images} of {classes}",
        images=say_count("{number:,} image", "{number:,} images", result.num_images),
        classes=say_count("{number:,} class", "{number:,} classes", len(result.class_names)),
    )
    problems = result.num_problems
    verdict = (
        say_count("{number:,} problem found", "{number:,} problems found", problems)
        if problems
        else say("no problem found")
    )
    if result.folder is not None:
        left_out = (
            say("excludes {number:,}", number=result.num_left_out)
            if result.num_left_out
            else say("keeps all")
        )
        path = view_path(result.folder / "use.csv")
        lines.append(
            Line(
                say("cleaned list: "),
                path,
                say(" ({left_out}; for train --use)", left_out=left_out),
            )
        )
        if result.suspects:
            lines.append(Line(say("suspect images: "), view_path(result.folder / "suspects.png")))
    return Group(
        view_heading(
            say("Check"),
            say("{source} · {images_and_classes}", source=result.source, images_and_classes=counts),
        ),
        Padding(Group(*lines, Line(verdict)), (0, 2)),
    )


def view_result(result: TrainResult) -> RenderableType:
    """Show the score with its interval and counts, the time, and the path of the run.

    Args:
      result: of the training.
    Returns:
      A renderable.
    """
    score = result.test.score
    facts: list[tuple[str, RenderableType]] = [
        (
            say("test accuracy"),
            Line(
                (share(score.accuracy), "bold green"),
                say(
                    " · {correct:,} of {total:,} test images correct",
                    correct=score.correct,
                    total=score.total,
                ),
            ),
        ),
        ("", view_interval(score.interval)),
        *_balanced(result.test),
        (say("test loss"), f"{result.test.loss:.4f}"),
        (say("epochs"), view_epochs(result.history, result.train.epochs)),
        (say("seconds"), view_seconds(result.seconds)),
        (say("run folder"), view_path(result.run_folder)),
        (say("report"), view_path(result.run_folder / "report.html")),
    ]
    for position, sentence in enumerate(result.advice):
        facts.append(("" if position else say("what would help"), printable(sentence)))
    return Group(view_heading(say("Result")), view_facts(facts))


def _balanced(test: Evaluation) -> list[tuple[str, RenderableType]]:
    """The balanced accuracy, where the classes are so unequal that it is another figure."""
    if test.balanced is None or not test.is_unequal:
        return []
    return [
        (
            say("balanced"),
            say(
                "{accuracy} % · mean recall of {num_classes:,} classes",
                accuracy=percent(test.balanced.accuracy),
                num_classes=test.balanced.num_classes,
            ),
        ),
        ("", view_interval(test.balanced.interval)),
    ]


def view_explanation(result: ExplainResult) -> RenderableType:
    """Return the most probable classes, how the image was prepared, and the path of the page.

    Args:
      result: of the explanation.
    Returns:
      A renderable.
    """
    image = result.image
    others = join(
        " · ",
        (
            say("{name} {share}", name=printable(each.name), share=share(each.probability))
            for each in result.answers[1:CLASSES_EXPLAINED]
        ),
    )
    prediction = Line(
        (printable(result.prediction), "bold green"),
        " · ",
        share(result.answers[0].probability),
    )
    facts: list[tuple[str, RenderableType]] = [
        (say("prediction"), prediction),
        (say("next"), others),
    ]
    if image.label is not None:
        style = "yellow" if result.is_mistake else ""
        verdict = say("a mistake") if result.is_mistake else say("correct")
        label = say("{label}, {verdict}", label=printable(image.label), verdict=verdict)
        facts.append((say("label"), Line(label, style=style)))
        facts.append((say("split"), translate_term(image.part or "")))
    facts += [(say("prepared"), printable(sentence)) for sentence in image.preparation]
    facts += [
        (say("gradient map"), _say_check(result.gradient.sanity)),
        (say("occlusion map"), _say_check(result.occlusion.sanity)),
    ]
    if result.neighbours is not None and result.neighbours.train:
        labels = ", ".join(printable(each.label) for each in result.neighbours.train)
        facts.append((say("neighbours"), say("{labels} (nearest training images)", labels=labels)))
    facts.append((say("page"), view_path(result.folder / "explanation.html")))
    return Group(view_heading(say("Explanation"), image.name), view_facts(facts))


def view_score(result: TrainResult) -> Line:
    """Return the result in two lines, for `--quiet`."""
    return Line(score_sentence(result.test.score), "\n", view_path(result.run_folder))


def view_interruption(result: TrainResult) -> Line:
    """Return what was saved of a training that was stopped early."""
    return Line(
        say(
            "Stopped after epoch {num_epochs} of {epochs}. The model of that epoch is saved in ",
            num_epochs=result.history.num_epochs,
            epochs=result.train.epochs,
        ),
        view_path(result.run_folder),
    )


def view_divergence(result: TrainResult) -> Line:
    """Return why a training diverged, and what was saved of it."""
    assert result.divergence is not None
    return Line(
        (say("error: "), "bold red"),
        say("{sentence} Likely causes:", sentence=result.divergence.sentence),
        *("\n  " + cause for cause in result.divergence.causes),
        say(
            "\nThe model of epoch {best_epoch} is saved in ",
            best_epoch=result.history.best_epoch + 1,
        ),
        view_path(result.run_folder),
    )


def view_interval(interval: Interval) -> str:
    """Return "95 % interval 95.5–98.3 (Wilson)"."""
    return say(
        "{confidence:g} % interval {low}–{high} ({method})",
        confidence=100 * interval.confidence,
        low=percent(interval.low),
        high=percent(interval.high),
        method=translate_term(interval.method),
    )


def view_epochs(history: History, epochs: int) -> str:
    """Return "31 of 60, with the weights of epoch 23", counting from 1."""
    last = history.num_epochs
    best = history.best_epoch + 1
    kept = "" if best == last else say(", with the weights of epoch {best}", best=best)
    return say("{last} of {epochs}{kept}", last=last, epochs=epochs, kept=kept)


def view_seconds(seconds: dict[str, float]) -> str:
    """Return the total and the phases, in seconds."""
    phases = join(
        " · ", (translate_term(phase) + f" {spent:.2f}" for phase, spent in seconds.items())
    )
    return say("{values:.2f} in total · {phases}", values=sum(seconds.values()), phases=phases)


def view_shape(shape: tuple[int, ...]) -> str:
    """Return (8, 8, 1) as "8×8×1"."""
    return "×".join(f"{side:,}" for side in shape)


def view_path(path: Path) -> Text:
    """Return a path as a link, relative if it is below the working folder."""
    here = Path.cwd()
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    link = Style(link=path.absolute().as_uri())
    return Text(printable(str(shown)), style=link, overflow="fold")


def _classes(classes: tuple[ClassCount, ...]) -> RenderableType:
    if len(classes) > MOST_CLASSES_LISTED:
        return _many_classes(classes)
    table = view_table()
    table.add_column(say("class"), overflow="fold")
    for header in (say("images"), say("train"), say("validation"), say("test")):
        table.add_column(header, justify="right", no_wrap=True)
    for c in classes:
        counts = (c.total, c.train, c.validation, c.test)
        table.add_row(printable(c.name), *(f"{count:,}" for count in counts))
    return Padding(table, (0, 0, 0, 1))


def _many_classes(classes: tuple[ClassCount, ...]) -> RenderableType:
    ordered = sorted(classes, key=lambda c: c.total)
    ends = CLASSES_NAMED_AT_THE_ENDS
    low, high = ordered[0].total, ordered[-1].total
    each = (
        say("{low:,} images each", low=low)
        if low == high
        else say("{low:,} to {high:,} images each", low=low, high=high)
    )
    facts: list[tuple[str, RenderableType]] = [
        (say("classes"), say("{number:,}, {images_each}", number=len(classes), images_each=each))
    ]
    if low != high:
        facts.append((say("fewest"), _counted(ordered[:ends])))
        facts.append((say("most"), _counted(reversed(ordered[-ends:]))))
    return view_facts(facts)


def _counted(classes: Iterable[ClassCount]) -> str:
    return ", ".join(f"{printable(c.name)} ({c.total:,})" for c in classes)


def _skipped(summary: DataSummary) -> RenderableType:
    files = [Line(printable(each)) for each in describe_skipped(summary.skipped)]
    return Group(
        Line(
            say_count(
                "{number:,} file that cannot be read",
                "{number:,} files that cannot be read",
                len(files),
            ),
            style="yellow",
        ),
        *files,
    )


def _span(values: tuple[float, float]) -> str:
    return say("{low:g} to {high:g}", low=values[0], high=values[1])


def _seen(summary: DataSummary) -> str:
    if summary.observed_range == summary.value_range:
        return ""
    return say(" (seen: {observed_range})", observed_range=_span(summary.observed_range))


def view_heading(title: str, detail: str = "") -> Line:
    """Return the title of a section, and a detail behind it."""
    return Line("\n", (title, "bold cyan"), *(("  ", printable(detail)) if detail else ()))


def view_facts(facts: Iterable[tuple[str, RenderableType]]) -> RenderableType:
    """Return names and facts in two columns."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, fact in facts:
        grid.add_row(name, fact)
    return Padding(grid, (0, 2))


def _say_check(check: SanityCheck) -> str:
    if check.verdict == "undefined":
        return say("constant")
    return say(
        "sanity check {verdict}: |ρ| {magnitude:.2f} with random weights, {num_seeds} models",
        verdict=translate_term(check.verdict),
        magnitude=check.magnitude,
        num_seeds=len(check.seeds),
    )


def view_table() -> Table:
    """Return an empty table without lines."""
    return Table(box=None, padding=(0, 1), header_style="dim", pad_edge=True)
