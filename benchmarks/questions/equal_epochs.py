"""Does it reach the same accuracy in the same number of epochs?

A sceptic's question: speed at the cost of accuracy is worth nothing. The tutorial with ten seeds,
of the first weights and of the order of images, on one split. Mean ± standard deviation over the
seeds, in percent: the 252 validation images after some epochs, and the 540 test images at the end.
"""

from pathlib import Path
from statistics import mean, stdev
from typing import Any

from benchmarks import workloads
from benchmarks.contest import Contender
from benchmarks.lineup import KERAS, keras, ours, pytorch
from benchmarks.question import Question
from benchmarks.record import Record
from benchmarks.tables import SECONDS, say_failures, say_work, tabulate

_EPOCHS = (10, 25, 50, 100)


def contenders(quick: bool) -> list[Contender]:
    """Every contender, without a warm-up."""
    workload = workloads.digits(quick)
    peers = [keras(name, workload, "--cold") for name in KERAS]
    return [ours(workload, "--cold"), *peers, pytorch(workload, "--cold")]


def answer(_: Question, record: Record, __: Path) -> str:
    """One row for each contender, its accuracy after some epochs and at the end."""
    rows: list[list[str]] = []
    epochs: list[int] = []
    for name in record.contenders():
        results = record.results(name)
        curves = [result["val_accuracy"] for result in results]
        last = len(curves[0])
        epochs = [epoch for epoch in _EPOCHS if epoch < last] + [last]
        validated = [_say([curve[epoch - 1] for curve in curves]) for epoch in epochs]
        tested = [_say([result["accuracy"] for result in results])]
        losses = [_say([result["loss"] for result in results], percent=False)]
        rows.append([name, *validated, *tested, *losses])
    head = ["", *(f"epoch {epoch}" for epoch in epochs), "test accuracy", "test loss"]
    table = tabulate(head, rows) if rows else ""
    return "\n\n".join(filter(None, (table, say_work(record), say_failures(record))))


def _say(values: list[Any], *, percent: bool = True) -> str:
    spread = stdev(values) if len(values) > 1 else 0.0
    if percent:
        return f"{100 * mean(values):.1f} ± {100 * spread:.1f}"
    return f"{mean(values):.3f} ± {spread:.3f}"


QUESTION = Question(contenders, SECONDS, minutes=9, rounds=10, answer=answer)
