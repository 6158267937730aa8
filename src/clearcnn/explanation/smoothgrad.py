"""SmoothGrad: the gradient of a class's logit, averaged over noisy samples."""

from collections.abc import Sequence

import jax
import numpy as np
from numpy.typing import NDArray

from clearcnn.explanation.keras_functions import Network
from clearcnn.types import Pixels


def smooth_gradient(
    network: Network,
    image: Pixels,
    class_index: int,
    *,
    noise: float,
    num_samples: int = 50,
    seed: int = 0,
    weights: Sequence[jax.Array] | None = None,
) -> NDArray[np.float64]:
    """Average the gradient of a class's logit over noisy samples of the image.

    The sign is kept: where it is positive, a brighter pixel raises the logit. The sum over
    channels is the slope when all channels change equally.

    Args:
      network: the model.
      image: (height, width, channels), pixel values.
      class_index: of the class.
      noise: standard deviation of the Gaussian noise, in pixel values; the paper takes 10 to
        20 % of the span of the image.
      num_samples: noisy samples; the paper finds little gain above 50.
      seed: of the noise.
      weights: instead of the network's own.
    Returns:
      (height, width) float64, logit per unit of pixel value.
    Source:
      Smilkov et al. 2017, SmoothGrad: removing noise by adding noise, arXiv:1706.03825; the
      gradient itself: Simonyan et al. 2014, arXiv:1312.6034.
    """
    pixels = np.asarray(image, dtype=np.float32)
    random = np.random.default_rng(seed)
    copies = pixels + random.normal(0, noise, (num_samples, *pixels.shape)).astype(np.float32)
    slopes = network.slopes(copies, class_index, weights)
    return np.asarray(slopes.astype(np.float64).mean(axis=0).sum(axis=-1))
