"""Predictions for new images: frozen records."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ClassProbability:
    """A class and its probability in [0, 1]."""

    name: str
    probability: float


@dataclass(frozen=True)
class Prediction:
    """The prediction for one image, or why there is none.

    Attributes:
      name: the path as it was given, or "-" for stdin.
      prediction: the most probable class; None if the model abstained, or on an error.
      confidence: the probability of the most probable class, in [0, 1]; None on an error.
      top: the most probable classes, in descending order.
      abstained: whether the confidence was below the requested threshold.
      is_unlike: whether the image is out of distribution by the run's threshold. False if the
        run has none.
      preparation: how the image was converted, one sentence each.
      error: why it could not be read, in one sentence; None if it could.
    """

    name: str
    prediction: str | None
    confidence: float | None
    top: tuple[ClassProbability, ...]
    abstained: bool
    is_unlike: bool
    preparation: tuple[str, ...]
    error: str | None
