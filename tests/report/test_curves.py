import re

import pytest

from clearcnn.report.curves import plot_history
from clearcnn.results.train import History


def _points(path):
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.-]+) ([\d.-]+)", path)]


def _value(tick):
    return float(tick.text.removesuffix(" %")) / (100 if tick.text.endswith("%") else 1)


def _scale(ticks):
    """Slope and offset from place to value, from two ticks: what a reader's eye does."""
    first, last = ticks[0], ticks[-1]
    slope = (_value(last) - _value(first)) / (last.place - first.place)
    return lambda place: _value(first) + slope * (place - first.place)


def test_reading_the_axes_gives_the_values_back():
    metrics = {
        "accuracy": (0.31, 0.72, 0.88, 0.93, 0.951),
        "val_accuracy": (0.4, 0.7, 0.85, 0.9, 0.9),
        "loss": (1.9, 1.0, 0.5, 0.2, 0.1234),
        "val_loss": (1.7, 1.1, 0.6, 0.3, 0.25),
    }
    accuracy, loss = plot_history(History(metrics, best_epoch=3))
    for chart, metric in ((accuracy, "accuracy"), (loss, "loss")):
        epoch, value = _scale(chart.x_ticks), _scale(chart.y_ticks)
        assert epoch(chart.best) == pytest.approx(4, abs=0.01)
        for line, name in zip(chart.lines, (metric, f"val_{metric}"), strict=True):
            points = _points(line.path)
            assert [epoch(x) for x, _ in points] == pytest.approx([1, 2, 3, 4, 5], abs=0.01)
            assert [value(y) for _, y in points] == pytest.approx(list(metrics[name]), abs=1e-3)
    assert accuracy.lines[0].values[-1] == "95.1 %"
    assert loss.lines[0].values[-1] == "0.1234"


def _is_inside(chart):
    left, top, right, bottom = chart.frame
    places = [place for line in chart.lines for place in line.places]
    assert all(left <= x <= right for x, _ in places)
    assert all(top <= y <= bottom for _, y in places if y is not None)
    assert all(top <= tick.place <= bottom for tick in chart.y_ticks)
    assert all(left <= tick.place <= right for tick in chart.x_ticks)


@pytest.mark.parametrize(
    "metrics",
    [
        {"accuracy": (0.9,), "loss": (0.3,)},
        {"accuracy": (1.0, 1.0), "loss": (0.0, 0.0)},
        {"accuracy": (0.0, 0.0), "loss": (1e-9, 1e9)},
        {"accuracy": (0.9991, 0.9992), "loss": (0.5, 0.5)},
        {"accuracy": tuple(k / 1000 for k in range(1000)), "loss": (1.0,) * 1000},
    ],
)
def test_extremes_stay_inside_the_frame(metrics):
    for chart in plot_history(History(metrics, best_epoch=0)):
        _is_inside(chart)
        assert len(chart.y_ticks) >= 2
        assert len(chart.x_ticks) >= 1
        if chart.metric == "accuracy":
            assert max(map(_value, chart.y_ticks)) <= 1


def test_a_line_breaks_where_a_value_is_not_finite():
    nan, inf = float("nan"), float("inf")
    metrics = {"loss": (1.0, nan, 0.5, 0.4, inf), "val_loss": (nan,) * 5}
    (chart,) = plot_history(History(metrics, best_epoch=4))
    _is_inside(chart)
    assert chart.lines[0].path.count("M") == 2
    assert chart.lines[0].values[1] == "NaN or infinite"
    assert chart.lines[1].path == ""


def test_without_validation_and_without_anything():
    (chart,) = plot_history(History({"loss": (1.0, 0.5)}, best_epoch=1))
    assert [line.name for line in chart.lines] == ["training"]
    assert plot_history(History({"loss": (float("nan"),)}, best_epoch=0)) == ()
    assert plot_history(History({}, best_epoch=0)) == ()
