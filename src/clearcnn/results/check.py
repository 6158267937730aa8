"""What `check` found in the data: frozen records, with the same fields as its JSON."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Finding:
    """Something about the data that people should know before they train.

    Attributes:
      kind: in a few words, the same whenever the same is found.
      is_problem: whether it spoils a training or its score; else it is worth a look.
      sentence: what was found, with counts.
      names: of the images concerned, the first ones.
    """

    kind: str
    is_problem: bool
    sentence: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Suspect:
    """A label that models, not trained on the image, do not believe; it may be right all the same.

    Attributes:
      index: the image's row among all images of the source.
      name: its file name, or its row in words.
      label: as given.
      suggestion: the class that the model finds likeliest.
      confidence: the probability it gives to the label, in [0, 1].
      suggested_confidence: the probability it gives to the suggestion.
    """

    index: int
    name: str
    label: str
    suggestion: str
    confidence: float
    suggested_confidence: float


@dataclass(frozen=True)
class CheckResult:
    """What is wrong with the data, as far as its pixels, labels and parts can tell.

    Attributes:
      source: what was read, in words.
      num_images: of those that could be read.
      findings: problems first.
      preparation: what had to be done to read them, such as resizing pictures of odd sizes, one
        sentence each.
      suspects: labels to look at, the most suspect first; none where they were not looked for.
      num_left_out: images that the cleaned list says not to use.
      folder: where the cleaned list and the picture sheet lie; None if none was written.
    """

    source: str
    num_images: int
    class_names: tuple[str, ...]
    findings: tuple[Finding, ...]
    preparation: tuple[str, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    num_left_out: int = 0
    folder: Path | None = None

    @property
    def num_problems(self) -> int:
        """Findings that spoil a training or its score."""
        return sum(finding.is_problem for finding in self.findings)
