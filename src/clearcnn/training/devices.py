"""Several JAX devices: the batch is shared out, everything else is on each of them.

XLA sees where the batch lies and adds the sums over devices by itself, so the step stays
Keras's own, and the results are those of one device to float tolerance. Devices may belong to
several processes joined by `jax.distributed.initialize`; each is then given the same data.
"""

from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

_AXIS = "batch"


def is_spread() -> bool:
    """Tell whether there is more than one device."""
    return jax.device_count() > 1


def place(tree: Any) -> Any:
    """Put arrays whole on every device.

    Args:
      tree: a pytree of arrays, the same in every process.
    Returns:
      The same pytree of `jax.Array`.
    """
    if not is_spread():
        # Not jax.numpy.asarray, which compiles a copy for each shape and keeps it for ever.
        return jax.device_put(tree)
    sharding = whole_everywhere()
    if jax.process_count() == 1:
        return jax.device_put(tree, sharding)
    return jax.tree.map(
        lambda a: jax.make_array_from_process_local_data(sharding, np.asarray(a), np.shape(a)), tree
    )


def fetch(tree: Any) -> Any:
    """Bring arrays that are whole on every device back to one, as Keras expects them."""
    return jax.tree.map(np.asarray, tree) if is_spread() else tree


def whole_everywhere() -> Any:
    """Give the sharding of what `place` places, or None for one device."""
    return NamedSharding(_mesh(), PartitionSpec()) if is_spread() else None


def share_batch(batch: Any) -> Any:
    """Inside a program, share the samples of a batch out among the devices.

    A batch that the devices do not divide stays whole on each of them.
    """
    if not is_spread():
        return batch
    mesh = _mesh()

    def share(array: Any) -> Any:
        if array.shape[0] % mesh.size:
            return array
        return jax.lax.with_sharding_constraint(array, NamedSharding(mesh, PartitionSpec(_AXIS)))

    return jax.tree.map(share, batch)


def _mesh() -> Mesh:
    return Mesh(np.asarray(jax.devices()), (_AXIS,))
