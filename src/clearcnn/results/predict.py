"""Predictions for new images: frozen records."""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, overload

from clearcnn.language import say
from clearcnn.results.percent import percent
from clearcnn.results.pictures import Pictures
from clearcnn.results.record import Shown


@dataclass(frozen=True)
class ClassProbability:
    """A class and its probability in [0, 1]."""

    name: str
    probability: float


@dataclass(frozen=True, repr=False)
class Prediction(Shown):
    """The prediction for one image, or why there is none.

    Attributes:
      name: the path as it was given, "-" for stdin, or "image 3" for the third image given as an
        array or as a Pillow image.
      prediction: the most probable class; None if the model abstained, or on an error.
      confidence: the probability of the most probable class, in [0, 1]; None on an error.
      top: the most probable classes, in descending order.
      abstained: whether the confidence was below the requested threshold.
      is_unlike: whether the image is out of distribution by the run's threshold. False if the
        run has none.
      preparation: how the image was converted, one sentence each.
      error: why it could not be read, in one sentence; None if it could.
      pictures: the image as the model received it; None beyond the first images of a call.
      remedy: what to do about the error, in sentences; "" without one.
    """

    name: str
    prediction: str | None
    confidence: float | None
    top: tuple[ClassProbability, ...]
    abstained: bool
    is_unlike: bool
    preparation: tuple[str, ...]
    error: str | None

    # Not fields: they are neither compared nor part of the JSON or of the server's schema.
    pictures: ClassVar[Pictures | None] = None
    remedy: ClassVar[str] = ""

    def with_remedy(self, remedy: str) -> "Prediction":
        """Return this error with what to do about it, in sentences."""
        copied = copy.copy(self)
        object.__setattr__(copied, "remedy", remedy)
        return copied

    def with_pictures(self, pictures: Pictures) -> "Prediction":
        """Return this prediction with its image, to be shown in a notebook."""
        copied = copy.copy(self)
        object.__setattr__(copied, "pictures", pictures)
        return copied

    def __repr__(self) -> str:
        if self.error is not None or self.confidence is None:
            return say("Prediction({name!r}: error {error!r})", name=self.name, error=self.error)
        flag = say(", looks like none of the classes") if self.is_unlike else ""
        shown = "abstained" if self.prediction is None else repr(self.prediction)
        return say(
            "Prediction({name!r}: {class_name}, {confidence} %{flag})",
            name=self.name,
            class_name=shown,
            confidence=percent(self.confidence),
            flag=flag,
        )


class Predictions(Shown, Sequence[Prediction]):
    """Predictions in the order of the images, like a list.

    `pandas.DataFrame(predictions.rows())` is a table of them.

    Args:
      predictions: one for each image.
    """

    def __init__(self, predictions: Iterable[Prediction]) -> None:
        self._predictions = tuple(predictions)

    def __len__(self) -> int:
        return len(self._predictions)

    @overload
    def __getitem__(self, position: int) -> Prediction: ...

    @overload
    def __getitem__(self, position: slice) -> "Predictions": ...

    def __getitem__(self, position: int | slice) -> "Prediction | Predictions":
        if isinstance(position, slice):
            return Predictions(self._predictions[position])
        return self._predictions[position]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Predictions) and self._predictions == other._predictions

    def __hash__(self) -> int:
        return hash(self._predictions)

    def __repr__(self) -> str:
        first = ", ".join(repr(each.prediction) for each in self._predictions[:5])
        return say(
            "Predictions({number:,}: {first}{more})",
            number=len(self),
            first=first,
            more=", …" if len(self) > 5 else "",
        )

    def rows(self) -> list[dict[str, str | float | bool | None]]:
        """Return a dict for each image, with the same keys, for `pandas.DataFrame`.

        Returns:
          Dicts of `name`, `prediction`, `confidence`, `abstained`, `is_unlike` and `error`, as in
          Prediction.
        """
        return [
            {
                "name": each.name,
                "prediction": each.prediction,
                "confidence": each.confidence,
                "abstained": each.abstained,
                "is_unlike": each.is_unlike,
                "error": each.error,
            }
            for each in self
        ]
