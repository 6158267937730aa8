"""The ROC and the precision-recall curve of two classes as SVG geometry."""

from dataclasses import dataclass

from clearcnn.language import say
from clearcnn.report.curves import HEIGHT, WIDTH, Tick
from clearcnn.report.number_format import percent
from clearcnn.results.scores import BinaryCurves, Interval

_LEFT, _TOP = 46.0, 10.0
_RIGHT, _BOTTOM = WIDTH - 10.0, HEIGHT - 34.0


@dataclass(frozen=True)
class BinaryChart:
    """One curve with its axes.

    Attributes:
      title: its name, area and interval.
      x_name, y_name: of the axes.
      path: SVG.
      chance: SVG path of a model that guesses.
      x_ticks, y_ticks: along the frame.
      frame: (left, top, right, bottom).
    """

    title: str
    x_name: str
    y_name: str
    path: str
    chance: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    frame: tuple[float, float, float, float] = (_LEFT, _TOP, _RIGHT, _BOTTOM)


def plot_binary(curves: BinaryCurves) -> tuple[BinaryChart, BinaryChart]:
    """Lay out the ROC and the precision-recall curve."""
    rates = [(0.0, 0.0), *((point.false_positive_rate, point.recall) for point in curves.points)]
    # Precision between two recalls is not linear, so the curve is drawn in steps.
    steps, recall = [(0.0, curves.points[0].precision)], 0.0
    for point in curves.points:
        steps += [(recall, point.precision), (point.recall, point.precision)]
        recall = point.recall
    share = curves.positives / (curves.positives + curves.negatives)
    ticks = [step / 5 for step in range(6)]
    axes = (
        tuple(Tick(_x(tick), say("{share:.0f} %", share=100 * tick)) for tick in ticks),
        tuple(Tick(_y(tick), say("{share:.0f} %", share=100 * tick)) for tick in ticks),
    )
    return (
        BinaryChart(
            say(
                "ROC: area {area:.3f}{area_interval}",
                area=curves.area,
                area_interval=_say(curves.area_interval),
            ),
            say("false positive rate"),
            say("recall"),
            _draw(rates),
            _draw([(0.0, 0.0), (1.0, 1.0)]),
            *axes,
        ),
        BinaryChart(
            say(
                "Precision–recall: average precision {average_precision} % ({low}–{high})",
                average_precision=percent(curves.average_precision),
                low=percent(curves.average_precision_interval.low),
                high=percent(curves.average_precision_interval.high),
            ),
            say("recall"),
            say("precision"),
            _draw(steps),
            _draw([(0.0, share), (1.0, share)]),
            *axes,
        ),
    )


def _say(interval: Interval) -> str:
    return f" ({interval.low:.3f}–{interval.high:.3f})"


def _x(value: float) -> float:
    return round(_LEFT + value * (_RIGHT - _LEFT), 2)


def _y(value: float) -> float:
    return round(_BOTTOM - value * (_BOTTOM - _TOP), 2)


def _draw(points: list[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_x(x):g} {_y(y):g}" for x, y in points)
