"""How much memory does training on MNIST take at its peak?

The model and data of the throughput question, one epoch. The figure is the peak main memory of the
whole process until the end of `fit`: interpreter, libraries, compiled programs, and the images,
188 MB as float32 in each.
"""

from benchmarks import workloads
from benchmarks.contest import Contender
from benchmarks.lineup import KERAS, KERAS_TENSORFLOW, keras, ours, pytorch
from benchmarks.question import Question
from benchmarks.tables import PEAK_MEMORY, Aim


def contenders(quick: bool) -> list[Contender]:
    """Every contender, without a warm-up."""
    workload = workloads.mnist(quick)
    peers = [keras(name, workload, "--cold") for name in KERAS]
    return [ours(workload, "--cold"), *peers, pytorch(workload, "--cold")]


QUESTION = Question(
    contenders,
    PEAK_MEMORY,
    minutes=6,
    aims=(Aim(KERAS_TENSORFLOW, (KERAS_TENSORFLOW,), ratio=4 / 3, moonshot=2),),
    rounds=3,
)
