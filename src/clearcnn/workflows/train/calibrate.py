"""Fit what an answer's confidence means, and what is far from every class, after training."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcnn import evaluation
from clearcnn.bundle import Confidence
from clearcnn.contract import InputContract
from clearcnn.errors import ExportError
from clearcnn.ood import DistanceWeights
from clearcnn.temperature import apply_temperature
from clearcnn.workflows.fitting.plan import TrainPlan
from clearcnn.workflows.fitting.trainer import predict_probabilities

_MOST_IMAGES = 2_500
# Negatives are foreign, and pale images would make any grey ground known; they are near anyway.
_LEFT_OUT = ("inverted", "contrast")


def fit_distances(
    plan: TrainPlan, contract: InputContract, network: Any
) -> tuple[DistanceWeights, NDArray[np.float32]] | None:
    """Fit how far an image is from each class, on up to 2,500 training images.

    Each counts twice: as it is, and distorted in a way of the robustness table, so that what is
    only a little moved, turned, scaled, blurred or noisy is not far.

    Args:
      plan: what was trained on what.
      contract: what goes into the network.
      network: the trained Keras model.
    Returns:
      DistanceWeights, and the distances of the validation images to each class, as `model.onnx`
      will give them. None with fewer than 100 validation images, which no threshold could be
      found on, and where the network cannot be written as ONNX or has no features.
    """
    from clearcnn import export, prediction

    class_names, rows = plan.images.class_names, plan.splits.validation
    if len(rows) < prediction.FEWEST_IMAGES:
        return None
    try:
        model = export.build_features(network, class_names, contract)
        if model is None:
            return None
        images, labels = _choose_images(plan)
        (features,) = export.run_onnx(model.SerializeToString(), images).values()
        if not np.isfinite(features).all():
            return None
        weights = evaluation.fit_distances(features, labels)
        model = export.build_onnx(network, class_names, contract, distances=weights)
        names = [export.DISTANCES_NAME]
        found = export.run_onnx(model.SerializeToString(), plan.images.images[rows], outputs=names)
    except ExportError:
        # Why, is said where the network itself is written.
        return None
    return weights, found[export.DISTANCES_NAME]


def fit_confidence(
    plan: TrainPlan, network: Any, distances: NDArray[np.float32] | None = None
) -> Confidence | None:
    """Fit the temperature, and the threshold beyond which an image looks like none of the classes.

    Args:
      plan: what was trained on what.
      network: the trained Keras model.
      distances: of the validation images to each class; None finds a threshold of the
        confidence alone, which tells less.
    Returns:
      Confidence; None without a validation part. It has no threshold where fewer than 100
      images would have to say what one in a hundred is.
    """
    from clearcnn import prediction

    rows = plan.splits.validation
    if not len(rows):
        return None
    images, labels = plan.images.images[rows], plan.images.labels[rows]
    probabilities = predict_probabilities(network, images)
    temperature = evaluation.fit_temperature(labels, probabilities)
    calibrated = apply_temperature(probabilities, temperature)
    found = prediction.find_threshold(calibrated, distances)
    threshold, false_alarms = found or (None, None)
    if distances is None:
        return Confidence(temperature, threshold, false_alarms, len(rows))
    return Confidence(temperature, None, false_alarms, len(rows), threshold)


def _choose_images(plan: TrainPlan) -> tuple[Any, Any]:
    """Choose training images, evenly, and lay a distorted one beside each."""
    rows = plan.splits.train
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), _MOST_IMAGES)).astype(np.intp)]
    # In the order of their classes, each distortion meets them all.
    rows = rows[np.argsort(plan.images.labels[rows], kind="stable")]
    chosen, labels = plan.images.images[rows], plan.images.labels[rows]
    low, high = plan.images.value_range
    distortions = evaluation.make_distortions((low, high), seed=plan.train_spec.seed)
    ways = [distort for name, distort in distortions.items() if not name.startswith(_LEFT_OUT)]
    distorted = chosen.astype(np.float32)
    for position, distort in enumerate(ways):
        mine = slice(position, None, len(ways))
        variants = list(distort(distorted[mine]))
        for turn, variant in enumerate(variants):
            distorted[mine][turn :: len(variants)] = variant[turn :: len(variants)]
    if chosen.dtype.kind == "u":
        distorted = distorted.round()
    distorted = np.clip(distorted, low, high).astype(chosen.dtype)
    return np.concatenate([chosen, distorted]), np.concatenate([labels, labels])
