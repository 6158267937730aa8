"""Saliency maps of one image, and their sanity checks with untrained models."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clearcnn import bundle, models, report
from clearcnn.language import say
from clearcnn.results.explain import GradientMap, Grid, OcclusionMap
from clearcnn.workflows.explain.input_image import InputImage
from clearcnn.workflows.fitting.plan import find_ground
from clearcnn.workflows.runs.run_data import RunData

if TYPE_CHECKING:
    import jax

    from clearcnn.explanation import Network

Weights: TypeAlias = "Sequence[jax.Array] | None"

_NOISE_FRACTION = 0.15
_NUM_SAMPLES = 50
_NUM_UNTRAINED = 5


def make_saliency_maps(
    network: "Network",
    input_image: InputImage,
    predicted: int,
    manifest: bundle.Manifest,
    run_data: RunData | str,
    seed: int,
) -> tuple[GradientMap, OcclusionMap, report.UntrainedMaps]:
    """Compute both maps of the trained model, and check them against untrained models.

    Args:
      network: the model.
      input_image: the explained image.
      predicted: index of the predicted class.
      manifest: of the run.
      run_data: the images of the run, or why they are not available.
      seed: of SmoothGrad's noise and of the untrained weights.
    Returns:
      Both maps, and those of the untrained models.
    """
    from clearcnn import explanation

    pixels, name = input_image.pixels, manifest.class_names[predicted]
    noise = _NOISE_FRACTION * float(np.ptp(pixels.astype(np.float64)))
    patch = explanation.choose_patch(*pixels.shape[:2])
    fill, fill_source = _choose_fill(input_image, run_data)
    # Derived, so that no untrained model has the initial weights of the run.
    seeds = np.random.SeedSequence(seed, spawn_key=(1,)).generate_state(_NUM_UNTRAINED) >> 1
    shape, num_classes = manifest.input.shape, len(manifest.class_names)

    def differentiate(weights: Weights = None) -> NDArray[np.float64]:
        return explanation.smooth_gradient(
            network,
            pixels,
            predicted,
            noise=noise,
            num_samples=_NUM_SAMPLES,
            seed=seed,
            weights=weights,
        )

    def occlude(weights: Weights = None) -> tuple[NDArray[np.float64], float]:
        return explanation.occlude(network, pixels, predicted, patch, fill, weights=weights)

    gradient, (drops, largest) = differentiate(), occlude()
    gradients: list[NDArray[np.float64]] = []
    occlusions: list[NDArray[np.float64]] = []
    for other in seeds:
        model = models.build_model(manifest.model, shape, num_classes, int(other))
        weights = explanation.read_weights(model)
        gradients.append(differentiate(weights))
        occlusions.append(occlude(weights)[0])
    numbers = [int(other) for other in seeds]
    return (
        GradientMap(
            class_name=name,
            values=_grid(gradient),
            num_samples=_NUM_SAMPLES,
            noise=noise,
            seed=seed,
            sanity=explanation.correlate(gradient, gradients, numbers),
        ),
        OcclusionMap(
            class_name=name,
            values=_grid(drops),
            patch=patch.size,
            stride=patch.stride,
            fill=fill,
            fill_source=fill_source,
            largest_drop=largest,
            sanity=explanation.correlate(drops, occlusions, numbers),
        ),
        report.UntrainedMaps(tuple(gradients), tuple(occlusions)),
    )


def _choose_fill(input_image: InputImage, run_data: RunData | str) -> tuple[tuple[float, ...], str]:
    """Choose the fill: the training images' ground or mean, or else this image's border median."""
    channels = input_image.pixels.shape[-1]
    if isinstance(run_data, str):
        pixels = input_image.pixels
        border = [pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]
        medians = np.median(np.concatenate(border), axis=0)
        return tuple(map(float, medians)), say("the median of this image's border")
    images = run_data.images.images[run_data.splits.train]
    ground = find_ground(images)
    if ground is not None:
        return (ground,) * channels, say("the ground of the training images")
    means = images.mean(axis=(0, 1, 2), dtype=np.float64)
    return tuple(map(float, means)), say("the mean of the training images")


def _grid(values: NDArray[np.float64]) -> Grid:
    return tuple(tuple(map(float, row)) for row in values)
