"""A fit over data larger than memory: the same steps, chunk by chunk.

A chunk is as many batches as fit a fixed number of bytes. While one is trained on, the next is
read, since JAX returns before a program has ended.
"""

import math

import jax
import numpy as np
from numpy.typing import NDArray

from clearcnn.training import keras_state
from clearcnn.training.devices import place
from clearcnn.training.divergence import is_finite
from clearcnn.training.fit_loop import FitLoop
from clearcnn.training.keras_state import State
from clearcnn.training.program import compile_steps
from clearcnn.training.streamed_array import StoredArray
from clearcnn.training.xla_options import compile_lowered
from clearcnn.types import Batch, Logs, PyTree

CHUNK_BYTES = 16 * 2**20


class StreamedFitLoop(FitLoop):
    """A FitLoop whose arrays stay in their files; at most two chunks are in memory."""

    def _prepare(self) -> None:
        # Each epoch reads the files anew.
        self.chunk = 1
        self._programs: dict[tuple[int, bool], jax.stages.Compiled] = {}

    def _compute(self, length: int) -> list[Logs]:  # noqa: ARG002
        before = self.state
        state, row = self._compute_one()
        logs = {name: float(value) for name, value in row.items()}
        if is_finite(state, row):
            self.state = state
            return [logs]
        self.state, self.diverged = before, logs
        return []

    def _compute_one(self) -> tuple[State, dict[str, jax.Array]]:
        setup, arrays = self.setup, self.arrays
        order = arrays.train_rows[setup.shuffler.draw(1, 1)[0]]
        state: State = (*self.state[:3], self.fresh)
        state, logs = self._stream(state, arrays.train, order, setup.batch_size, training=True)
        row = keras_state.metric_results(self.model, state, logs)
        if arrays.validation is not None and arrays.num_validation:
            trainable, other, optimizer, _ = state
            tested, logs = self._stream(
                (trainable, other, self.fresh),
                arrays.validation,
                arrays.validation_rows,
                setup.validation_batch_size,
                training=False,
            )
            state = (*tested[:2], optimizer, tested[2])
            results = keras_state.metric_results(self.model, state, logs)
            row.update({f"val_{name}": value for name, value in results.items()})
        return state, row

    def _stream(
        self,
        state: State,
        data: Batch,
        rows: NDArray[np.int32],
        batch_size: int,
        *,
        training: bool,
    ) -> tuple[State, dict[str, PyTree]]:
        per_chunk = batch_size * max(1, CHUNK_BYTES // (batch_size * _sample_bytes(data)))
        logs: dict[str, PyTree] = {}
        for start in range(0, len(rows), per_chunk):
            chunk = _read(data, rows[start : start + per_chunk])
            key = min(per_chunk, len(rows) - start), training
            if key not in self._programs:
                steps = compile_steps(self.model, key[0], batch_size, training=training)
                self._programs[key] = compile_lowered(steps.lower(state, chunk))
            # Reading may be faster than training: wait, so that there is no third chunk.
            jax.block_until_ready(logs)
            state, logs = self._programs[key](state, chunk)
        return state, logs


def _sample_bytes(data: Batch) -> int:
    size: int = sum(math.prod(a.shape[1:]) * a.dtype.itemsize for a in jax.tree.leaves(data))
    return max(1, size)


def _read(data: Batch, rows: NDArray[np.int32]) -> Batch:
    def read(leaf: PyTree) -> PyTree:
        return leaf.read(rows) if isinstance(leaf, StoredArray) else leaf[rows]

    chunk: Batch = place(jax.tree.map(read, data))
    return chunk
