"""What a command costs beside its trainings: the constants of every estimate."""

# Export, report and figures.
SECONDS_TO_KEEP = 4.0
# Of a training step's time, for one image.
_FORWARD_SHARE = 1 / 3


def predict_seconds(num_images: float, num_train: int, epoch_seconds: float) -> float:
    """Estimate the seconds that predicting some images takes.

    Args:
      num_images: predicted, each as often as it is.
      num_train: the images of an epoch, > 0.
      epoch_seconds: of that epoch.
    """
    return _FORWARD_SHARE * num_images / num_train * epoch_seconds
