"""Muon for convolutions: updates of their kernels are made orthogonal; the rest follows Adam.

A kernel's momentum, a matrix of one column per filter, is replaced by the nearest matrix whose
singular values are all about 1, so that rare directions are learnt as fast as frequent ones.
Keras's own Muon leaves the kernels of convolutions to Adam.

Source: Jordan 2024, "Muon: An optimizer for hidden layers in neural networks". The scale, at which
a step is as long as one of Adam's, is that of Liu 2025, arXiv:2502.16982.
"""

import math

import jax
import keras
from keras import ops

from clearcnn.types import Arguments

# The quintic iteration that raises small singular values fastest, to between 0.7 and 1.2.
_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
_STEPS = 5
_STEP_OF_ADAM = 0.2
# Kernels on the pixels themselves, of up to 4 channels, are too small to gain by it; and in a
# DepthwiseConv2D every channel has its own filters.
_MOST_PIXEL_CHANNELS = 4


@keras.saving.register_keras_serializable(package="clearcnn")
class ConvolutionMuon(keras.optimizers.Optimizer):  # type: ignore[misc]
    """Muon with Nesterov momentum for the kernels of convolutions, Adam for all other variables.

    Kernels of (rows, columns, channels, filters) with more than 4 channels and 4 filters are those
    of convolutions. Weight decay is decoupled, as in AdamW.

    Args:
      learning_rate, weight_decay: as for `keras.optimizers.AdamW`.
      adam_fraction: the learning rate of the other variables, as a fraction of `learning_rate`.
      momentum: of the kernels.
      beta_1, beta_2, epsilon: of Adam.
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 0.04,
        weight_decay: float | None = None,
        adam_fraction: float = 0.25,
        momentum: float = 0.95,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        name: str = "muon",
        **kwargs: object,
    ) -> None:
        super().__init__(
            learning_rate=learning_rate, weight_decay=weight_decay, name=name, **kwargs
        )
        self.adam_fraction = adam_fraction
        self.momentum = momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables: list[keras.Variable]) -> None:
        """Create the momentum of each variable, and the velocity of those that follow Adam."""
        if self.built:
            return
        super().build(variables)
        self.momentums = [self.add_variable_from_reference(v, name="momentum") for v in variables]
        self.velocities = [
            None if _is_kernel(v) else self.add_variable_from_reference(v, name="velocity")
            for v in variables
        ]

    def update_step(
        self, gradient: jax.Array, variable: keras.Variable, learning_rate: jax.Array
    ) -> None:
        """Change one variable."""
        index = self._get_variable_index(variable)
        gradient = ops.cast(gradient, variable.dtype)
        rate = ops.cast(learning_rate, variable.dtype)
        if self.velocities[index] is None:
            self._update_kernel(gradient, variable, rate, self.momentums[index])
        else:
            rate = rate * self.adam_fraction
            self._update_by_adam(
                gradient, variable, rate, self.momentums[index], self.velocities[index]
            )

    def _update_kernel(
        self,
        gradient: jax.Array,
        variable: keras.Variable,
        rate: jax.Array,
        momentum: keras.Variable,
    ) -> None:
        self.assign(momentum, self.momentum * momentum + gradient)
        ahead = gradient + self.momentum * momentum
        matrix = ops.reshape(ahead, (-1, variable.shape[-1]))
        scale = _STEP_OF_ADAM * math.sqrt(max(matrix.shape))
        update = ops.reshape(orthogonalize(matrix), variable.shape)
        self.assign_sub(variable, rate * scale * update)

    def _update_by_adam(
        self,
        gradient: jax.Array,
        variable: keras.Variable,
        rate: jax.Array,
        momentum: keras.Variable,
        velocity: keras.Variable,
    ) -> None:
        step = ops.cast(self.iterations + 1, variable.dtype)
        self.assign_add(momentum, (gradient - momentum) * (1 - self.beta_1))
        self.assign_add(velocity, (ops.square(gradient) - velocity) * (1 - self.beta_2))
        corrected = ops.sqrt(1 - ops.power(self.beta_2, step)) / (1 - ops.power(self.beta_1, step))
        self.assign_sub(variable, rate * corrected * momentum / (ops.sqrt(velocity) + self.epsilon))

    def get_config(self) -> Arguments:
        """Return the arguments of the constructor, for Keras to recreate the optimizer."""
        return {
            **super().get_config(),
            "adam_fraction": self.adam_fraction,
            "momentum": self.momentum,
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }


def _is_kernel(variable: keras.Variable) -> bool:
    return len(variable.shape) == 4 and min(variable.shape[2:]) > _MOST_PIXEL_CHANNELS


def orthogonalize(matrix: jax.Array) -> jax.Array:
    """Bring the singular values of a matrix near to 1 by five Newton-Schulz iterations.

    Args:
      matrix: (rows, columns).
    """
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = ops.transpose(matrix) if is_tall else matrix
    x = x / (ops.norm(x) + 1e-7)
    first, third, fifth = _NEWTON_SCHULZ
    for _ in range(_STEPS):
        gram = ops.matmul(x, ops.transpose(x))
        x = first * x + ops.matmul(third * gram + fifth * ops.matmul(gram, gram), x)
    orthogonal: jax.Array = ops.transpose(x) if is_tall else x
    return orthogonal
