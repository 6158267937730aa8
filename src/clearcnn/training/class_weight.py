"""`class_weight`: the weight of each class in the loss."""

import numbers
from collections.abc import Mapping
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from clearcnn.errors import TrainingError
from clearcnn.language import say, say_count
from clearcnn.training.streamed_array import StoredArray
from clearcnn.types import NumPyArray

_SUM_TOLERANCE = 1e-3
_FORMS = say(
    'a dict from class number to weight, a list with one weight per class, "balanced", or None'
)


@dataclass(frozen=True)
class ClassWeight:
    """A checked `class_weight`.

    Attributes:
      weights: class number → weight, finite and >= 0; None for "balanced". A class without an
        entry has weight 1.
      is_list: whether the weights were a list, in which every class needs one.
    """

    weights: Mapping[int, float] | None
    is_list: bool = False

    @classmethod
    def parse(cls, value: object) -> "ClassWeight":
        """Check the argument of `fit`.

        Args:
          value: a dict, a list, tuple or array of shape (classes,), or "balanced".
        Raises:
          TrainingError: something else, or an invalid class or weight.
        """
        if isinstance(value, str) and value == "balanced":
            return cls(None)
        if isinstance(value, Mapping):
            return cls({_to_class(name): _to_weight(name, w) for name, w in value.items()})
        if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim == 1):
            return cls({i: _to_weight(i, w) for i, w in enumerate(value)}, is_list=True)
        shown = (
            repr(value) if isinstance(value, str) else say("a {kind}", kind=type(value).__name__)
        )
        raise TrainingError(
            say("class_weight is {found}; {forms} was expected.", found=shown, forms=_FORMS),
            remedy=say('Pass class_weight={{0: 1.0, 1: 5.0}}, or class_weight="balanced".'),
        )

    def weigh(self, y: NumPyArray | StoredArray, rows: NDArray[np.int32]) -> NumPyArray:
        """Return the weight of each sample: that of its class.

        Args:
          y: class numbers (n,) or (n, 1), or one-hot rows (n, classes).
          rows: int32, the training samples, which "balanced" counts.
        Returns:
          Keras's floatx (n,).
        Raises:
          TrainingError: y is not one class per sample.
        """
        classes = find_classes(y)
        weights = self.weights
        if weights is None:
            # As scikit-learn's compute_class_weight: n / (classes present * samples of the class).
            present, counts = np.unique(classes[rows], return_counts=True)
            balanced = len(rows) / (len(present) * counts)
            weights = dict(zip(present.tolist(), balanced.tolist(), strict=True))
        result = np.ones(classes.shape, keras.config.floatx())
        for number, weight in weights.items():
            result[classes == number] = weight
        return result

    def check_outputs(self, num_classes: int | None, present: NDArray[np.int64]) -> list[str]:
        """Compare the classes that have weights with those of the model.

        Args:
          num_classes: of the model; None if unknown.
          present: the class numbers of the training samples.
        Returns:
          Warnings: a class has a weight but no sample.
        Raises:
          TrainingError: a class has a weight that the model does not have, or a list lacks one.
        """
        if self.weights is None:
            return []
        if self.is_list:
            needed = int(present.max()) + 1 if num_classes is None else num_classes
            if len(self.weights) < needed or (num_classes or len(self.weights)) < len(self.weights):
                raise TrainingError(
                    say(
                        "class_weight is a list of {num_weights} weights, and there are "
                        "{num_classes} classes, 0 to {last}.",
                        num_weights=len(self.weights),
                        num_classes=needed,
                        last=needed - 1,
                    ),
                    remedy=say("Give one weight per class, or a dict from class number to weight."),
                )
            return []
        known = range(num_classes) if num_classes is not None else None
        unknown = [n for n in self.weights if n < 0 or (known is not None and n not in known)]
        if unknown:
            has = (
                say("numbered from 0") if known is None else say("0 to {last}", last=len(known) - 1)
            )
            raise TrainingError(
                say(
                    "class_weight names {unknown}; the classes of the model are {classes}.",
                    unknown=_list(unknown),
                    classes=has,
                ),
                remedy=say("Name classes by the numbers that y has."),
            )
        absent = sorted(set(self.weights) - set(present.tolist()))
        absent = [number for number in absent if self.weights[number] != 1]
        if not absent:
            return []
        return [
            say(
                "class_weight names {absent}, which no training sample has; the training "
                "samples are of {present}.",
                absent=_list(absent),
                present=_list(present.tolist()),
            )
        ]


def find_classes(y: NumPyArray | StoredArray) -> NDArray[np.int64]:
    """Return the class of each sample, (n,), as Keras does for class_weight.

    Args:
      y: class numbers (n,) or (n, 1), or one-hot rows (n, classes).
    Raises:
      TrainingError: y is something else, such as several labels per sample.
    """
    labels = y.read(np.arange(y.shape[0], dtype=np.int32)) if isinstance(y, StoredArray) else y
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 1:
        if labels.dtype.kind != "f":
            return np.asarray(labels, np.int64)
        # A binary label may be smoothed: 0.9 stands for the class 1.
        nearest = np.round(labels)
        if ((labels == nearest) | (labels >= 0) & (labels <= 1)).all():
            return np.asarray(nearest, np.int64)
        what = say("fractions or NaN")
    elif labels.ndim == 2:
        # One row may be smoothed or mixed; the largest share is its class.
        if (labels >= 0).all() and np.allclose(labels.sum(axis=1), 1, atol=_SUM_TOLERANCE):
            return np.asarray(labels.argmax(axis=1), np.int64)
        what = say("rows of {shape} values that are not one-hot", shape=labels.shape[1])
    else:
        what = say("the shape {shape}", shape=labels.shape)
    raise TrainingError(
        say("class_weight needs one class per sample, and y has {what}.", what=what),
        remedy=say("Pass sample_weight, which says how much each sample or each label counts."),
    )


def _to_class(name: object) -> int:
    if isinstance(name, (numbers.Real, np.bool_)) and float(name).is_integer():
        return int(float(name))
    raise TrainingError(
        say(
            "class_weight names the class {name!r}; the classes of y are whole numbers from 0.",
            name=name,
        ),
        remedy=say("Name each class by its number: class_weight={{0: 1.0, 1: 5.0}}."),
    )


def _to_weight(name: object, weight: object) -> float:
    if isinstance(weight, (numbers.Real, np.number)) and not isinstance(weight, complex):
        number = float(weight)
        if np.isfinite(number) and number >= 0:
            return number
    raise TrainingError(
        say(
            "class_weight gives the class {name!r} the weight {weight!r}; a finite number of "
            "0 or more was expected.",
            name=name,
            weight=weight,
        ),
        remedy=say("Use weights of 0 or more."),
    )


def _list(classes: list[int]) -> str:
    shown = ", ".join(map(str, classes[:10]))
    more = say(" and {number} more", number=len(classes) - 10) if len(classes) > 10 else ""
    return say_count(
        "class {names}{more}", "the classes {names}{more}", len(classes), names=shown, more=more
    )
