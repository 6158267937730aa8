"""Combine scikit-learn's class_weight and sample_weight into one weight per image."""

import math
import numbers
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_class_weight

from clearcnn.errors import SpecError
from clearcnn.language import say

Weights = NDArray[np.float64]

ClassWeight: TypeAlias = Mapping[Any, float] | str | None
"""Label → weight, "balanced", or None; a Mapping's keys are invariant, hence Any."""


def weigh_images(
    codes: NDArray[np.intp],
    classes: NDArray[np.generic],
    class_weight: ClassWeight,
    sample_weight: Weights | None,
) -> NDArray[np.float32] | None:
    """Compute the weight of each image, scaled to a mean of 1.

    Args:
      codes: (n,) index of each image's class.
      classes: (num_classes,) the labels.
      class_weight: "balanced", a mapping from label to weight (1 for missing labels), or None.
      sample_weight: (n,) >= 0, not all 0, multiplied by the class's weight; or None.
    Returns:
      (n,) float32; None if all are equal.
    Raises:
      SpecError: class_weight is invalid, or has a label that is not a class.
    """
    weights = np.ones(len(codes)) if sample_weight is None else sample_weight.astype(np.float64)
    weights = weights * _weigh_classes(codes, classes, class_weight, sample_weight)[codes]
    if not weights.any():
        raise SpecError(
            say("class_weight and sample_weight give every image a weight of zero."),
            remedy=say("Give at least one image a weight above zero."),
        )
    if np.all(weights == weights[0]):
        return None
    scaled: NDArray[np.float32] = (weights / weights.mean()).astype(np.float32)
    return scaled


def _weigh_classes(
    codes: NDArray[np.intp],
    classes: NDArray[np.generic],
    class_weight: ClassWeight,
    sample_weight: Weights | None,
) -> Weights:
    if class_weight is None:
        return np.ones(len(classes))
    if isinstance(class_weight, str) and class_weight == "balanced":
        positions = np.arange(len(classes))
        weights: Weights = compute_class_weight(
            "balanced", classes=positions, y=codes, sample_weight=sample_weight
        )
        return weights
    if not isinstance(class_weight, Mapping):
        raise SpecError(
            say(
                'class_weight={class_weight!r} is invalid: "balanced", a dict from label to '
                "weight, or None was expected.",
                class_weight=class_weight,
            ),
            remedy=say('Give class_weight="balanced", or a dict.'),
        )
    labels = classes.tolist()
    has_weight = [label in class_weight for label in labels]
    # A fold of a cross-validation may lack a class. An unknown label is an error only if some
    # class has no weight: then it is probably misspelled.
    if not all(has_weight) and sum(has_weight) < len(class_weight):
        unknown = [label for label in class_weight if label not in labels]
        raise SpecError(
            say(
                "class_weight has {found}; the classes of y are {classes}.",
                found=", ".join(map(repr, unknown)),
                classes=", ".join(map(repr, labels)),
            ),
            remedy=say("Use the labels of y."),
        )
    for label, weight in class_weight.items():
        is_number = isinstance(weight, numbers.Real)
        if not (is_number and 0 <= weight < math.inf):
            raise SpecError(
                say(
                    "class_weight gives {label!r} the weight {weight!r}; a finite number of 0 "
                    "or more was expected.",
                    label=label,
                    weight=weight,
                ),
                remedy=say("Give weights of 0 or more."),
            )
    return np.array([class_weight.get(label, 1.0) for label in labels], dtype=np.float64)
