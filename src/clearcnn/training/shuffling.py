"""The order of the samples in each epoch."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from clearcnn.types import Arguments, NumPyArray


class _Permutes(Protocol):
    """NumPy's global generator or one of its own."""

    def permutation(self, x: int | NumPyArray, /) -> NumPyArray: ...


class Shuffler:
    """Draws the order of the samples, epoch by epoch; the chunks do not change what a seed draws.

    Args:
      num_samples: of the training data.
      batch_size: used by "batch" only.
      shuffle: True mixes all samples; "batch" mixes within each batch; False keeps the order.
      seed: int; None draws from NumPy's global generator, as Keras does.
    """

    def __init__(
        self, num_samples: int, batch_size: int, shuffle: bool | str, seed: int | None
    ) -> None:
        self.num_samples = num_samples
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self._generator = None if seed is None else np.random.default_rng(seed)
        self._random: _Permutes = self._generator or np.random

    @property
    def state(self) -> Arguments:
        """State of the generator: the one of the seed, or NumPy's global one."""
        if self._generator is None:
            return np.random.get_state(legacy=False)
        state: Arguments = dict(self._generator.bit_generator.state)
        return state

    @state.setter
    def state(self, value: Arguments) -> None:
        if self._generator is None:
            np.random.set_state(value)
        else:
            self._generator.bit_generator.state = value

    def draw(self, num_epochs: int, capacity: int) -> NDArray[np.int32]:
        """Return int32 (capacity, num_samples), of which the first `num_epochs` rows are drawn."""
        orders = np.zeros((capacity, self.num_samples), np.int32)
        for row in orders[:num_epochs]:
            row[:] = self._draw_one()
        return orders

    def _draw_one(self) -> NumPyArray:
        if self.shuffle == "batch":
            cuts = range(self.batch_size, self.num_samples, self.batch_size)
            batches = np.split(np.arange(self.num_samples), list(cuts))
            return np.concatenate([self._random.permutation(batch) for batch in batches])
        if self.shuffle:
            return self._random.permutation(self.num_samples)
        return np.arange(self.num_samples)
