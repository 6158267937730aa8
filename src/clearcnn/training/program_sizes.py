"""The sizes that a program is compiled for, so that similar trainings share it.

Numbers of samples are rounded up: a program has room for a few more, and is told how many there
are. Where a step cannot leave samples out, a program is made for one number of samples.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearcnn.types import NumPyArray

# A program has room for up to an eighth more samples, or for a few.
_STEPS_PER_OCTAVE = 8
_LEAST_STEP = 8
# The most arithmetic that may be wasted on filling up the last batch, as a share of an epoch.
_LARGEST_WASTE = 0.1
_ALIGNMENT = 64


@dataclass(frozen=True)
class Batches:
    """How a program steps through samples.

    Attributes:
      num_rows: the length of the order of samples that it is given.
      batch_size: samples in a full batch, > 0.
      last: samples in the last batch, which has a step of its own; 0 if there is none.
      is_counted: whether the number of samples is an input of the program. Then the last batch is
        filled up, to a full one if `last` is 0. Otherwise there are exactly `num_rows` samples.
    """

    num_rows: int
    batch_size: int
    last: int
    is_counted: bool


@dataclass(frozen=True)
class ProgramSizes:
    """The sizes that a program is compiled for.

    Attributes:
      training: the batches of an epoch.
      validation: those of the validation data; None without any.
      chunk: the most epochs that one call may run.
    """

    training: Batches
    validation: Batches | None
    chunk: int


def exact_batches(num_samples: int, batch_size: int) -> Batches:
    """Return batches for one number of samples."""
    return Batches(num_samples, batch_size, num_samples % batch_size, is_counted=False)


def counted_batches(num_samples: int, batch_size: int) -> Batches:
    """Return batches for all numbers of samples that round up to the same.

    Args:
      num_samples: > 0.
      batch_size: of `fit`, > 0. If that wastes little, one step serves all batches; otherwise full
        batches have a step that counts nothing.
    """
    room = round_up(num_samples)
    # Without a full batch, all samples are in one smaller batch.
    size = min(batch_size, room)
    num_rows = -(-room // size) * size
    rest = num_samples % size
    last = size
    if num_samples > size and (size - rest) % size > _LARGEST_WASTE * num_samples:
        eighth = -(-size // _STEPS_PER_OCTAVE)
        last = min(size, -(-rest // eighth) * eighth)
    if last == size:
        last = 0
    return Batches(num_rows, size, last, is_counted=True)


def even_batches(num_samples: int, batch_size: int) -> Batches:
    """Return counted batches of about one size, where the composition of batches does not matter.

    Args:
      num_samples: > 0.
      batch_size: the largest, > 0.
    """
    num_batches = -(-num_samples // batch_size)
    size = round_up(-(-num_samples // num_batches))
    return Batches(num_batches * size, size, 0, is_counted=True)


def round_up(count: int) -> int:
    """Return the room for a number of samples: the next of eight sizes between powers of two."""
    octave = 1 << (count - 1).bit_length() >> 1
    step = max(_LEAST_STEP, octave // _STEPS_PER_OCTAVE)
    return -(-count // step) * step


def fill_up(array: NumPyArray) -> NumPyArray:
    """Return an array with rows of zeros after its own, as many as there is room for.

    Args:
      array: (n, …).
    Returns:
      A copy that JAX uses on a CPU without another one.
    """
    room = round_up(len(array))
    size = array[0].nbytes
    memory = np.empty(room * size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    filled = memory[start : start + room * size].view(array.dtype).reshape(room, *array.shape[1:])
    filled[: len(array)] = array
    filled[len(array) :] = 0
    return filled


def fill_up_orders(orders: NDArray[np.int32], num_rows: int) -> NDArray[np.int32]:
    """Lengthen each order, (epochs, n), to `num_rows` by its first sample, which does not count."""
    missing = num_rows - orders.shape[1]
    return np.concatenate([orders, np.repeat(orders[:, :1], missing, axis=1)], axis=1)
