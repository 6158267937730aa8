"""A trained Keras model as pure functions of weights and images."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import jax
import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearcnn.backend import load_keras

if TYPE_CHECKING:
    import keras
else:
    keras = load_keras()

Array = NDArray[np.float32]
_BATCH = 256


class Network:
    """A sequential Keras model that ends in softmax, with its own weights or others.

    The functions are compiled once per number of images; weights are arguments.
    """

    def __init__(self, model: "keras.Sequential", temperature: float = 1.0) -> None:
        """Wrap a model.

        Args:
          model: a built `keras.Sequential`; its last layer is Dense with softmax, or Activation
            softmax.
          temperature: divides the logits before softmax; calibrates the probabilities.
        """
        self.model = model
        self.temperature = temperature
        self._logits = jax.jit(self._compute_logits)
        self._features = jax.jit(self._compute_features)
        self._slopes = jax.jit(jax.grad(self._sum_of_class, argnums=1))

    def logits(self, images: ArrayLike, weights: Sequence[jax.Array] | None = None) -> Array:
        """Compute the logits.

        Args:
          images: (n, height, width, channels), pixel values as the model takes them.
          weights: in the order of `model.weights`; None for the model's own.
        Returns:
          (n, num_classes) float32.
        """
        return self._in_batches(self._logits, images, weights)

    def probabilities(self, images: ArrayLike, weights: Sequence[jax.Array] | None = None) -> Array:
        """Compute the softmax of `logits`, divided by the temperature."""
        logits = self.logits(images, weights) / np.float32(self.temperature)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def features(self, images: ArrayLike) -> Array:
        """Compute the input of the last layer with weights, (n, num_features) float32."""
        return self._in_batches(self._features, images, None)

    def slopes(
        self, images: ArrayLike, class_index: int, weights: Sequence[jax.Array] | None = None
    ) -> Array:
        """Compute the gradient of a class's logit with respect to the pixels.

        Args:
          images: (n, height, width, channels).
          class_index: of the class.
          weights: as for `logits`.
        Returns:
          (n, height, width, channels) float32, logit per unit of pixel value.
        """
        values = np.asarray(images, dtype=np.float32)
        return np.asarray(self._slopes(self._or_own(weights), values, class_index))

    def _in_batches(
        self,
        function: Callable[..., jax.Array],
        images: ArrayLike,
        weights: Sequence[jax.Array] | None,
    ) -> Array:
        every = np.asarray(images)
        own = self._or_own(weights)
        # A constant number of images per call, so that one compiled program serves all calls.
        size = min(_BATCH, len(every))
        found = []
        for start in range(0, len(every), size):
            batch = np.asarray(every[start : start + size], dtype=np.float32)
            missing = size - len(batch)
            filled = np.pad(batch, [(0, missing), (0, 0), (0, 0), (0, 0)])
            found.append(np.asarray(function(own, filled))[: len(batch)])
        return np.concatenate(found)

    def _or_own(self, weights: Sequence[jax.Array] | None) -> list[jax.Array]:
        # Read each time, since Keras's fit and predict replace the arrays of variables.
        return read_weights(self.model) if weights is None else list(weights)

    def _compute_logits(self, weights: Sequence[jax.Array], images: jax.Array) -> jax.Array:
        last = self.model.layers[-1]
        scores: jax.Array
        with self._with_weights(weights):
            values = self._run(images, len(self.model.layers) - 1)
            # Softmax is the activation of a Dense layer, or a layer of its own.
            if type(last).__name__ != "Dense":
                return values
            scores = keras.ops.matmul(values, last.kernel)
            return scores if last.bias is None else scores + last.bias

    def _compute_features(self, weights: Sequence[jax.Array], images: jax.Array) -> jax.Array:
        with self._with_weights(weights):
            values = self._run(images, find_last_weights(self.model))
        return values.reshape(len(images), -1)

    def _sum_of_class(
        self, weights: Sequence[jax.Array], images: jax.Array, class_index: jax.Array
    ) -> jax.Array:
        # Images are independent, so the gradient of the sum has each image's gradient.
        logits = self._compute_logits(weights, images)
        return logits[:, class_index].sum()

    def _run(self, values: jax.Array, num_layers: int) -> jax.Array:
        for layer in self.model.layers[:num_layers]:
            values = layer(values)
        return values

    def _with_weights(self, weights: Sequence[jax.Array]) -> "keras.StatelessScope":
        pairs = zip(self.model.weights, weights, strict=True)
        return keras.StatelessScope(state_mapping=list(pairs))


def read_weights(model: "keras.Sequential") -> list[jax.Array]:
    """Return the arrays of a model's weights, in the order of `model.weights`."""
    return [variable.value for variable in model.weights]


def find_last_weights(model: "keras.Sequential") -> int:
    """Return the index of the last layer with a kernel; of the last layer if there is none."""
    with_kernel = [
        index
        for index, layer in enumerate(model.layers)
        if any("kernel" in variable.name for variable in layer.weights)
    ]
    return with_kernel[-1] if with_kernel else len(model.layers) - 1
