"""How many MNIST images a second does training process?

Keras's "Simple MNIST convnet": two convolutions of 32 and 64 filters, dropout, batches of 128; one
epoch of 60,000 images after a warm-up, without validation.
"""

from benchmarks import workloads
from benchmarks.contest import Contender
from benchmarks.lineup import KERAS, KERAS_TENSORFLOW, PYTORCH, keras, ours, pytorch
from benchmarks.question import Question
from benchmarks.tables import SAMPLES_PER_SECOND, Aim


def contenders(quick: bool) -> list[Contender]:
    """Ours, Keras three times, and the loop."""
    workload = workloads.mnist(quick)
    return [ours(workload), *(keras(name, workload) for name in KERAS), pytorch(workload)]


QUESTION = Question(
    contenders,
    SAMPLES_PER_SECOND,
    minutes=13,
    aims=(
        Aim(KERAS_TENSORFLOW, (KERAS_TENSORFLOW,), ratio=4, moonshot=6),
        Aim("a PyTorch loop", (PYTORCH,), ratio=3, moonshot=4),
    ),
    devices=("cpu", "gpu"),
)
