"""How much each image counts in the loss: scikit-learn's class_weight and sample_weight."""

import math
import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_class_weight

from clearcnn.errors import SpecError

Weights = NDArray[np.float64]


def weigh_images(
    codes: NDArray[np.intp],
    classes: NDArray[Any],
    class_weight: Mapping[Any, float] | str | None,
    sample_weight: Weights | None,
) -> NDArray[np.float32] | None:
    """Give the weight of each image, 1 on average: only the ratios count.

    Args:
      codes: (n,) index of each image's class.
      classes: (classes,) their labels.
      class_weight: "balanced", label → weight (a class that is not named weighs 1), or None.
      sample_weight: (n,) >= 0, not all 0, multiplied in; or None.
    Returns:
      float32 (n,), or None if all are alike.
    Raises:
      SpecError: class_weight is none of these, or names what is no class.
    """
    weights = np.ones(len(codes)) if sample_weight is None else sample_weight.astype(np.float64)
    weights = weights * _weigh_classes(codes, classes, class_weight, sample_weight)[codes]
    if not weights.any():
        raise SpecError(
            "class_weight and sample_weight make every image weigh zero.",
            remedy="Give some image a weight above zero.",
        )
    if np.all(weights == weights[0]):
        return None
    shares: NDArray[np.float32] = (weights / weights.mean()).astype(np.float32)
    return shares


def _weigh_classes(
    codes: NDArray[np.intp],
    classes: NDArray[Any],
    class_weight: Mapping[Any, float] | str | None,
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
            f'class_weight={class_weight!r} is not known: "balanced", a dict from label to '
            "weight, or None was expected.",
            remedy='Give class_weight="balanced", or a dict.',
        )
    labels = classes.tolist()
    named = [label in class_weight for label in labels]
    # A fold may lack a class that is named; a name that is no class is an error of spelling.
    if not all(named) and sum(named) < len(class_weight):
        strange = [label for label in class_weight if label not in labels]
        raise SpecError(
            f"class_weight names {', '.join(map(repr, strange))}; the classes of y are "
            f"{', '.join(map(repr, labels))}.",
            remedy="Name the classes as y does.",
        )
    for label, weight in class_weight.items():
        is_number = isinstance(weight, numbers.Real)
        if not (is_number and 0 <= weight < math.inf):
            raise SpecError(
                f"class_weight gives {label!r} the weight {weight!r}; a finite number of 0 or more "
                "was expected.",
                remedy="Give weights of 0 or more.",
            )
    return np.array([class_weight.get(label, 1.0) for label in labels], dtype=np.float64)
