"""How does the cost grow with the size of the images, with filters and with samples?

Two `same` convolutions of f and 2f filters with pooling between, batches of 64; one quantity grows,
the others stay at 24 pixels, 16 filters, 2,000 images. The dotted line is the time of the same
arithmetic at the speed of a large matrix product on this machine, the fastest of NumPy's, JAX's
and PyTorch's. The loop in PyTorch chooses the faster of both memory layouts in its warm-up.
"""

from pathlib import Path
from statistics import median

from benchmarks import workloads
from benchmarks.contest import Contender
from benchmarks.growth_figure import draw
from benchmarks.lineup import KERAS_TENSORFLOW, OURS, PYTORCH, keras, ours, pytorch
from benchmarks.products import find_fastest_product, matrix_products
from benchmarks.question import Question
from benchmarks.record import Record
from benchmarks.tables import SECONDS, find_ratio, say_failures, tabulate

SERIES = {
    "side": ("image size, pixels", (8, 16, 32, 64, 96)),
    "filters": ("filters", (8, 16, 32, 64, 128)),
    "samples": ("training images", (1_000, 4_000, 16_000, 60_000)),
}
USUAL = {"side": 24, "filters": 16, "samples": 2_000}
PEERS = (KERAS_TENSORFLOW, PYTORCH)


def contenders(quick: bool) -> list[Contender]:
    """Ours, Keras/TensorFlow and the loop at every point, and the matrix products."""
    found = []
    for key, (_, values) in SERIES.items():
        for value in values[:2] if quick else values:
            sizes = {**USUAL, **({"samples": 128} if quick else {}), key: value}
            # Long enough to time; the work per image stays the same.
            epochs = 1 if quick else max(1, 4_000 // sizes["samples"])
            workload = workloads.growth(**sizes, epochs=epochs)
            found.append(ours(workload, name=label(OURS, key, value)))
            peer = label(KERAS_TENSORFLOW, key, value)
            found.append(keras(KERAS_TENSORFLOW, workload, name=peer))
            found.append(pytorch(workload, name=label(PYTORCH, key, value)))
    return [*found, *matrix_products(quick)]


def label(name: str, key: str, value: int) -> str:
    """Return the name of one point."""
    return f"{name}, {key} {value}"


def count_operations(side: int, filters: int, samples: int) -> int:
    """Additions and multiplications of one epoch, forward and backward.

    The backward pass takes twice as many as forward, less the gradient of the images, which is not
    needed.
    """
    first = side**2 * 9 * filters
    second = (side // 2) ** 2 * 9 * filters * 2 * filters
    dense = (side // 4) ** 2 * 2 * filters * 10
    return 2 * samples * (2 * first + 3 * (second + dense))


def answer(_: Question, record: Record, images: Path) -> str:
    """A figure, and its numbers in a table."""
    fastest = find_fastest_product(record)
    if fastest is None:
        return say_failures(record)
    speed, library = fastest
    rows, curves = [], {}
    for key, (words, values) in SERIES.items():
        points: dict[str, list[tuple[int, float]]] = {
            OURS: [],
            **{p: [] for p in PEERS},
            "limit": [],
        }
        for value in values:
            names = {name: label(name, key, value) for name in (OURS, *PEERS)}
            results = record.results(names[OURS])
            if not results:
                continue
            samples = results[0]["samples"]
            operations = count_operations(**{**USUAL, key: value, "samples": samples})
            limit = operations / speed
            seconds = _seconds_per_epoch(record, names[OURS])
            points[OURS].append((value, seconds))
            points["limit"].append((value, limit))
            row = [f"{words} {value:,}", f"{1e6 * seconds / samples:,.1f}"]
            for peer in PEERS:
                if record.results(names[peer]):
                    taken = _seconds_per_epoch(record, names[peer])
                    points[peer].append((value, taken))
                    ratio = find_ratio(record, SECONDS, names[OURS], names[peer])
                    row += [f"{1e6 * taken / samples:,.1f}", str(ratio)]
                else:
                    row += ["", ""]
            rows.append([*row, f"{limit / seconds:.0%}"])
        curves[words] = points
    images.mkdir(parents=True, exist_ok=True)
    draw(curves, f"matrix product, {speed / 1e9:,.0f} GFLOP/s", images / "growth.png")
    head = ["", f"{OURS}, µs an image"]
    head += [word for peer in PEERS for word in (peer, "ratio")] + ["of the limit"]
    parts = [
        "![Seconds for an epoch over image size, filters and training images](images/growth.png)",
        f"The limit: {speed / 1e9:,.0f} GFLOP/s in float32, of {library}.",
        tabulate(head, rows),
        say_failures(record),
    ]
    return "\n\n".join(filter(None, parts))


def _seconds_per_epoch(record: Record, name: str) -> float:
    return float(median(result["seconds"] / result["epochs"] for result in record.results(name)))


QUESTION = Question(
    contenders, SECONDS, minutes=35, rounds=3, added="the PyTorch loop", answer=answer
)
