"""What `check` found in the data: frozen records, with the same fields as its JSON."""

from dataclasses import dataclass
from pathlib import Path

from clearcnn.results.record import Record, Shown


@dataclass(frozen=True, repr=False)
class Finding(Record):
    """A finding about the data, worth knowing before training.

    Attributes:
      kind: a short name, English in every language, such as "near duplicates".
      is_problem: whether it harms the training or its score; otherwise it is information.
      sentence: the finding, with counts.
      names: the first images concerned.
    """

    kind: str
    is_problem: bool
    sentence: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Suspect:
    """A label that is probably wrong by out-of-fold predictions; review it.

    Attributes:
      index: the image's row among all images of the source.
      name: its file name, or its row in words.
      label: the given label.
      suggestion: the most probable class.
      confidence: the probability of the given label, in [0, 1].
      suggested_confidence: the probability of the suggestion, in [0, 1].
    """

    index: int
    name: str
    label: str
    suggestion: str
    confidence: float
    suggested_confidence: float


@dataclass(frozen=True, repr=False)
class CheckResult(Shown):
    """Problems in the data that its pixels, labels and splits reveal.

    Attributes:
      source: what was read, in words.
      num_images: readable images.
      findings: problems first.
      preparation: how the images were converted on reading, such as resizing, one sentence each.
      suspects: labels to review, the most suspect first; empty if labels were not checked.
      num_left_out: images that the use list excludes.
      epochs: of the trainings that looked for label issues; None without any.
      interrupted: whether Ctrl-C ended it before the labels were checked.
      folder: where the use list and the image sheet were written; None if nothing was.
    """

    source: str
    num_images: int
    class_names: tuple[str, ...]
    findings: tuple[Finding, ...]
    preparation: tuple[str, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    num_left_out: int = 0
    epochs: int | None = None
    interrupted: bool = False
    folder: Path | None = None

    def __repr__(self) -> str:
        count = self.num_problems
        notices = len(self.findings) - count
        problems = "problem" if count == 1 else "problems"
        others = "notice" if notices == 1 else "notices"
        return (
            f"CheckResult({self.source!r}: {self.num_images:,} images of "
            f"{len(self.class_names):,} classes, {count} {problems}, {notices} {others})"
        )

    @property
    def num_problems(self) -> int:
        """Findings that harm a training or its score."""
        return sum(finding.is_problem for finding in self.findings)
