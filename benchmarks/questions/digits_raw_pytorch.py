"""How long does `fit` take in a warm process, against a loop written by hand in PyTorch?

The tutorial again. The loop uses fused Adam and no data loader, synchronizes only once an epoch,
computes the same loss and accuracy of training and validation, and tries both memory layouts of
images. For work this small one thread may be faster than PyTorch's own choice, so both run, and the
faster one counts. The loop has no callbacks, no history object and no checks.
"""

from benchmarks import workloads
from benchmarks.contest import Contender
from benchmarks.lineup import PYTORCH, PYTORCH_ONE_THREAD, ours, pytorch
from benchmarks.question import Question
from benchmarks.tables import SECONDS, Aim


def contenders(quick: bool) -> list[Contender]:
    """Ours, and the loop twice."""
    workload = workloads.digits(quick)
    one_thread = pytorch(workload, "--threads", "1", name=PYTORCH_ONE_THREAD)
    return [ours(workload), pytorch(workload), one_thread]


QUESTION = Question(
    contenders,
    SECONDS,
    minutes=2,
    aims=(Aim("a PyTorch loop", (PYTORCH, PYTORCH_ONE_THREAD), ratio=3, moonshot=5),),
    rounds=7,
    devices=("cpu", "gpu"),
)
