"""Charts of an evaluation: models on an axis, reliability diagram, learning curve."""

import math
from dataclasses import dataclass

from clearcnn.language import say
from clearcnn.report.curves import HEIGHT, WIDTH, Tick
from clearcnn.report.number_format import percent
from clearcnn.results.evaluate import LearningCurve, ModelScore, Protocol
from clearcnn.results.scores import Calibration, Difference

_STARTS = (0.98, 0.95, 0.9, 0.8, 0.5, 0.0)
_HOPELESS = 0.5
_FRAME = (46.0, 10.0, WIDTH - 10.0, HEIGHT - 34.0)


@dataclass(frozen=True)
class Bar:
    """One model on the axis of its protocol; positions are percent of its width.

    Attributes:
      low, high: ends of the interval.
      mark: position of the accuracy.
      worst: position of the worst fold; None if there is only one fold.
      words: the accuracy and its interval.
      spread: standard deviation over folds, and the name of the worst fold.
      verdict: the CNN compared with this model; empty for the CNN itself.
      difference: in percentage points, with its interval.
    """

    name: str
    low: float
    high: float
    mark: float
    worst: float | None
    words: str
    spread: str
    verdict: str
    difference: str


@dataclass(frozen=True)
class Point:
    """A point of a chart in SVG units, with the ends of its interval and its label."""

    x: float
    y: float
    low: float
    high: float
    size: float
    words: str


@dataclass(frozen=True)
class Chart:
    """The reliability diagram or the learning curve.

    Attributes:
      x_ticks, y_ticks: along the frame.
      frame: (left, top, right, bottom).
      forecast: (low y, high y) at the right edge, or None.
    """

    points: tuple[Point, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    frame: tuple[float, float, float, float]
    forecast: tuple[float, float] | None = None


def say_headline(model: ModelScore) -> str:
    """Describe a model's score, its interval, its spread and its worst fold."""
    score, interval = model.score, model.score.interval
    sentence = say(
        "{correct:,} of {total:,} predictions correct: {accuracy} %, {confidence:g} % "
        "interval {low}–{high}",
        correct=score.correct,
        total=score.total,
        accuracy=percent(score.accuracy),
        confidence=100 * interval.confidence,
        low=percent(interval.low),
        high=percent(interval.high),
    )
    spread = say_spread(model)
    return (
        say(
            "{sentence}; {spread} over {num_folds} trainings",
            sentence=sentence,
            spread=spread,
            num_folds=len(model.folds),
        )
        if spread
        else sentence
    )


def say_spread(model: ModelScore) -> str:
    """Describe how the accuracy varies over folds: "±1.1, worst 96.9 % on block 3", or nothing."""
    if len(model.folds) < 2:
        return ""
    worst = model.worst
    return say(
        "±{deviation:.1f}, worst {accuracy} % on {name}",
        deviation=100 * model.deviation,
        accuracy=percent(worst.accuracy),
        name=worst.name,
    )


def say_accuracy(model: ModelScore) -> str:
    """Format an accuracy and its interval: "97.2 % (95.5–98.3)"."""
    score = model.score
    low, high = percent(score.interval.low), percent(score.interval.high)
    return say("{accuracy} % ({low}–{high})", accuracy=percent(score.accuracy), low=low, high=high)


def say_difference(difference: Difference) -> str:
    """Format the CNN's advantage: "+1.2 points (+0.3 to +2.1)"."""
    interval = difference.interval
    mean, low, high = (
        f"{100 * value:+.1f}".replace("-", "−")
        for value in (difference.mean, interval.low, interval.high)
    )
    return say("{mean} points ({low} to {high})", mean=mean, low=low, high=high)


def place_models(protocol: Protocol) -> tuple[list[Bar], list[tuple[float, str]]]:
    """Place every model on one axis that ends at 100 % and leaves out very poor models.

    Returns:
      (bars, ticks), a tick being (percent of the width, label).
    """
    ends = [
        min(model.score.interval.low, model.worst.accuracy)
        for model in protocol.models
        if model.score.accuracy >= _HOPELESS
    ]
    start = _choose_start(min(ends, default=0.0))

    def place(value: float) -> float:
        return round(max(0.0, 100 * (value - start) / (1 - start)), 2)

    bars = [
        Bar(
            name=model.name,
            low=place(model.score.interval.low),
            high=place(model.score.interval.high),
            mark=place(model.score.accuracy),
            worst=place(model.worst.accuracy) if len(model.folds) > 1 else None,
            words=say_accuracy(model),
            spread=say_spread(model),
            verdict="" if model.difference is None else model.difference.verdict,
            difference="" if model.difference is None else say_difference(model.difference),
        )
        for model in protocol.models
    ]
    ticks = [start + step * (1 - start) / 5 for step in range(6)]
    return bars, [(place(tick), f"{round(100 * tick, 1):g}") for tick in ticks]


def plot_reliability(calibration: Calibration) -> Chart:
    """Lay out the reliability diagram: accuracy against confidence."""
    left, top, right, bottom = _FRAME
    most = max((each.total for each in calibration.bins), default=1)

    def x(value: float) -> float:
        return round(left + value * (right - left), 2)

    def y(value: float) -> float:
        return round(bottom - value * (bottom - top), 2)

    points = tuple(
        Point(
            x=x(each.confidence),
            y=y(each.accuracy),
            low=y(each.confidence),
            high=y(each.accuracy),
            size=round(3 + 9 * math.sqrt(each.total / most), 2),
            words=say(
                "{total:,} images, {confidence} % sure on average, {accuracy} % right",
                total=each.total,
                confidence=percent(each.confidence),
                accuracy=percent(each.accuracy),
            ),
        )
        for each in calibration.bins
    )
    ticks = [step / 5 for step in range(6)]
    return Chart(
        points,
        tuple(Tick(x(tick), say("{share:.0f} %", share=100 * tick)) for tick in ticks),
        tuple(Tick(y(tick), say("{share:.0f} %", share=100 * tick)) for tick in ticks),
        _FRAME,
    )


def plot_learning(curve: LearningCurve) -> Chart:
    """Lay out the learning curve: accuracy against the number of images, on a log axis."""
    left, top, right, bottom = _FRAME
    sizes = [point.num_train for point in curve.points]
    sizes.append(2 * sizes[-1])
    start = _choose_start(min(point.score.interval.low for point in curve.points))
    first, last = math.log2(sizes[0]), math.log2(sizes[-1])

    def x(size: float) -> float:
        share = (math.log2(size) - first) / (last - first)
        return round(left + 12 + share * (right - left - 30), 2)

    def y(value: float) -> float:
        return round(bottom - (value - start) / (1 - start) * (bottom - top), 2)

    points = []
    for each in curve.points:
        interval, accuracy = each.score.interval, each.score.accuracy
        words = say(
            "{num_train:,} images: {accuracy} % ({low}–{high})",
            num_train=each.num_train,
            accuracy=percent(accuracy),
            low=percent(interval.low),
            high=percent(interval.high),
        )
        points.append(
            Point(x(each.num_train), y(accuracy), y(interval.low), y(interval.high), 4.0, words)
        )
    ticks = [start + step * (1 - start) / 4 for step in range(5)]
    doubled = curve.doubled
    return Chart(
        tuple(points),
        tuple(Tick(x(size), f"{size:,}") for size in sizes),
        tuple(Tick(y(tick), say("{share:g} %", share=round(100 * tick, 1))) for tick in ticks),
        _FRAME,
        None if doubled is None else (y(doubled.low), y(doubled.high)),
    )


def _choose_start(lowest: float) -> float:
    return next(start for start in _STARTS if start <= lowest or start == 0)
