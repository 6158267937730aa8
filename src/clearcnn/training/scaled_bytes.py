"""Float images that are scaled bytes, kept as bytes until a batch needs them.

Most float images were bytes, divided by 255 or not at all. As bytes they take a quarter of the
memory, and a batch of them becomes the same floats, to the bit.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import export
from numpy.typing import NDArray

from clearcnn.types import Batch, NumPyArray

_CHUNK_BYTES = 2**18
# x / 255, x * (1 / 255), and x itself.
_SCALES = ((1.0, 255.0), (1 / 255, 1.0), (1.0, 1.0))


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class ScaledBytes:
    """A float32 array whose elements are `table[levels]`.

    Attributes:
      levels: uint8 (n, …).
      table: float32 (256,).
    """

    levels: jax.Array | NDArray[np.uint8]
    table: jax.Array | NDArray[np.float32]

    def __getitem__(self, rows: jax.Array) -> jax.Array:
        """Return rows as float32 (rows, …)."""
        # Not scaled anew: XLA replaces a division by a product, which rounds otherwise.
        chosen = jnp.asarray(self.levels)[rows]
        return jnp.asarray(self.table).at[chosen].get(mode="promise_in_bounds")


export.register_pytree_node_serialization(
    ScaledBytes,
    serialized_name="clearcnn.ScaledBytes",
    serialize_auxdata=lambda _: b"",
    deserialize_auxdata=lambda _: (),
)


def take_rows(data: Batch, rows: jax.Array) -> Batch:
    """Return the samples of some rows, with scaled bytes as floats."""
    batch: Batch = jax.tree.map(
        lambda array: array[rows], data, is_leaf=lambda each: isinstance(each, ScaledBytes)
    )
    return batch


def find_bytes(array: NumPyArray) -> ScaledBytes | None:
    """Return a float array as scaled bytes if that loses nothing.

    Args:
      array: (n, …), n > 0.
    Returns:
      None if the array is not float32, or if some element is not a byte times a scale.
    """
    if array.dtype != np.float32:
        return None
    for scale, divisor in _SCALES:
        table = np.arange(256, dtype=np.float32) * np.float32(scale) / np.float32(divisor)
        levels = _find_levels(array, table, np.float32(divisor / scale))
        if levels is not None:
            return ScaledBytes(levels, table)
    return None


def _find_levels(
    array: NDArray[np.float32], table: NDArray[np.float32], levels_per_unit: np.float32
) -> NDArray[np.uint8] | None:
    levels = np.empty(array.shape, np.uint8)
    step = max(1, _CHUNK_BYTES // max(1, array[0].nbytes))
    for start in range(0, len(array), step):
        chunk = np.ascontiguousarray(array[start : start + step])
        with np.errstate(over="ignore"):
            nearest = np.rint(chunk * levels_per_unit)
        # NaN becomes 0.
        found = np.fmin(np.fmax(nearest, 0), 255).astype(np.uint8)
        # By their bits, since -0 equals 0.
        if not np.array_equal(table[found].view(np.uint32), chunk.view(np.uint32)):
            return None
        levels[start : start + step] = found
    return levels
