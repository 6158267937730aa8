"""How long an epoch of a fit takes here: its compiled program, run on a few batches."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import keras
import numpy as np

from clearcnn.training.fit_arrays import arrange
from clearcnn.training.fit_loop import FitLoop
from clearcnn.training.fit_setup import set_up_fit
from clearcnn.types import Batch

_LEAST_SECONDS = 0.2


@dataclass(frozen=True)
class Pace:
    """The pace of a fit on this machine.

    Attributes:
      compile_seconds: to obtain the program; a later fit of the kind finds it in memory.
      epoch_seconds: of one epoch of training and validation, > 0.
    """

    compile_seconds: float
    epoch_seconds: float


def measure_pace(
    model: keras.Model,
    train: Batch,
    validation: Batch | None,
    *,
    batch_size: int,
    validation_batch_size: int,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Pace:
    """Compile the program of a fit, and run it on as many batches as take a fifth of a second.

    The model is built, and its weights stay as they are. Where the program cannot run on fewer
    samples, it runs a whole epoch.

    Args:
      model: a compiled `keras.Model`.
      train, validation: (x, y, sample_weight), as for `fit`.
      batch_size, validation_batch_size: as for `fit`.
      callbacks: of the fit that will follow, which decide how many epochs its program runs at once;
        they are not called.
    """
    arrays = arrange(*train, None, 0.0, validation)
    setup = set_up_fit(
        model,
        arrays,
        batch_size=batch_size,
        validation_batch_size=validation_batch_size,
        epochs=1,
        callbacks=callbacks,
        shuffle=True,
        seed=0,
    )
    start = time.perf_counter()
    loop = FitLoop(setup)
    compiled = time.perf_counter() - start

    def run(num_train: int, num_validation: int) -> float:
        """Run an epoch of the first samples; return its seconds."""
        orders = np.zeros((loop.sizes.chunk, loop.sizes.training.num_rows), np.int32)
        orders[:, : arrays.num_train] = arrays.train_rows
        counts = np.array([num_train, num_validation], np.int32)
        start = time.perf_counter()
        jax.block_until_ready(
            loop.program(loop.state, *loop.inputs[:-1], counts, orders, np.int32(1))
        )
        return time.perf_counter() - start

    if not loop.sizes.training.is_counted:
        return Pace(compiled, run(arrays.num_train, arrays.num_validation))
    run(min(batch_size, arrays.num_train), 0)
    num_samples, seconds = 0, 0.0
    while seconds < _LEAST_SECONDS and num_samples < arrays.num_train:
        num_samples = min(max(batch_size, 2 * num_samples), arrays.num_train)
        seconds = run(num_samples, 0)
    epoch = seconds * arrays.num_train / num_samples
    if arrays.num_validation:
        epoch += max(0.0, run(num_samples, arrays.num_validation) - seconds)
    return Pace(compiled, epoch)
