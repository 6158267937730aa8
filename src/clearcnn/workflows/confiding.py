"""Fit what an answer's confidence means, on the validation part."""

from typing import Any

from clearcnn import evaluation
from clearcnn.bundle import Confidence
from clearcnn.workflows.plan import TrainPlan

_PREDICT_BATCH = 256


def fit_confidence(plan: TrainPlan, network: Any) -> Confidence | None:
    """Fit the temperature, and the threshold below which an image looks like none of the classes.

    Args:
      plan: what was trained on what.
      network: the trained Keras model.
    Returns:
      Confidence; None without a validation part. It has no threshold where fewer than 100
      images would have to say what one in a hundred is.
    """
    from clearcnn import prediction

    rows = plan.split.validation
    if not len(rows):
        return None
    images, labels = plan.images.images[rows], plan.images.labels[rows]
    probabilities = network.predict(images, batch_size=_PREDICT_BATCH, verbose=0)
    temperature = evaluation.fit_temperature(labels, probabilities)
    found = prediction.find_threshold(prediction.apply_temperature(probabilities, temperature))
    threshold, false_alarms = found or (None, None)
    return Confidence(temperature, threshold, false_alarms, len(rows))
