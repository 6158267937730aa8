"""What `predict` prints: a line per prediction, unreadable files, progress and a summary."""

import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Self

from rich.cells import cell_len, set_cell_size
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from clearcnn.bundle import Confidence
from clearcnn.cli.console import Console
from clearcnn.language import ENGLISH, Language, join, say, say_count
from clearcnn.results.predict import ClassProbability, Prediction
from clearcnn.text import printable

FEWEST_FOR_A_BAR = 100
FEWEST_FOR_LINES = 1_000
PLAIN_LINES = 10
MOST_SECONDS_SILENT = 30.0
MOST_KINDS_COUNTED = 1_000
MOST_WITH_PREPARATION = 1
"""Up to this number of images, each line lists its conversions; beyond, they are counted."""
KINDS_SHOWN = 5
CLASSES_COUNTED = 20
UNLIKE = say("looks like none of the classes")
_WIDEST_NAME = 40
_WIDEST_CLASS = 20
_CONFIDENCE_COLUMNS = 10


class PredictDisplay:
    """Shows each prediction as it comes, and counts.

    Args:
      total: number of images.
      write_line: formats a prediction as a line; None shows none.
      language: of what people read.

    Attributes:
      done: images so far, including errors, unlike and abstained.
      preparation: number of images by conversion, up to MOST_KINDS_COUNTED kinds.
      outcomes: number of images by predicted class, without those that have none.
    """

    def __init__(
        self, total: int, write_line: Callable[[Prediction], str] | None, language: Language
    ) -> None:
        self.total = total
        self._language = language
        self.done = self.errors = self.unlike = self.abstained = 0
        self.preparation: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self._remedies: set[str] = set()
        self._write_line = write_line
        self._said_at = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        hides = self._write_line is not None and sys.stdout.isatty()
        if self.total >= FEWEST_FOR_A_BAR and sys.stderr.isatty() and not hides:
            self._bar = _start_bar(self.total, self._language)
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, prediction: Prediction) -> None:
        """Show a prediction, or at once the error if there is none."""
        self.done += 1
        if prediction.prediction is not None:
            self.outcomes[prediction.prediction] += 1
        self.errors += prediction.error is not None
        self.unlike += prediction.is_unlike
        self.abstained += prediction.abstained
        for sentence in prediction.preparation:
            if sentence in self.preparation or len(self.preparation) < MOST_KINDS_COUNTED:
                self.preparation[sentence] += 1
        if self._write_line is not None:
            sys.stdout.write(self._language.translate(self._write_line(prediction)) + "\n")
        if prediction.error is not None:
            self._say(say("error: {error}", error=printable(prediction.error)))
            remedy = prediction.remedy
            if remedy and remedy not in self._remedies and len(self._remedies) < KINDS_SHOWN:
                self._remedies.add(remedy)
                self._say(printable(remedy))
        self._move_on()

    def _move_on(self) -> None:
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0])
        elif self.total >= FEWEST_FOR_LINES and self._is_time_for_a_line():
            self._said_at = time.monotonic()
            self._say(say("  {done:,} of {total:,} images", done=self.done, total=self.total))

    def _is_time_for_a_line(self) -> bool:
        return (
            self.done * PLAIN_LINES // self.total > (self.done - 1) * PLAIN_LINES // self.total
            or time.monotonic() - self._said_at > MOST_SECONDS_SILENT
        )

    def _say(self, line: str) -> None:
        if self._bar is not None:
            self._bar.console.print(line)
        else:
            print_line(line, self._language)

    def summarise(
        self, confidence: Confidence | None, *, csv: Path | None, earlier: tuple[int, int]
    ) -> None:
        """Print what holds for all predictions together.

        Args:
          confidence: of the run.
          csv: the file they were written to, if any.
          earlier: number of predictions, and of errors among them, that `csv` had before.
        """
        if csv is not None:
            rest = (
                say(", {earlier:,} of them from earlier", earlier=earlier[0]) if earlier[0] else ""
            )
            print_line(
                say(
                    "{done:,} images in {csv}{ending}.",
                    done=self.done + earlier[0],
                    csv=csv,
                    ending=rest,
                ),
                self._language,
            )
        if self.done > 1:
            print_line(say_counts(self.outcomes, self.abstained, self.errors), self._language)
        if self._write_line is None or self.total > MOST_WITH_PREPARATION:
            for sentence, number in self.preparation.most_common(KINDS_SHOWN):
                print_line(
                    say("  {number:,} × {sentence}", number=number, sentence=printable(sentence)),
                    self._language,
                )
            if len(self.preparation) > KINDS_SHOWN:
                print_line(
                    say("  … and more; --json and --csv list the conversions of each image."),
                    self._language,
                )
        if self.abstained:
            print_line(
                say(
                    "{abstained:,} of {done:,} without a prediction: confidence too low.",
                    abstained=self.abstained,
                    done=self.done,
                ),
                self._language,
            )
        if self.unlike:
            print_line(
                say_count(
                    "{number:,} of {done:,} looks like none of the classes{flag}.",
                    "{number:,} of {done:,} look like none of the classes{flag}.",
                    self.unlike,
                    done=self.done,
                    flag=describe_flag(confidence),
                ),
                self._language,
            )
        errors = self.errors + earlier[1]
        if errors and self.done + earlier[0] > 1:
            print_line(
                say(
                    "error: {errors:,} of {done:,} images could not be read.",
                    errors=errors,
                    done=self.done + earlier[0],
                ),
                self._language,
            )
        if confidence is None:
            print_line(
                say(
                    "warning: This run has no validation set: its probabilities are not "
                    "calibrated, and out-of-distribution images are not flagged."
                ),
                self._language,
            )
        elif confidence.false_alarms is None:
            print_line(
                say(
                    "warning: {num_images:,} validation images are too few to flag "
                    "out-of-distribution images.",
                    num_images=confidence.num_images,
                ),
                self._language,
            )


