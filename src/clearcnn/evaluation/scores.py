"""Scores of predictions: every metric with its interval or its count."""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearcnn.errors import SpecError
from clearcnn.language import say
from clearcnn.results.scores import (
    BalancedAccuracy,
    ClassScore,
    Evaluation,
    Interval,
    Mistake,
    Score,
)


def wilson_interval(correct: int, total: int, confidence: float = 0.95) -> Interval:
    """Wilson score interval for a proportion.

    Args:
      correct: correct predictions, 0..total.
      total: images scored, > 0.
      confidence: fraction in (0, 1).
    Returns:
      An Interval with low and high as fractions in [0, 1].
    Raises:
      SpecError: a value is out of its range.
    Source: Wilson 1927, JASA 22.
    """
    if not 0 <= correct <= total or total == 0:
        raise SpecError(
            say(
                "correct={correct}, total={total}: expected 0 <= correct <= total and total >= 1.",
                correct=correct,
                total=total,
            ),
            remedy=say("Score at least one image."),
        )
    if not 0 < confidence < 1:
        raise SpecError(
            say("confidence={confidence} is outside (0, 1).", confidence=confidence),
            remedy=say("Give a fraction such as 0.95."),
        )
    # The standard library's quantile of the normal distribution: SciPy's `stats` takes 0.4 seconds
    # to import.
    square = NormalDist().inv_cdf(0.5 + confidence / 2) ** 2
    wrong = total - correct
    centre = correct + square / 2
    half_width = math.sqrt(square * (correct * wrong / total + square / 4))
    low = (centre - half_width) / (total + square) if correct else 0.0
    high = (centre + half_width) / (total + square) if wrong else 1.0
    return Interval(low, high, confidence, "wilson")


def evaluate_predictions(
    labels: ArrayLike,
    probabilities: ArrayLike,
    class_names: Sequence[str],
    indices: ArrayLike,
    names: Sequence[str],
    calibrated: ArrayLike | None = None,
) -> Evaluation:
    """Score predicted probabilities against the true classes.

    Args:
      labels: (n,) int, 0..num_classes - 1, the true classes; n > 0.
      probabilities: (n, num_classes) float in [0, 1], each row summing to 1.
      class_names: num_classes names, at least 2.
      indices: (n,) int, each image's row among all images of the source.
      names: n names, each image's file or its row in words.
      calibrated: the same probabilities at a temperature, which are the confidence of mistakes;
        None takes `probabilities`.
    Returns:
      An Evaluation. The prediction is the most probable class. The loss is the mean
      cross-entropy in nats, probabilities clipped at float32's resolution (1.2e-7, about
      where Keras clips). Mistakes are sorted by confidence, then by index.
    Raises:
      SpecError: shapes do not match, a label is out of range, or rows are not valid
        probabilities.
    """
    truth = np.asarray(labels)
    chances = np.asarray(probabilities, dtype=np.float32)
    rows = np.asarray(indices)
    _check_shapes(truth, chances, class_names, rows, names)
    _check_values(truth, chances)

    confidence = chances if calibrated is None else np.asarray(calibrated, dtype=np.float32)
    predictions = chances.argmax(axis=1)
    confusion = np.zeros((len(class_names), len(class_names)), np.int_)
    np.add.at(confusion, (truth, predictions), 1)
    correct = int(np.trace(confusion))
    return Evaluation(
        score=Score(correct, len(truth), wilson_interval(correct, len(truth))),
        loss=_cross_entropy(truth, chances),
        classes=_score_classes(class_names, confusion),
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        mistakes=_list_mistakes(truth, predictions, confidence, class_names, rows, names),
        balanced=balance(confusion),
    )


def _cross_entropy(labels: NDArray[np.int_], chances: NDArray[np.float32]) -> float:
    """Mean of -log(probability of the true class) in nats; clipped as by scikit-learn."""
    epsilon = np.finfo(np.float32).eps
    picked = np.clip(chances[np.arange(len(labels)), labels], epsilon, 1 - epsilon)
    return -float(np.log(picked.astype(np.float64)).mean())


