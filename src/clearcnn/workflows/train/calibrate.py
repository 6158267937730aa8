"""After training: fit the temperature, the distances to the classes, and a threshold for them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clearcnn import evaluation
from clearcnn.bundle import Confidence
from clearcnn.contract import InputContract
from clearcnn.errors import ExportError
from clearcnn.temperature import apply_temperature
from clearcnn.types import Pixels
from clearcnn.workflows.fitting.plan import TrainPlan
from clearcnn.workflows.fitting.trainer import predict_probabilities

if TYPE_CHECKING:
    import keras

_MOST_IMAGES = 2_500
# Inverted images are out of distribution. Images of low contrast are near as it is, and fitting on
# them would make any grey background count as near.
_LEFT_OUT = ("inverted", "contrast")


@dataclass(frozen=True, eq=False)
class DistanceModel:
    """A model that outputs distances, too.

    Attributes:
      onnx: the content of `model.onnx`.
      validation_distances: (n, num_classes), of the validation images.
    """

    onnx: bytes
    validation_distances: NDArray[np.float32]


def fit_distances(
    plan: TrainPlan, contract: InputContract, network: "keras.Model"
) -> DistanceModel | None:
    """Fit the distances of an image to the classes, on up to 2,500 training images.

    Each image is used twice: as it is, and with one distortion of the robustness table, so that
    images that are slightly shifted, rotated, scaled, blurred or noisy count as near.

    Args:
      plan: of the training.
      contract: the network's input contract.
      network: the trained Keras model.
    Returns:
      DistanceModel. None with fewer than 100 validation images, which are too few for a threshold,
      or if the network has no features or cannot be written as ONNX.
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
        onnx = model.SerializeToString()
        names = [export.DISTANCES_NAME]
        found = export.run_onnx(onnx, plan.images.images[rows], outputs=names)
    except ExportError:
        # `write_onnx` reports the reason.
        return None
    return DistanceModel(onnx, found[export.DISTANCES_NAME])


def fit_confidence(
    plan: TrainPlan, network: "keras.Model", distances: DistanceModel | None = None
) -> Confidence | None:
    """Fit the temperature, and the threshold beyond which an image is out of distribution.

    Args:
      plan: of the training.
      network: the trained Keras model.
      distances: of the validation images; None fits a threshold of the confidence, which detects
        less.
    Returns:
      Confidence; None without a validation set. It has no threshold if there are fewer than 100
      validation images, which are too few to estimate one false alarm in a hundred.
    """
    from clearcnn import prediction

    rows = plan.splits.validation
    if not len(rows):
        return None
    images, labels = plan.images.images[rows], plan.images.labels[rows]
    probabilities = predict_probabilities(network, images)
    temperature = evaluation.fit_temperature(labels, probabilities)
    calibrated = apply_temperature(probabilities, temperature)
    found = prediction.find_threshold(
        calibrated, None if distances is None else distances.validation_distances
    )
    threshold, false_alarms = found or (None, None)
    if distances is None:
        return Confidence(temperature, threshold, false_alarms, len(rows))
    return Confidence(temperature, None, false_alarms, len(rows), threshold)


def _choose_images(plan: TrainPlan) -> tuple[Pixels, NDArray[np.int64]]:
    """Choose evenly spaced training images, and add a distorted version of each."""
    rows = plan.splits.train
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), _MOST_IMAGES)).astype(np.intp)]
    # Sorted by class, so that each distortion is applied to images of every class.
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
