"""Is clearcnn still faster when the others have their best settings, or larger batches?

A sceptic's question. The tutorial, warm, with `jit_compile` on and off, with `steps_per_execution`
1, 7 and a whole epoch; the loop in PyTorch on one thread and on as many as PyTorch chooses.
Then everything with batches of 256 instead of 50, which save every contender four fifths of the
steps; these are compared with clearcnn at 256.
"""

import dataclasses
from pathlib import Path

from benchmarks import workloads
from benchmarks.contest import Contender
from benchmarks.lineup import (
    KERAS_JAX,
    KERAS_PYTORCH,
    KERAS_TENSORFLOW,
    OURS,
    PYTORCH,
    PYTORCH_ONE_THREAD,
    keras,
    ours,
    pytorch,
)
from benchmarks.question import Question
from benchmarks.record import Record
from benchmarks.tables import SECONDS, compare

LARGE_BATCH = 256
_LARGE = f", batches of {LARGE_BATCH}"


def contenders(quick: bool) -> list[Contender]:
    """Ours, and every setting of the others; then everything with larger batches."""
    small = workloads.digits(quick)
    large = dataclasses.replace(small, batch_size=LARGE_BATCH)
    found = []
    for workload, suffix in ((small, ""), (large, _LARGE)):
        found.append(ours(workload, name=OURS + suffix))
        for backend, jit in (
            (KERAS_TENSORFLOW, "yes"),
            (KERAS_TENSORFLOW, "no"),
            (KERAS_JAX, "yes"),
            (KERAS_PYTORCH, "no"),
        ):
            # The PyTorch backend's `fit` has no compiled steps to combine.
            for steps in ("1",) if quick or backend == KERAS_PYTORCH else ("1", "7", "0"):
                name = f"{backend}, jit {jit}, {steps if steps != '0' else 'all'} at once{suffix}"
                settings = ("--jit", jit, "--steps-per-execution", steps)
                found.append(keras(backend, workload, *settings, name=name))
        found.append(pytorch(workload, name=PYTORCH + suffix))
        found.append(pytorch(workload, "--threads", "1", name=PYTORCH_ONE_THREAD + suffix))
    return found


def answer(_: Question, record: Record, __: Path) -> str:
    """One table for each size of batch."""
    parts = []
    for is_large in (False, True):
        runs = tuple(run for run in record.runs if run.contender.endswith(_LARGE) == is_large)
        parts.append(compare(dataclasses.replace(record, runs=runs), SECONDS))
    return "\n\n".join(parts)


QUESTION = Question(contenders, SECONDS, minutes=15, rounds=3, answer=answer)
