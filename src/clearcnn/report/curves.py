"""Training curves as SVG geometry: lines, ticks and marks."""

import math
from dataclasses import dataclass

from clearcnn.language import say
from clearcnn.report.number_format import share
from clearcnn.results.train import History

WIDTH, HEIGHT = 400.0, 250.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 10.0, 10.0, 34.0
_NAMES = (("training", ""), ("validation", "val_"))


@dataclass(frozen=True)
class Tick:
    """A tick of an axis: its position in SVG units and its label."""

    place: float
    text: str


@dataclass(frozen=True)
class Line:
    """One metric over the epochs.

    Attributes:
      name: "training" or "validation".
      path: the SVG path; interrupted where a value is NaN or infinite.
      places: (x, y) of every epoch, y None where the value is NaN or infinite.
      values: each epoch's value as text.
    """

    name: str
    path: str
    places: tuple[tuple[float, float | None], ...]
    values: tuple[str, ...]


@dataclass(frozen=True)
class Chart:
    """One chart, as the template draws it.

    Attributes:
      metric: "accuracy" or "loss".
      x_ticks, y_ticks: ticks inside the frame.
      best: x of the epoch whose weights the model has.
      frame: (left, top, right, bottom).
    """

    metric: str
    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    best: float
    frame: tuple[float, float, float, float]


def plot_history(history: History) -> tuple[Chart, ...]:
    """Lay out the charts of accuracy and loss, as far as the history has them."""
    charts = (_plot(history, metric) for metric in ("accuracy", "loss"))
    return tuple(chart for chart in charts if chart is not None)


def _plot(history: History, metric: str) -> Chart | None:
    series = {
        name: history.metrics[prefix + metric]
        for name, prefix in _NAMES
        if history.metrics.get(prefix + metric)
    }
    finite = [value for values in series.values() for value in values if math.isfinite(value)]
    if not finite:
        return None
    low, high = (min(finite), 1.0) if metric == "accuracy" else (0.0, max(finite))
    y_values = _nice_values(low, high, whole=False)
    low, high = min(low, y_values[0]), max(high, y_values[-1])

    epochs = history.num_epochs
    frame = (_LEFT, _TOP, WIDTH - _RIGHT, HEIGHT - _BOTTOM)

    def x(epoch: float) -> float:
        share = 0.5 if epochs == 1 else (epoch - 1) / (epochs - 1)
        return round(frame[0] + share * (frame[2] - frame[0]), 2)

    def y(value: float) -> float:
        return round(frame[3] - (value - low) / (high - low) * (frame[3] - frame[1]), 2)

    lines = []
    for name, values in series.items():
        places = tuple(
            (x(epoch), y(value) if math.isfinite(value) else None)
            for epoch, value in enumerate(values, start=1)
        )
        words = tuple(say_value(metric, value) for value in values)
        lines.append(Line(name, _draw_path(places), places, words))
    x_values = [value for value in _nice_values(1, epochs, whole=True) if 1 <= value <= epochs]
    return Chart(
        metric=metric,
        lines=tuple(lines),
        x_ticks=tuple(Tick(x(value), f"{value:g}") for value in x_values),
        y_ticks=tuple(Tick(y(value), _say_tick(metric, value)) for value in y_values),
        best=x(history.best_epoch + 1),
        frame=frame,
    )


def say_value(metric: str, value: float) -> str:
    """Format a value of a metric: "97.2 %" or "0.0834"."""
    if not math.isfinite(value):
        return say("NaN or infinite")
    return share(value) if metric == "accuracy" else f"{value:.4f}"


def _say_tick(metric: str, value: float) -> str:
    # Removes rounding noise of computed ticks.
    if metric == "accuracy":
        return say("{share:g} %", share=round(100 * value, 6))
    return f"{round(value, 9):g}"


def _nice_values(low: float, high: float, *, whole: bool) -> list[float]:
    from matplotlib.ticker import MaxNLocator

    if high <= low:
        # A constant curve needs an axis range, too.
        low, high = (low - 0.1, low) if low == 1 and not whole else (low, low + 0.1)
    locator = MaxNLocator(nbins=5, integer=whole, steps=[1, 2, 2.5, 5, 10])
    values = [float(value) for value in locator.tick_values(low, high)]
    if whole:
        return [1.0, *(value for value in values if value > 1)]
    return [value for value in values if value >= -1e-12]


def _draw_path(places: tuple[tuple[float, float | None], ...]) -> str:
    steps, pen_down = [], False
    for x, y in places:
        if y is None:
            pen_down = False
            continue
        steps.append(f"{'L' if pen_down else 'M'}{x:g} {y:g}")
        pen_down = True
    return "".join(steps)
