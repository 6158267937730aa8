"""Medians, ratios and spreads, as Markdown."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.record import Record

# Reported by every contender that trains; if it differs, the work was not equal.
_WORK = ("samples", "epochs", "parameters")


@dataclass(frozen=True)
class Quantity:
    """The quantity that is compared.

    Attributes:
      key: of a result.
      label: the column's heading.
      show: value → text.
      more_is_better: for a rate.
    """

    key: str
    label: str
    show: Callable[[float], str]
    more_is_better: bool = False


def _show_seconds(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


SECONDS = Quantity("seconds", "seconds", _show_seconds)
WALL_SECONDS = Quantity("wall_seconds", "seconds", _show_seconds)
SAMPLES_PER_SECOND = Quantity(
    "samples_per_second", "samples per second", lambda v: f"{v:,.0f}", more_is_better=True
)
PEAK_MEMORY = Quantity("peak_memory_bytes", "MiB", lambda v: f"{v / 2**20:,.0f}")


@dataclass(frozen=True)
class Aim:
    """The ratio that ours should reach.

    Attributes:
      label: whom it is compared with, in words.
      against: names of contenders; the best of those that ran is used.
      ratio: to reach.
      moonshot: a ratio far beyond.
      ours: the contender of ours; None is the first of the question.
    """

    label: str
    against: tuple[str, ...]
    ratio: float
    moonshot: float
    ours: str | None = None


@dataclass(frozen=True)
class Ratio:
    """The ratio by which one contender is better than another.

    Attributes:
      medians: ratio of the medians.
      low, high: the smallest and largest ratio of two runs of one round.
    """

    medians: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.medians:.2f}× ({self.low:.2f}–{self.high:.2f})"


def find_ratio(record: Record, quantity: Quantity, ours: str, peer: str) -> Ratio:
    """Return the ratio by which ours is better than a peer: above 1 is faster, or smaller."""
    values = [[r[quantity.key] for r in record.results(name)] for name in (ours, peer)]
    better, worse = values if quantity.more_is_better else values[::-1]
    pairs = [a / b for a, b in zip(better, worse, strict=False)]
    return Ratio(median(better) / median(worse), min(pairs), max(pairs))


def find_best(record: Record, quantity: Quantity, names: Iterable[str]) -> str | None:
    """The best contender that ran, by median."""
    ran = [name for name in names if record.results(name)]
    sign = -1 if quantity.more_is_better else 1
    return min(
        ran, key=lambda n: sign * median(r[quantity.key] for r in record.results(n)), default=None
    )


def compare(record: Record, quantity: Quantity) -> str:
    """One row for each contender: median, spread, ratio to the first, and if the work was equal."""
    names = record.contenders()
    if not names:
        return say_failures(record)
    everyone = [result for name in names for result in record.results(name)]
    has_start = any("start_seconds" in result for result in everyone)
    head = ["", quantity.label, "min–max", f"{names[0]} is better by"]
    head += ["start s", "warm-up s"] * has_start + ["test accuracy", "test loss"]
    rows = []
    for name in names:
        results = record.results(name)
        values = [result[quantity.key] for result in results]
        row = [name + _say_settings(results), quantity.show(median(values))]
        row.append(f"{quantity.show(min(values))}–{quantity.show(max(values))}")
        row.append("" if name == names[0] else str(find_ratio(record, quantity, names[0], name)))
        if has_start:
            row += [_middle(results, "start_seconds"), _middle(results, "warm_seconds")]
        row += [_middle(results, "accuracy", percent=True), _middle(results, "loss", digits=3)]
        rows.append(row)
    return "\n\n".join(filter(None, (tabulate(head, rows), say_work(record), say_failures(record))))


def say_work(record: Record) -> str:
    """Say what work every contender did, or that it differed."""
    work = {
        name: {tuple(result.get(key) for key in _WORK) for result in record.results(name)}
        for name in record.contenders()
    }
    kinds = set.union(*work.values()) - {(None,) * len(_WORK)}
    if not kinds:
        return ""
    if len(kinds) > 1:
        each = "; ".join(f"{name}: {sorted(done, key=str)}" for name, done in work.items())
        return f"**The work was not equal** ({', '.join(_WORK)}): {each}."
    samples, epochs, parameters = kinds.pop()
    results = [result for name in record.contenders() for result in record.results(name)]
    sources = sorted({result["source"] for result in results if "source" in result})
    images = f"training images ({'; '.join(sources)})" if sources else "training images"
    runs = len(record.results(record.contenders()[0]))
    return (
        f"Each: {samples:,} {images}, {epochs} {'epoch' if epochs == 1 else 'epochs'}, "
        f"{parameters:,} parameters; {runs} {'run' if runs == 1 else 'runs'}. Accuracy and loss "
        "are medians."
    )


def say_failures(record: Record) -> str:
    """Say which contenders were left out, and why."""
    return "\n".join(f"- {name} was left out: {why}." for name, why in record.failures().items())


def tabulate(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are numbers and right-aligned."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _middle(
    results: list[dict[str, Any]], key: str, digits: int = 1, *, percent: bool = False
) -> str:
    values = [result[key] for result in results if result.get(key) is not None]
    if not values:
        return ""
    return f"{median(values):.{digits}%}" if percent else f"{median(values):.{digits}f}"


def _say_settings(results: list[dict[str, Any]]) -> str:
    """Settings that a contender chose for itself in its warm-up."""
    chosen = list(dict.fromkeys(str(r["chose"]) for r in results if r.get("chose")))
    return f" ({' or '.join(chosen)})" if chosen else ""
