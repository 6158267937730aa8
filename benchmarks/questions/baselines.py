"""How accurate are scikit-learn's classifiers on the same pictures?

The baselines of `clearcnn evaluate`, on the data sets and test images of the residual network.
They see images as in `evaluate`, those of 64 pixels and more averaged in blocks, and train on all
images outside the test set, also where `evaluate` would take 10,000 of them.
"""

from pathlib import Path

from benchmarks.contest import SEED, Contender
from benchmarks.picture_sets import SETS
from benchmarks.question import Question
from benchmarks.record import Record
from benchmarks.tables import WALL_SECONDS, say_failures, tabulate
from clearcnn.evaluation import BASELINES
from clearcnn.results.percent import percent


def contenders(quick: bool) -> list[Contender]:
    """One process for each set."""
    return [
        Contender(
            name,
            "clearcnn",
            ("baselines.py", "--workload", pictures.make(quick).to_json(), "--seed", SEED),
        )
        for name, pictures in SETS.items()
    ]


def answer(_: Question, record: Record, __: Path) -> str:
    """One row for each set, one column for each baseline; the best is bold."""
    rows = []
    for name in record.contenders():
        (result,) = record.results(name)
        right, total = result["right"], result["total"]
        cells = [f"{right[each]:,}" for each in BASELINES]
        best = max(right.values())
        cells = [
            f"**{cell}**" if right[each] == best else cell
            for each, cell in zip(BASELINES, cells, strict=True)
        ]
        rows.append([name, f"{result['num_train']:,}", *cells, f"{total:,}", percent(best / total)])
    head = ["", "trained on", *map(str, BASELINES), "of", "the best, %"]
    return "\n\n".join(filter(None, (tabulate(head, rows), say_failures(record))))


QUESTION = Question(
    contenders, WALL_SECONDS, minutes=15, rounds=1, added="every row", answer=answer
)