class PredictionLines:
    """The table of predictions; its widths are known before the first prediction.

    Args:
      names: of all images.
      class_names: of the model.
      language: of the headings and remarks.
    """

    def __init__(
        self, names: Sequence[str], class_names: Sequence[str], language: Language = ENGLISH
    ) -> None:
        self._language = language
        headings = (language.translate(each) for each in (say("prediction"), say("abstained")))
        self._name_columns = _widest((language.translate(say("image")), *names), _WIDEST_NAME)
        self._class_columns = _widest((*headings, *class_names), _WIDEST_CLASS)
        self._tells_preparation = len(names) <= MOST_WITH_PREPARATION

    def heading(self) -> str:
        """Return the names of the columns."""
        return self._join(say("image"), say("prediction"), say("confidence"), say("next"))

    def line(self, prediction: Prediction) -> str:
        """Return a prediction as a line; of few images, with lines for the conversions."""
        if prediction.error is not None:
            return self._join(prediction.name, "-", "-", say("cannot be read"))
        others = join(
            " · ",
            [
                say("{name} {share}", name=printable(each.name), share=_percent(each))
                for each in prediction.top[1:]
            ],
        )
        first = prediction.top[0]
        if prediction.abstained:
            others = join(" · ", filter(None, (f"{printable(first.name)}?", others)))
        remarks = [others, UNLIKE if prediction.is_unlike else ""]
        lines = [
            self._join(
                prediction.name,
                prediction.prediction or say("abstained"),
                _percent(first),
                join("   ", filter(None, remarks)),
            )
        ]
        if self._tells_preparation:
            lines += [
                "    " + self._language.translate(printable(sentence))
                for sentence in prediction.preparation
            ]
        return "\n".join(lines)

    def _join(self, name: str, prediction: str, confidence: str, rest: str) -> str:
        name, prediction, confidence, rest = (
            self._language.translate(each) for each in (name, prediction, confidence, rest)
        )
        shown = printable(name)
        if cell_len(shown) > self._name_columns:
            # The end of a path tells more than its beginning.
            shown = "…" + shown[-(self._name_columns - 1) :]
        cells = [
            set_cell_size(shown, self._name_columns),
            set_cell_size(printable(prediction), self._class_columns),
            confidence.rjust(_CONFIDENCE_COLUMNS),
            rest,
        ]
        return "  ".join(cells).rstrip()


