"""A Keras model's loss in its CPU forms."""

from collections.abc import Callable
from typing import Any

import jax

from clearcnn.training.cpu_kernels.jaxpr_rewrite import rewrite
from clearcnn.training.cpu_kernels.microbatches import (
    choose_length,
    in_microbatches,
    treats_samples_alone,
)
from clearcnn.training.devices import is_spread


def loss_in_cpu_forms(model: Any) -> Callable[..., Any]:
    """Make a stand-in for `model.compute_loss_and_updates`, same in values and derivatives.

    Args:
      model: a compiled and built `keras.Model` on the JAX backend.
    Returns:
      A function with the method's own signature.
    """
    plain = model.compute_loss_and_updates
    splits = not is_spread() and treats_samples_alone(model)

    def loss_in_forms(
        trainable: Any,
        other: Any,
        metrics: Any,
        x: Any,
        y: Any,
        sample_weight: Any,
        training: bool = False,
        optimizer_variables: Any = None,
    ) -> Any:
        def loss(trainable: Any, other: Any, metrics: Any, data: Any, rest: Any) -> Any:
            return plain(
                trainable, other, metrics, *data, training=training, optimizer_variables=rest
            )

        args = (trainable, other, metrics, (x, y, sample_weight), optimizer_variables)
        batch_size = jax.tree.leaves(x)[0].shape[0]
        length = choose_length(loss, args, batch_size) if splits else batch_size
        form = rewrite(loss)
        return (form if length == batch_size else in_microbatches(form, length))(*args)

    return loss_in_forms
