"""A Keras model's loss, computed by CPU kernels."""

from collections.abc import Callable

import jax
import keras

from clearcnn.training.cpu_kernels.jaxpr_rewrite import rewrite
from clearcnn.training.cpu_kernels.microbatches import (
    LossAndUpdates,
    Values,
    choose_length,
    in_microbatches,
    treats_samples_alone,
)
from clearcnn.training.devices import is_spread
from clearcnn.types import Batch, PyTree


def loss_in_cpu_forms(model: keras.Model) -> Callable[..., LossAndUpdates]:
    """Return a substitute for `model.compute_loss_and_updates`: same values, same derivatives.

    Args:
      model: a compiled and built `keras.Model` on the JAX backend.
    Returns:
      A function with the signature of the method.
    """
    plain: Callable[..., LossAndUpdates] = model.compute_loss_and_updates
    splits = not is_spread() and treats_samples_alone(model)

    def loss_in_forms(
        trainable: Values,
        other: Values,
        metrics: Values,
        x: PyTree,
        y: PyTree,
        sample_weight: PyTree,
        training: bool = False,
        optimizer_variables: Values | None = None,
    ) -> LossAndUpdates:
        def loss(
            trainable: Values, other: Values, metrics: Values, data: Batch, rest: Values | None
        ) -> LossAndUpdates:
            return plain(
                trainable, other, metrics, *data, training=training, optimizer_variables=rest
            )

        args = (trainable, other, metrics, (x, y, sample_weight), optimizer_variables)
        batch_size = jax.tree.leaves(x)[0].shape[0]
        length = choose_length(loss, args, batch_size) if splits else batch_size
        form = rewrite(loss)
        return (form if length == batch_size else in_microbatches(form, length))(*args)

    return loss_in_forms
