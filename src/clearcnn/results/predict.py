"""What a model answers for new pictures: frozen records like those of results.py."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ClassProbability:
    """A class, and how probable it is, in [0, 1]."""

    name: str
    probability: float


@dataclass(frozen=True)
class Prediction:
    """The answer for one picture, or why there is none.

    Attributes:
      name: of the picture: its path as it was given, or "-" for stdin.
      prediction: the most probable class; None if the model abstained, or on an error.
      confidence: the probability of the most probable class, in [0, 1]; None on an error.
      top: the most probable classes, the first one first.
      abstained: whether the confidence was below what was asked for.
      is_unlike: whether the picture looks like none of the classes: it is beyond the run's
        threshold. False where the run has none.
      preparation: what was done to the picture, one sentence each.
      error: why it could not be read, in a sentence; None if it could.
    """

    name: str
    prediction: str | None
    confidence: float | None
    top: tuple[ClassProbability, ...]
    abstained: bool
    is_unlike: bool
    preparation: tuple[str, ...]
    error: str | None
