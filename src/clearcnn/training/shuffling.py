"""In which order the samples are seen."""

from typing import Any

import numpy as np


class Shuffler:
    """Draws the order of the samples, epoch by epoch, the same for one seed in any chunks.

    Args:
      num_samples: of the training data.
      batch_size: matters to "batch" only.
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
        self.random: Any = np.random if seed is None else np.random.default_rng(seed)

    @property
    def state(self) -> Any:
        """Where the generator stands: that of a seed, or NumPy's global one."""
        if self.seed is None:
            return np.random.get_state(legacy=False)
        return self.random.bit_generator.state

    @state.setter
    def state(self, value: Any) -> None:
        if self.seed is None:
            np.random.set_state(value)
        else:
            self.random.bit_generator.state = value

    def draw(self, num_epochs: int, capacity: int) -> np.ndarray[Any, np.dtype[np.int32]]:
        """Give int32 (capacity, num_samples), of which the first `num_epochs` rows are drawn."""
        orders = np.zeros((capacity, self.num_samples), np.int32)
        for row in orders[:num_epochs]:
            row[:] = self._draw_one()
        return orders

    def _draw_one(self) -> Any:
        if self.shuffle == "batch":
            cuts = range(self.batch_size, self.num_samples, self.batch_size)
            batches = np.split(np.arange(self.num_samples), list(cuts))
            return np.concatenate([self.random.permutation(batch) for batch in batches])
        if self.shuffle:
            return self.random.permutation(self.num_samples)
        return np.arange(self.num_samples)
