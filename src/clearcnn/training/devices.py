"""Several JAX devices: each has a share of the batch, and a copy of everything else.

XLA sees where the batch lies and adds the sums over devices itself, so the step stays Keras's own,
and the results are those of one device to float tolerance. Devices may belong to several processes
joined by `jax.distributed.initialize`; each is then given the same data.
"""

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from clearcnn.types import Batch, PyTree

_AXIS = "batch"


def is_spread() -> bool:
    """Tell whether there is more than one device."""
    return jax.device_count() > 1


def place(tree: PyTree) -> PyTree:
    """Copy whole arrays to every device.

    Args:
      tree: a pytree of arrays, the same in every process.
    Returns:
      The same pytree of `jax.Array`.
    """
    sharding = replicated_sharding()
    if sharding is None:
        # Not jax.numpy.asarray, which compiles a program for each shape and keeps it for ever.
        return jax.device_put(tree)
    if jax.process_count() == 1:
        return jax.device_put(tree, sharding)
    return jax.tree.map(
        lambda a: jax.make_array_from_process_local_data(sharding, np.asarray(a), np.shape(a)), tree
    )


def fetch(tree: PyTree) -> PyTree:
    """Bring arrays that are whole on every device back to one, as Keras expects them."""
    return jax.tree.map(np.asarray, tree) if is_spread() else tree


def replicated_sharding() -> NamedSharding | None:
    """Return the sharding of arrays that `place` returns, or None for one device."""
    return NamedSharding(_mesh(), PartitionSpec()) if is_spread() else None


def share_batch(batch: Batch) -> Batch:
    """Inside a program, divide the samples of a batch among the devices.

    A batch size that is not divisible by the number of devices leaves it whole on each.
    """
    if not is_spread():
        return batch
    mesh = _mesh()

    sharding = NamedSharding(mesh, PartitionSpec(_AXIS))

    def share(array: jax.Array) -> jax.Array:
        if array.shape[0] % mesh.size:
            return array
        shared: jax.Array = jax.lax.with_sharding_constraint(array, sharding)
        return shared

    shared_batch: Batch = jax.tree.map(share, batch)
    return shared_batch


def _mesh() -> Mesh:
    return Mesh(np.asarray(jax.devices()), (_AXIS,))
