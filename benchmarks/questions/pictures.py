"""How accurate is a residual network in a PyTorch loop, if it trains as long as `clearcnn train`?

CIFAR-10 with 10,000 training images, German traffic signs of other tracks than those trained on,
ten classes of Tiny ImageNet, MNIST, 40 faces, traffic signs enlarged to 96 pixels, and the digits.
The loop trains an eight-layer residual network of 16 to 64 filters on all images outside the test
set; the recipe keeps a tenth or a fifth of them for validation. The loop gets as many seconds as
clearcnn's `fit` took in the same round, without compilation; both are elapsed time.
"""

from pathlib import Path

from benchmarks.contest import SEED, Contender
from benchmarks.picture_sets import SETS
from benchmarks.question import Question
from benchmarks.record import Record
from benchmarks.tables import WALL_SECONDS, say_failures, tabulate
from clearcnn.results.percent import percent

OURS, LOOP = "clearcnn train", "PyTorch loop"
_SECONDS = "{seconds}"


def contenders(quick: bool) -> list[Contender]:
    """The recipe and the loop on each set."""
    found = []
    for name, pictures in SETS.items():
        work = ("--workload", pictures.make(quick).to_json(), "--seed", SEED)
        less = ("--epochs", "1") if quick else ()
        found.append(Contender(f"{OURS}, {name}", "clearcnn", ("train_pictures.py", *work, *less)))
        command = ("torch_residual.py", *work, "--seconds", _SECONDS, *pictures.loop)
        follows = {_SECONDS: (f"{OURS}, {name}", "fit_seconds")}
        found.append(Contender(f"{LOOP}, {name}", "torch", command, follows=follows))
    return found


def answer(_: Question, record: Record, __: Path) -> str:
    """One row for each contender: its accuracy on the test set."""
    rows = []
    for name in record.contenders():
        for result in record.results(name):
            right, total = result["right"], result["total"]
            correct = f"{right:,} of {total:,}"
            length = [f"{result['fit_seconds']:.1f}", f"{result['epochs']:.3g}"]
            rows.append([name, f"{percent(right / total)} %", correct, *length])
    table = tabulate(["", "accuracy", "correct", "seconds of training", "epochs"], rows)
    return "\n\n".join(filter(None, (table, say_failures(record))))


QUESTION = Question(
    contenders, WALL_SECONDS, minutes=12, rounds=1, added="all data sets", answer=answer
)
