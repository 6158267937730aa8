"""How many colour images of 32×32 pixels a second does training process, with batch normalization?

Three blocks of a `same` convolution (32, 64, 128 filters), batch normalization, ReLU and pooling;
batches of 128; two epochs of 10,000 synthetic images after a warm-up. Whole-batch statistics rule
out some of the CPU kernels that help elsewhere.
"""

from benchmarks import workloads
from benchmarks.contest import Contender
from benchmarks.lineup import KERAS_TENSORFLOW, keras, ours, pytorch
from benchmarks.question import Question
from benchmarks.tables import SAMPLES_PER_SECOND, Aim


def contenders(quick: bool) -> list[Contender]:
    """Ours, Keras/TensorFlow, and the loop."""
    workload = workloads.colour(quick)
    return [ours(workload), keras(KERAS_TENSORFLOW, workload), pytorch(workload)]


QUESTION = Question(
    contenders,
    SAMPLES_PER_SECOND,
    minutes=7,
    aims=(Aim(KERAS_TENSORFLOW, (KERAS_TENSORFLOW,), ratio=1.2, moonshot=1.6),),
    devices=("cpu", "gpu"),
)
