"""A trained Keras model as pure functions of weights and images."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

import jax
import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearcnn.backend import load_keras

if TYPE_CHECKING:
    import keras
else:
    keras = load_keras()

Array = NDArray[np.float32]
P = ParamSpec("P")
R = TypeVar("R")
_BATCH = 256


class Rewrite(Protocol):
    """Makes a function of JAX faster; results and derivatives stay, to float tolerance."""

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return the faster function."""


def _keep(function: Callable[P, R]) -> Callable[P, R]:
    return function


class Network:
    """A sequential Keras model that ends in softmax, with its own weights or others.

    Images are computed in batches of one size, so each function is compiled once; weights are
    arguments.
    """

    def __init__(
        self,
        model: "keras.Sequential",
        temperature: float = 1.0,
        rewrite: Rewrite = _keep,
    ) -> None:
        """Wrap a model.

        Args:
          model: a built `keras.Sequential`; its last layer is Dense with softmax, or Activation
            softmax.
          temperature: divides the logits before softmax; calibrates the probabilities.
          rewrite: makes the functions for many images faster, such as `training.rewrite_on_cpu`.
        """
        self.model = model
        self.temperature = temperature
        self._outputs = jax.jit(self._compute_outputs)
        self._logits_and_features = jax.jit(rewrite(self._compute_logits_and_features))
        self._slopes = jax.jit(jax.grad(rewrite(self._sum_of_class), argnums=1))

    def outputs(self, image: ArrayLike) -> list[Array]:
        """Compute the output of every layer for one image, in inference mode.

        Args:
          image: (height, width, channels), pixel values as the model takes them.
        Returns:
          In the order of the layers, (height, width, maps) or (units,) float32.
        """
        batch = np.asarray(image, dtype=np.float32)[np.newaxis]
        outputs = self._outputs(self._or_own(None), batch)
        return [np.asarray(values, dtype=np.float32)[0] for values in outputs]

    def logits_and_features(
        self, images: ArrayLike, weights: Sequence[jax.Array] | None = None
    ) -> tuple[Array, Array]:
        """Compute the logits, and the input of the last layer with weights.

        Args:
          images: (n, height, width, channels), pixel values as the model takes them.
          weights: in the order of `model.weights`; None for the model's own.
        Returns:
          (n, num_classes) and (n, num_features) float32.
        """
        every, own = np.asarray(images), self._or_own(weights)
        found = []
        for start in range(0, len(every), _BATCH):
            part = every[start : start + _BATCH]
            batch = np.zeros((_BATCH, *every.shape[1:]), np.float32)
            batch[: len(part)] = part
            pair = self._logits_and_features(own, batch)
            found.append([np.asarray(values)[: len(part)] for values in pair])
        logits, features = map(np.concatenate, zip(*found, strict=True))
        return logits, features

    def logits(self, images: ArrayLike, weights: Sequence[jax.Array] | None = None) -> Array:
        """Compute the logits.

        Args:
          images: (n, height, width, channels), pixel values as the model takes them.
          weights: in the order of `model.weights`; None for the model's own.
        Returns:
          (n, num_classes) float32.
        """
        return self.logits_and_features(images, weights)[0]

    def probabilities(self, images: ArrayLike, weights: Sequence[jax.Array] | None = None) -> Array:
        """Compute `softmax` of `logits`."""
        return self.softmax(self.logits(images, weights))

    def softmax(self, logits: Array) -> Array:
        """Divide logits (n, num_classes) by the temperature, and return their softmax."""
        scaled = logits / np.float32(self.temperature)
        powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def features(self, images: ArrayLike) -> Array:
        """Compute the input of the last layer with weights, (n, num_features) float32."""
        return self.logits_and_features(images)[1]

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

    def _or_own(self, weights: Sequence[jax.Array] | None) -> list[jax.Array]:
        # Read each time, since Keras's fit and predict replace the arrays of variables.
        return read_weights(self.model) if weights is None else list(weights)

    def _compute_outputs(self, weights: Sequence[jax.Array], images: jax.Array) -> list[jax.Array]:
        outputs, values = [], images
        with self._with_weights(weights):
            for layer in self.model.layers:
                values = layer(values)
                outputs.append(values)
        return outputs

    def _compute_logits_and_features(
        self, weights: Sequence[jax.Array], images: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        layers, last_weights = self.model.layers, find_last_weights(self.model)
        features = values = images
        with self._with_weights(weights):
            for index, layer in enumerate(layers[:-1]):
                if index == last_weights:
                    features = values
                values = layer(values)
            if last_weights == len(layers) - 1:
                features = values
            last = layers[-1]
            # Softmax is the activation of a Dense layer, or a layer of its own.
            if type(last).__name__ == "Dense":
                values = keras.ops.matmul(values, last.kernel)
                values = values if last.bias is None else values + last.bias
        return values, features.reshape(len(images), -1)

    def _sum_of_class(
        self, weights: Sequence[jax.Array], images: jax.Array, class_index: jax.Array
    ) -> jax.Array:
        # Images are independent, so the gradient of the sum has each image's gradient.
        logits, _ = self._compute_logits_and_features(weights, images)
        return logits[:, class_index].sum()

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