def count_classes(predictions: Iterable[Prediction]) -> str:
    """Return how many predictions there are of each class: "cat: 12 · dog: 3 · abstained: 1"."""
    known = list(predictions)
    counts = Counter(each.prediction for each in known if each.prediction is not None)
    abstained = sum(each.abstained for each in known)
    return say_counts(counts, abstained, sum(each.error is not None for each in known))


def say_counts(counts: Counter[str], abstained: int, unreadable: int) -> str:
    """Return counts by class, the most frequent first, and then those of images without one.

    Args:
      counts: by class; many classes are summarised.
      abstained: images whose confidence was too low.
      unreadable: images that cannot be read.
    """
    ranked = counts.most_common()
    words = [
        say("{name}: {number:,}", name=printable(name), number=number)
        for name, number in ranked[:CLASSES_COUNTED]
    ]
    rest = sum(number for _, number in ranked[CLASSES_COUNTED:])
    if rest:
        words.append(
            say(
                "{number:,} other classes: {images:,}",
                number=len(ranked) - CLASSES_COUNTED,
                images=rest,
            )
        )
    for name, number in ((say("abstained"), abstained), (say("cannot be read"), unreadable)):
        if number:
            words.append(say("{name}: {number:,}", name=name, number=number))
    return join(" · ", words)


def describe_flag(confidence: Confidence | None) -> str:
    """Return what the flag means, with its rate of false alarms, after a colon; or ""."""
    if confidence is None or confidence.false_alarms is None:
        return ""
    alarms = say(
        "{false_alarms:,} of {num_images:,} validation images",
        false_alarms=confidence.false_alarms,
        num_images=confidence.num_images,
    )
    if confidence.distance_threshold is None:
        what = say(
            "a confidence below {threshold:.2f}, as {alarms} have",
            threshold=confidence.threshold,
            alarms=alarms,
        )
    else:
        what = say(
            "distance to every class above {distance_threshold:.1f} times the confidence, "
            "as for {alarms}",
            distance_threshold=confidence.distance_threshold,
            alarms=alarms,
        )
    return ": " + what


def print_line(line: str, language: Language) -> None:
    """Print a line on stderr, after flushing stdout; at a terminal, it breaks at words."""
    sys.stdout.flush()
    line = language.translate(line)
    if sys.stderr.isatty():
        line = _wrap(line, shutil.get_terminal_size().columns - 1)
    sys.stderr.write(line + "\n")


def _wrap(line: str, width: int) -> str:
    """Break a line at blanks; unlike `textwrap`, count the two columns of a letter of Korean."""
    indent = " " * (len(line) - len(line.lstrip()))
    rows = [indent]
    for word in line.split():
        blank = " " if rows[-1].strip() else ""
        if blank and cell_len(rows[-1]) + 1 + cell_len(word) > width:
            rows.append(indent + "  ")
            blank = ""
        rows[-1] += blank + word
    return "\n".join(rows)


def _start_bar(total: int, language: Language) -> Progress:
    console = Console(stderr=True, language=language)
    bar = Progress(MofNCompleteColumn(), BarColumn(), TimeRemainingColumn(), console=console)
    bar.add_task("", total=total)
    bar.start()
    return bar


def _widest(texts: Sequence[str], most: int) -> int:
    return min(most, max(cell_len(printable(text)) for text in texts))


def _percent(entry: ClassProbability) -> str:
    # Only an exact 1 is shown as 100 %.
    shown = 100 * entry.probability
    return say("{share:.1f} %", share=min(shown, 99.9) if entry.probability < 1 else shown)
