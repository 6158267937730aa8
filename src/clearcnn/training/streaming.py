"""A fit over data larger than memory: the same steps, chunk by chunk.

A chunk is as many batches as fit a fixed number of bytes. While one is trained on, the next is
read, since JAX does not wait for a program to end before it returns.
"""

import math
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from clearcnn.training import keras_state
from clearcnn.training.devices import place
from clearcnn.training.divergence import is_finite
from clearcnn.training.fit_arrays import FitArrays
from clearcnn.training.fit_loop import Course, Logs
from clearcnn.training.program import compile_steps
from clearcnn.training.streamed_array import StoredArray
from clearcnn.training.xla_options import compile_lowered

CHUNK_BYTES = 16 * 2**20


class StreamedCourse(Course):
    """A Course whose arrays stay in their files; never more than two chunks are in memory."""

    def _prepare(self, arrays: FitArrays, batch_sizes: tuple[int, int]) -> None:  # noqa: ARG002
        # Each epoch is a journey of its own through the file.
        self.chunk = 1
        self.batch_sizes = batch_sizes
        self._programs: dict[tuple[int, bool], Any] = {}

    def _compute(self, length: int) -> list[Logs]:  # noqa: ARG002
        before = self.state
        state, row = self._compute_one()
        logs = {name: float(value) for name, value in row.items()}
        if is_finite(state, row):
            self.state = state
            return [logs]
        self.state, self.diverged = before, logs
        return []

    def _compute_one(self) -> tuple[Any, Any]:
        arrays, (batch_size, validation_batch_size) = self.arrays, self.batch_sizes
        order = self.train_rows[self.shuffler.draw(1, 1)[0]]
        state = (*self.state[:3], self.fresh)
        state, logs = self._walk(state, arrays.train, order, batch_size, training=True)
        row = keras_state.metric_results(self.model, state, logs)
        if arrays.num_validation:
            trainable, other, optimizer, _ = state
            tested, logs = self._walk(
                (trainable, other, self.fresh),
                arrays.validation,
                arrays.validation_rows,
                validation_batch_size,
                training=False,
            )
            state = (*tested[:2], optimizer, tested[2])
            results = keras_state.metric_results(self.model, state, logs)
            row.update({f"val_{name}": value for name, value in results.items()})
        return state, row

    def _walk(
        self,
        state: Any,
        data: Any,
        rows: NDArray[np.int32],
        batch_size: int,
        *,
        training: bool,
    ) -> Any:
        per_chunk = batch_size * max(1, CHUNK_BYTES // (batch_size * _sample_bytes(data)))
        logs = None
        for start in range(0, len(rows), per_chunk):
            chunk = _read(data, rows[start : start + per_chunk])
            key = min(per_chunk, len(rows) - start), training
            if key not in self._programs:
                steps = compile_steps(self.model, key[0], batch_size, training=training)
                self._programs[key] = compile_lowered(steps.lower(state, chunk))
            # Reading may be faster than training: let no third chunk pile up.
            jax.block_until_ready(logs)
            state, logs = self._programs[key](state, chunk)
        return state, logs


def _sample_bytes(data: Any) -> int:
    size: int = sum(math.prod(a.shape[1:]) * a.dtype.itemsize for a in jax.tree.leaves(data))
    return max(1, size)


def _read(data: Any, rows: NDArray[np.int32]) -> Any:
    def read(leaf: Any) -> Any:
        return leaf.read(rows) if isinstance(leaf, StoredArray) else leaf[rows]

    return place(jax.tree.map(read, data))
