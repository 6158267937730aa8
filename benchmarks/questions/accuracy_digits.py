"""How accurate are the recipes on the digits, compared with two classical methods?

Twenty stratified splits of 70 and 30 % (seeds 0 to 19), where the same people wrote both sides; and
each of the 14 blocks of writing left out once, which tests on people never seen. The recipes take
their validation images, a fifth, from the training set; the support vector machine
(RBF, C = 10, γ = 0.001) and the nearest neighbour train on all of it. Mean ± standard deviation
over splits or blocks, in percent, and correct images out of all test images.
"""

from pathlib import Path
from statistics import mean, stdev

from benchmarks.contest import Contender
from benchmarks.question import Question
from benchmarks.record import Record
from benchmarks.tables import WALL_SECONDS, say_failures, tabulate

MODELS = {
    "default": "clearcnn, recipe default",
    "tutorial": "clearcnn, recipe tutorial",
    "svc": "support vector machine",
    "nearest-neighbour": "nearest neighbour",
}
PROTOCOLS = {"splits": "20 splits", "blocks": "a block left out"}


def contenders(quick: bool) -> list[Contender]:
    """Each model with each kind of split."""
    less = ("--most", "2", "--epochs", "2") if quick else ()
    return [
        Contender(
            f"{words}, {way}",
            "clearcnn",
            ("digits_accuracy.py", "--model", model, "--protocol", protocol, *less),
        )
        for model, words in MODELS.items()
        for protocol, way in PROTOCOLS.items()
    ]


def answer(_: Question, record: Record, __: Path) -> str:
    """One row for each model: mean, spread, the worst, and the counts, with both kinds of split."""
    rows = []
    for words in MODELS.values():
        row = [words]
        for way in PROTOCOLS.values():
            results = record.results(f"{words}, {way}")
            row += _say(results[0]["right"], results[0]["total"]) if results else ["", "", ""]
        rows.append(row)
    head = [""]
    for way in PROTOCOLS.values():
        head += [way, "worst", "right of all"]
    return "\n\n".join(filter(None, (tabulate(head, rows), say_failures(record))))


def _say(right: list[int], total: list[int]) -> list[str]:
    accuracies = [100 * r / t for r, t in zip(right, total, strict=True)]
    spread = stdev(accuracies) if len(accuracies) > 1 else 0.0
    counts = f"{sum(right):,} of {sum(total):,}"
    return [f"{mean(accuracies):.1f} ± {spread:.1f}", f"{min(accuracies):.1f}", counts]


QUESTION = Question(contenders, WALL_SECONDS, minutes=7, rounds=1, answer=answer)