def balance(confusion: NDArray[np.int_], confidence: float = 0.95) -> BalancedAccuracy:
    """Compute the balanced accuracy with an interval.

    The classes' recalls are independent proportions; the distances from their mean to its bounds
    are the root mean squares of those from each recall to the bounds of its Wilson interval, over
    the root of the number of classes (MOVER: Zou and Donner 2008, Statistics in Medicine 27).

    Args:
      confusion: (num_classes, num_classes), rows are true classes; at least one image.
      confidence: fraction in (0, 1).
    """
    supports = confusion.sum(axis=1)
    is_tested = supports > 0
    hits, images = confusion.diagonal()[is_tested], supports[is_tested]
    recalls = hits / images
    found = [wilson_interval(int(k), int(n), confidence) for k, n in zip(hits, images, strict=True)]
    below = math.hypot(*(recalls - [each.low for each in found])) / len(recalls)
    above = math.hypot(*([each.high for each in found] - recalls)) / len(recalls)
    accuracy = float(recalls.mean())
    interval = Interval(accuracy - below, accuracy + above, confidence, "MOVER")
    return BalancedAccuracy(accuracy, len(recalls), interval)


def _score_classes(
    class_names: Sequence[str], confusion: NDArray[np.int_]
) -> tuple[ClassScore, ...]:
    right = np.diag(confusion).tolist()
    support, predicted = confusion.sum(axis=1).tolist(), confusion.sum(axis=0).tolist()
    return tuple(
        ClassScore(
            name=name,
            precision=_ratio(right[k], predicted[k]),
            recall=_ratio(right[k], support[k]),
            # Without images there is no recall, so F1 is undefined, too.
            f1=_ratio(2 * right[k], support[k] + predicted[k]) if support[k] else None,
            support=support[k],
            predicted=predicted[k],
        )
        for k, name in enumerate(class_names)
    )


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _list_mistakes(
    labels: NDArray[np.int_],
    predictions: NDArray[np.int_],
    chances: NDArray[np.float32],
    class_names: Sequence[str],
    indices: NDArray[np.int_],
    names: Sequence[str],
) -> tuple[Mistake, ...]:
    wrong = np.flatnonzero(predictions != labels)
    confidence = chances[wrong, predictions[wrong]]
    order = np.lexsort((indices[wrong], -confidence))
    return tuple(
        Mistake(
            index=int(indices[row]),
            name=names[row],
            label=class_names[labels[row]],
            prediction=class_names[predictions[row]],
            confidence=float(chances[row, predictions[row]]),
        )
        for row in wrong[order]
    )


def _check_shapes(
    labels: NDArray[np.int_],
    chances: NDArray[np.float32],
    class_names: Sequence[str],
    indices: NDArray[np.int_],
    names: Sequence[str],
) -> None:
    n = len(names)
    expected = ((n,), (n, len(class_names)), (n,))
    found = (labels.shape, chances.shape, indices.shape)
    if n == 0 or len(class_names) < 2 or found != expected:
        raise SpecError(
            say(
                "labels, probabilities and indices have shapes {labels_shape}, "
                "{probabilities_shape} and "
                "{indices_shape}; for {num_names} names and {num_class_names} classes, "
                "{expected_labels}, "
                "{expected_probabilities} and {expected_indices} were expected, with at least 1 "
                "image and 2 "
                "classes.",
                labels_shape=found[0],
                probabilities_shape=found[1],
                indices_shape=found[2],
                num_names=n,
                num_class_names=len(class_names),
                expected_labels=expected[0],
                expected_probabilities=expected[1],
                expected_indices=expected[2],
            ),
            remedy=say(
                "Give one label, one row of probabilities, one index and one name per image."
            ),
        )


def _check_values(labels: NDArray[np.int_], chances: NDArray[np.float32]) -> None:
    num_classes = chances.shape[1]
    if not np.issubdtype(labels.dtype, np.integer) or not np.all(
        (labels >= 0) & (labels < num_classes)
    ):
        raise SpecError(
            say(
                "labels must be integers from 0 to {last}; found {dtype} from {low} to {high}.",
                last=num_classes - 1,
                dtype=labels.dtype,
                low=labels.min(),
                high=labels.max(),
            ),
            remedy=say("Give each image the position of its class in class_names."),
        )
    possible = np.all((chances >= 0) & (chances <= 1 + 1e-4), axis=1)
    possible &= np.abs(chances.sum(axis=1) - 1) <= 1e-4
    if not possible.all():
        first = int(np.flatnonzero(~possible)[0])
        raise SpecError(
            say(
                "{number} of {num_rows} rows are not valid probabilities, the first at "
                "row {first}: values in [0, 1] that sum to 1 were expected.",
                number=int((~possible).sum()),
                num_rows=len(chances),
                first=first,
            ),
            remedy=say(
                "End the model with a softmax over the classes; if values are NaN or "
                "infinite, lower the learning rate."
            ),
        )
