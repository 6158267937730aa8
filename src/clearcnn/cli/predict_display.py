"""What is seen while `predict` works: answers, bad files, how far it is, and what to know."""

import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from clearcnn.bundle import Confidence
from clearcnn.results.predict import Prediction
from clearcnn.text import printable

FEWEST_FOR_A_BAR = 100
FEWEST_FOR_LINES = 1_000
PLAIN_LINES = 10
MOST_SECONDS_SILENT = 30.0
MOST_KINDS_COUNTED = 1_000
MOST_WITH_PREPARATION = 10
"""Pictures of which each line says what was done; of more, it is counted at the end."""
KINDS_SHOWN = 5


class PredictDisplay:
    """Shows each answer as it comes, and counts.

    Args:
      total: pictures to answer for.
      write_line: makes the line of an answer; None shows none.

    Attributes:
      done: pictures so far; errors, unlike and abstained are among them.
      preparation: what was done to the pictures, by sentence; of very many, the first kinds.
    """

    def __init__(self, total: int, write_line: Callable[[Prediction], str] | None) -> None:
        self.total = total
        self.done = self.errors = self.unlike = self.abstained = 0
        self.preparation: Counter[str] = Counter()
        self._write_line = write_line
        self._said_at = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> Self:
        hides = self._write_line is not None and sys.stdout.isatty()
        if self.total >= FEWEST_FOR_A_BAR and sys.stderr.isatty() and not hides:
            self._bar = _start_bar(self.total)
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def hear(self, answer: Prediction) -> None:
        """Show an answer, and say at once if there is none."""
        self.done += 1
        self.errors += answer.error is not None
        self.unlike += answer.is_unlike
        self.abstained += answer.abstained
        for sentence in answer.preparation:
            if sentence in self.preparation or len(self.preparation) < MOST_KINDS_COUNTED:
                self.preparation[sentence] += 1
        if self._write_line is not None:
            sys.stdout.write(self._write_line(answer) + "\n")
        if answer.error is not None:
            self._say(f"error: {printable(answer.error)}")
        self._move_on()

    def _move_on(self) -> None:
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0])
        elif self.total >= FEWEST_FOR_LINES and self._is_time_for_a_line():
            self._said_at = time.monotonic()
            self._say(f"  {self.done:,} of {self.total:,} pictures")

    def _is_time_for_a_line(self) -> bool:
        return (
            self.done * PLAIN_LINES // self.total > (self.done - 1) * PLAIN_LINES // self.total
            or time.monotonic() - self._said_at > MOST_SECONDS_SILENT
        )

    def _say(self, line: str) -> None:
        if self._bar is not None:
            self._bar.console.print(line)
        else:
            say(line)

    def conclude(
        self, confidence: Confidence | None, *, csv: Path | None, earlier: tuple[int, int]
    ) -> None:
        """Say what to know of all answers together.

        Args:
          confidence: of the run.
          csv: where they are written; None if nowhere.
          earlier: answers and errors among them that `csv` had before.
        """
        if csv is not None:
            rest = f", {earlier[0]:,} of them from before" if earlier[0] else ""
            say(f"{self.done + earlier[0]:,} pictures in {csv}{rest}.")
        if self._write_line is None or self.total > MOST_WITH_PREPARATION:
            for sentence, number in self.preparation.most_common(KINDS_SHOWN):
                say(f"  {number:,} × {printable(sentence)}")
            if len(self.preparation) > KINDS_SHOWN:
                say("  … and more; --json and --csv say what was done to each picture.")
        if self.abstained:
            say(f"{self.abstained:,} of {self.done:,} not sure enough for an answer.")
        if self.unlike:
            say(f"{self.unlike:,} of {self.done:,} {describe_flag(confidence)}")
        errors = self.errors + earlier[1]
        if errors and self.done + earlier[0] > 1:
            say(f"error: {errors:,} of {self.done + earlier[0]:,} pictures could not be read.")
        if confidence is None:
            say(
                "warning: This run has no validation part: its probabilities are as the network "
                "gives them, and what looks like none of the classes is not told."
            )
        elif confidence.false_alarms is None:
            say(
                f"warning: {confidence.num_images:,} validation images are too few to tell what "
                "looks like none of the classes."
            )


def describe_flag(confidence: Confidence | None) -> str:
    """Say what it means to look like none of the classes, with its false alarms."""
    if confidence is None or confidence.false_alarms is None:
        return "look like none of the classes."
    alarms = f"{confidence.false_alarms:,} of {confidence.num_images:,} validation images"
    if confidence.distance_threshold is None:
        what = f"a confidence below {confidence.threshold:.2f}, which {alarms} have"
    else:
        what = (
            f"farther from every class than {confidence.distance_threshold:.1f} times their "
            f"confidence, which {alarms} are"
        )
    return f"look like none of the classes: {what}, too."


def say(line: str) -> None:
    """Write a line on stderr, after what stdout holds."""
    sys.stdout.flush()
    sys.stderr.write(line + "\n")


def _start_bar(total: int) -> Any:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from clearcnn.cli.console import Console

    bar = Progress(
        MofNCompleteColumn(), BarColumn(), TimeRemainingColumn(), console=Console(stderr=True)
    )
    bar.add_task("", total=total)
    bar.start()
    return bar
