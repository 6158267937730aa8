"""How long does `fit` take in a warm process, against Keras's `model.fit` on each backend?

The tutorial: 1,005 digits of 8×8 pixels for training and 252 for validation, batches of 50, 100
epochs. Each process builds the model, warms it up until nothing is left to trace or compile,
restores its first weights, and times one `fit`. TensorFlow's XLA (`jit_compile`) is tried in the
warm-up and used if it is faster.
"""

from benchmarks import workloads
from benchmarks.contest import Contender
from benchmarks.lineup import KERAS, keras, ours
from benchmarks.question import Question
from benchmarks.tables import SECONDS, Aim


def contenders(quick: bool) -> list[Contender]:
    """Ours, and Keras three times."""
    workload = workloads.digits(quick)
    return [ours(workload), *(keras(backend, workload) for backend in KERAS)]


QUESTION = Question(
    contenders,
    SECONDS,
    minutes=5,
    aims=(Aim("the fastest Keras", KERAS, ratio=12, moonshot=20),),
    devices=("cpu", "gpu"),
)
