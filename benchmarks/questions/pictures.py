"""How accurate is a residual network in a PyTorch loop, if it trains as long as `clearcnn train`?

CIFAR-10 with 10,000 training images and German traffic signs of other tracks than those trained
on. The loop trains an eight-layer residual network of 16 to 64 filters on all images outside the
test set, and standardizes each sign by itself; the recipe keeps a tenth of them for validation.
The loop gets as many seconds as clearcnn's `fit` took in the same round, without compilation; both
are elapsed time.
"""

from pathlib import Path

from benchmarks import workloads
from benchmarks.contest import SEED, Contender
from benchmarks.question import Question
from benchmarks.record import Record
from benchmarks.tables import WALL_SECONDS, say_failures, tabulate
from clearcnn.results.percent import percent

# Name → archive, and the loop's settings: batch size, rate, and whether images are mirrored.
# Those of the traffic signs were chosen on tracks that were left out of the training images: 56 %
# after five epochs, and 44 % with batches of 128 and rate 0.2. Without standardizing each image,
# the loop recognises 23 % of the signs of the test tracks, whose light is another one.
SETS = {
    "CIFAR-10": ("cifar10-20k.zip", ("--batch-size", "128", "--rate", "0.2", "--flip")),
    "traffic signs": ("gtsrb.zip", ("--batch-size", "32", "--rate", "0.1", "--standardize")),
}
OURS, LOOP = "clearcnn train", "PyTorch loop"
_SECONDS = "{seconds}"


def contenders(quick: bool) -> list[Contender]:
    """The recipe and the loop on each set."""
    found = []
    for name, (archive, settings) in SETS.items():
        work = ("--workload", workloads.pictures(archive, quick).to_json(), "--seed", SEED)
        less = ("--epochs", "1") if quick else ()
        found.append(Contender(f"{OURS}, {name}", "clearcnn", ("train_pictures.py", *work, *less)))
        command = ("torch_residual.py", *work, "--seconds", _SECONDS, *settings)
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
    contenders, WALL_SECONDS, minutes=6, rounds=1, added="both data sets", answer=answer
)
