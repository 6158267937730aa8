"""The initial values of a Keras model's variables, computed by NumPy.

Keras computes them with JAX, which compiles a program for the shape of each: half a second for the
random numbers of a convolution, 30 ms for zeros. That was a fifth of a whole `clearcnn train` on
8×8 digits. The values here are Keras's, to the bit.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras


_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = np.uint32(0x1BD11BDA)
_MANTISSA_BITS = 23
_ONE = np.float32(1)


@contextmanager
def initial_values_by_numpy() -> Iterator[None]:
    """Compute the values of the variables that Keras creates in this context when it ends.

    Zeros, ones and GlorotUniform with a seed, in float32, are computed by NumPy, all others by
    Keras. In the context, variables have no value, and can only be created from initializers.
    """
    import keras
    from keras.src.backend.common import global_state

    with keras.StatelessScope():
        yield
        created: list[keras.Variable] = global_state.get_global_attribute(
            "uninitialized_variables", []
        )
        for variable in created:
            variable._initializer = _choose_initializer(variable)


def _choose_initializer(variable: "keras.Variable") -> Callable[..., object]:
    """Return NumPy's form of a variable's initializer, or that of Keras."""
    from keras import initializers

    keras_own: Callable[..., object] = variable._initializer
    if variable.dtype != "float32":
        return keras_own
    kind = type(variable._initializer)
    if kind is initializers.Zeros:
        return partial(_fill, 0)
    if kind is initializers.Ones:
        return partial(_fill, 1)
    seed = getattr(keras_own, "seed", None)
    if kind is not initializers.GlorotUniform or not isinstance(seed, int):
        return keras_own
    defaults = initializers.GlorotUniform(seed).get_config()
    has_defaults = variable._initializer.get_config() == defaults
    return partial(draw_glorot_uniform, seed) if has_defaults else keras_own


def _fill(value: float, shape: tuple[int, ...], **_: object) -> NDArray[np.float32]:
    return np.full(shape, value, np.float32)


def draw_glorot_uniform(seed: int, shape: tuple[int, ...], **_: object) -> NDArray[np.float32]:
    """Draw what `keras.initializers.GlorotUniform(seed)` draws on JAX.

    Source: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward
    neural networks": uniform within ± √(6 / (inputs + outputs)).

    Args:
      seed: in 0 to 2³² - 1.
      shape: of the kernel of a Dense or convolution; the last two sizes are channels in and out.
    """
    area = math.prod(shape[:-2])
    scale = 1.0 / max(1.0, area * (shape[-2] + shape[-1]) / 2.0)
    limit = np.float32(math.sqrt(3.0 * scale))
    bits = _draw_bits(np.uint32(seed), math.prod(shape)).reshape(shape)
    # In 1 to 2: the bits are the mantissa, as in `jax.random.uniform`.
    bits >>= np.uint32(32 - _MANTISSA_BITS)
    bits |= _ONE.view(np.uint32)
    fractions = bits.view(np.float32) - _ONE
    # XLA multiplies and adds with one rounding.
    scaled = fractions.astype(np.float64) * (limit - -limit) - limit
    return np.maximum(scaled.astype(np.float32), -limit)


def _draw_bits(seed: np.uint32, count: int) -> NDArray[np.uint32]:
    """Return the bits that JAX draws from the key (seed, 0): Threefry of the numbers from 0.

    Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011).
    """
    keys = (seed, np.uint32(0), seed ^ _PARITY)
    left = np.full(count, keys[0], np.uint32)
    right = np.arange(count, dtype=np.uint32)
    right += keys[1]
    for turn in range(5):
        for rotation in _ROTATIONS[turn % 2]:
            left += right
            low = right >> np.uint32(32 - rotation)
            right <<= np.uint32(rotation)
            right |= low
            right ^= left
        left += keys[(turn + 1) % 3]
        right += keys[(turn + 2) % 3]
        right += np.uint32(turn + 1)
    left ^= right
    return left
