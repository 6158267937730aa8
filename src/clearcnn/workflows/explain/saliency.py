"""Which pixels decided, and whether the maps that say so can be trusted."""

from typing import TYPE_CHECKING, Any

import numpy as np

from clearcnn import bundle, models, report
from clearcnn.results.explain import GradientMap, Grid, OcclusionMap
from clearcnn.workflows.explain.input_image import InputImage
from clearcnn.workflows.fitting.plan import measure_pixels
from clearcnn.workflows.runs.run_data import RunData

if TYPE_CHECKING:
    from clearcnn.explanation import Network

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
    """Make both maps of the trained model, and check them with models of random weights.

    Args:
      network: the model.
      input_image: the image.
      predicted: index of the class that was answered.
      manifest: of the run.
      run_data: the images of the run, or why there are none.
      seed: of SmoothGrad's noise and of the random weights.
    Returns:
      Both maps, and those of the random weights for the page.
    """
    from clearcnn import explanation

    pixels, name = input_image.pixels, manifest.class_names[predicted]
    noise = _NOISE_FRACTION * float(np.ptp(pixels.astype(np.float64)))
    patch = explanation.choose_patch(*pixels.shape[:2])
    fill, fill_source = _choose_fill(input_image, run_data)
    # Drawn from the seed, and never the first weights of the run itself.
    seeds = np.random.SeedSequence(seed, spawn_key=(1,)).generate_state(_NUM_UNTRAINED) >> 1
    shape, num_classes = manifest.input.shape, len(manifest.class_names)

    def differentiate(weights: Any = None) -> Any:
        return explanation.smooth_gradient(
            network,
            pixels,
            predicted,
            noise=noise,
            num_samples=_NUM_SAMPLES,
            seed=seed,
            weights=weights,
        )

    def cover(weights: Any = None) -> Any:
        return explanation.occlude(network, pixels, predicted, patch, fill, weights=weights)

    gradient, (drops, largest) = differentiate(), cover()
    gradients, occlusions = [], []
    for other in seeds:
        model = models.build_model(manifest.model, shape, num_classes, int(other))
        weights = explanation.read_weights(model)
        gradients.append(differentiate(weights))
        occlusions.append(cover(weights)[0])
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
    """Choose what covers: the ground of the training images, their mean, or this one's edge."""
    channels = input_image.pixels.shape[-1]
    if isinstance(run_data, str):
        pixels = input_image.pixels
        edge = [pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]
        medians = np.median(np.concatenate(edge), axis=0)
        return tuple(map(float, medians)), "the median along the edge of this picture"
    images = run_data.images.images[run_data.splits.train]
    ground = measure_pixels(images).ground
    if ground is not None:
        return (ground,) * channels, "the ground of the training images"
    means = images.mean(axis=(0, 1, 2), dtype=np.float64)
    return tuple(map(float, means)), "the mean of the training images"


def _grid(values: Any) -> Grid:
    return tuple(tuple(map(float, row)) for row in values)
