"""Learning curve: forecast of the accuracy from twice the images."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearcnn.language import say
from clearcnn.results.scores import Interval

_WIDEST = 0.05


def forecast_doubling(
    sizes: ArrayLike, correct: ArrayLike, totals: ArrayLike, *, confidence: float = 0.95
) -> tuple[Interval | None, str]:
    """Extrapolate a learning curve to twice its largest size, if it supports that.

    The error is modelled as a power law of the number of images: a line through the logarithms,
    fitted over the upper half of the sizes. The jackknife over folds gives the interval. Half an
    image is added to the errors to avoid the logarithm of 0.

    Args:
      sizes: (s,) training images, ascending, s >= 3.
      correct: (k, s) correct predictions per fold and size, k >= 2.
      totals: (k,) images per fold.
      confidence: fraction in (0, 1).
    Returns:
      (interval, sentence): the accuracy at twice the largest size, or None if there is no
      forecast, and a sentence that says so or why not.
    Source: Cortes et al. 1993, NeurIPS 6 (the power law); Efron & Stein 1981, Annals of
      Statistics 9 (the jackknife).
    """
    from scipy.stats import t

    x = np.log(np.asarray(sizes, np.float64))
    right, images = np.asarray(correct, np.float64), np.asarray(totals, np.float64)
    folds = len(images)
    whole = _forecast(x, right.sum(axis=0), images.sum())
    without = np.array(
        [_forecast(x, right.sum(axis=0) - right[k], images.sum() - images[k]) for k in range(folds)]
    )
    deviation = np.sqrt((folds - 1) / folds * np.square(without - without.mean(axis=0)).sum(axis=0))
    width = t.ppf((1 + confidence) / 2, folds - 1) * deviation
    slope, log_error = whole
    if slope + width[0] >= 0:
        return None, (
            say(
                "Whether more images would help cannot be determined: at the largest sizes "
                "the error falls by less than it varies between folds."
            )
        )
    low, high = 1 - np.exp(log_error + width[1]), 1 - np.exp(log_error - width[1])
    if high - low > _WIDEST:
        return None, (
            say(
                "More images help, but the accuracy from twice as many cannot be determined: "
                "the interval is {low:.1f} to {high:.1f} %.",
                low=100 * max(low, 0),
                high=100 * high,
            )
        )
    interval = Interval(max(0.0, float(low)), min(1.0, float(high)), confidence, "power law")
    return interval, (
        say(
            "Twice as many images would probably give {low:.1f} to {high:.1f} %, if the error "
            "keeps falling at the same rate.",
            low=100 * interval.low,
            high=100 * interval.high,
        )
    )


def _forecast(
    x: NDArray[np.float64], right: NDArray[np.float64], images: float
) -> NDArray[np.float64]:
    """Return the slope of log error over log size, and the log error at twice the last size."""
    y = np.log((images - right + 0.5) / (images + 1))
    upper = slice(-max(3, (len(x) + 1) // 2), None)
    slope, intercept = np.polyfit(x[upper], y[upper], 1)
    return np.array([slope, intercept + slope * (x[-1] + np.log(2))])
