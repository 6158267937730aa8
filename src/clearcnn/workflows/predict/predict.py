"""`predict`: predictions for new images, without Keras."""

import warnings
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clearcnn import prediction
from clearcnn.contract import InputContract
from clearcnn.data import PreparedImage, find_image_remedy
from clearcnn.errors import DataError, SpecError
from clearcnn.language import say
from clearcnn.results.pictures import Pictures
from clearcnn.results.predict import ClassProbability, Prediction, Predictions
from clearcnn.workflows.predict.given_images import GivenImage, ImageArray, list_images
from clearcnn.workflows.predict.input_files import ImageFile
from clearcnn.workflows.runs.load_onnx_model import OpenModel, open_model
from clearcnn.workflows.runs.preprocess import match_polarity, prepare_image

BATCH_SIZE = prediction.BATCH_SIZE
MOST_PICTURES = 24
"""The number of images kept, to be shown in a notebook."""


def predict(
    run: Path | str,
    images: GivenImage | Iterable[GivenImage],
    *,
    top: int = 3,
    abstain_below: float = 0.0,
    keep_polarity: bool = False,
) -> Predictions:
    """Predict the classes of images with the model of a run folder.

    Files and Pillow images are converted to the size, colours, value range and polarity of those
    that the model was trained on; each prediction lists the conversions. Arrays must have the
    shape and the values of the training images. 32 images are read at a time.

    Args:
      run: a run folder.
      images: an image file, a folder of them, a table with one image in each row, a Pillow image,
        an array, or an iterable of these; "-" is stdin. An array is one image, (height, width) or
        (height, width, channels), or several, with one more axis first.
      top: most classes to list for each image, >= 1.
      abstain_below: in [0, 1]; below this confidence the prediction is None.
      keep_polarity: do not invert images of the opposite polarity.
    Returns:
      Predictions: like a list of one Prediction for each image, in order. One that cannot be read
      has an `error`; the others are predicted. `pandas.DataFrame(predictions.rows())` is a table.
    Raises:
      ClearCNNError: the run folder, its model, an option, a folder or an array is invalid; raised
        before any image is read.
    Warns:
      UserWarning: images have a very different range of values from the training images.
    """
    check_options(top, abstain_below)
    model = open_model(run)
    return Predictions(
        predict_files(
            model,
            list_images(images, model.manifest.input),
            top=top,
            abstain_below=abstain_below,
            keep_polarity=keep_polarity,
            num_pictures=MOST_PICTURES,
        )
    )


def check_options(top: int, abstain_below: float) -> None:
    """Raise a SpecError if an option of `predict` is out of range."""
    if top < 1:
        raise SpecError(
            say("top is {top}; at least 1 was expected.", top=top), remedy=say("Give 1 or more.")
        )
    if not 0 <= abstain_below <= 1:
        raise SpecError(
            say(
                "abstain_below is {abstain_below:g}; a probability from 0 to 1 was expected.",
                abstain_below=abstain_below,
            ),
            remedy=say("Give a probability such as 0.9."),
        )


def predict_files(
    model: OpenModel,
    files: Iterable[ImageFile | ImageArray],
    *,
    top: int = 3,
    abstain_below: float = 0.0,
    keep_polarity: bool = False,
    num_pictures: int = 0,
) -> Iterator[Prediction]:
    """Predict images in order, with at most 32 in memory.

    Args:
      model: from `open_model`.
      files: from `find_image_files` or `list_images`.
      top, abstain_below, keep_polarity: as for `predict`.
      num_pictures: number of predictions, from the first, that keep their image.
    """
    left = num_pictures
    contract = model.manifest.input
    waiting = iter(files)
    while batch := tuple(islice(waiting, BATCH_SIZE)):
        prepared: list[PreparedImage | DataError] = []
        for file in batch:
            try:
                prepared.append(_prepare(file, contract, keep_polarity))
            except DataError as error:
                prepared.append(error)
        readable = [each for each in prepared if isinstance(each, PreparedImage)]
        images = np.array([each.pixels for each in readable], model.predictor.dtype)
        _warn_of_range(images, contract)
        outputs = model.predictor.predict_with_distances(images.reshape(-1, *model.predictor.shape))
        rows = zip(outputs.probabilities, flag_ood(model, outputs), strict=True)
        for file, each in zip(batch, prepared, strict=True):
            if isinstance(each, DataError):
                failed = Prediction(file.name, None, None, (), False, False, (), each.problem)
                yield failed.with_remedy(find_image_remedy(each))
            else:
                made = make_prediction(
                    model, file.name, *next(rows), each.preparation, top, abstain_below
                )
                if left > 0:
                    left -= 1
                    shown = Pictures(each.pixels[np.newaxis], contract.value_range)
                    made = made.with_pictures(shown)
                yield made


def _prepare(
    file: ImageFile | ImageArray, contract: InputContract, keep_polarity: bool
) -> PreparedImage:
    if isinstance(file, ImageFile):
        return prepare_image(file.read(), file.name, contract, keep_polarity=keep_polarity)
    image = PreparedImage(file.pixels, ())
    return image if keep_polarity else match_polarity(image, contract)


def _warn_of_range(images: NDArray[np.generic], contract: InputContract) -> None:
    """Warn once if images, (n, height, width, channels), have another range than in training."""
    if contract.pixel_range is None or not len(images):
        return
    rows = images.reshape(len(images), -1)
    mismatch = contract.pixel_range.find_mismatch(rows, what="A batch", model=say("the model"))
    if mismatch is not None:
        warnings.warn(mismatch, UserWarning, stacklevel=3)


def flag_ood(model: OpenModel, outputs: prediction.Predictions) -> NDArray[np.bool_]:
    """Return which images are out of distribution by the run's threshold, (n,) bool."""
    fitted, distances = model.manifest.confidence, outputs.distances
    if fitted is None:
        threshold = None
    elif distances is None or fitted.distance_threshold is None:
        distances, threshold = None, fitted.threshold
    else:
        threshold = fitted.distance_threshold
    return prediction.is_unlike(outputs.probabilities, distances, threshold)


def make_prediction(
    model: OpenModel,
    name: str,
    probabilities: NDArray[np.float32],
    is_unlike: bool | np.bool_,
    preparation: tuple[str, ...],
    top: int,
    abstain_below: float,
) -> Prediction:
    """Make the record of one prediction.

    Args:
      model: that made it.
      name: of the image.
      probabilities: (num_classes,) float32, calibrated.
      is_unlike: whether the image is out of distribution.
      preparation: how the image was converted, one sentence each.
      top: most classes to list, >= 1.
      abstain_below: in [0, 1].
    """
    class_names = model.manifest.class_names
    order = np.argsort(-probabilities, kind="stable")[:top]
    # Via str, so that JSON has the short decimal form of a float32: 0.1, not 0.10000000149.
    ranked = tuple(ClassProbability(class_names[k], float(str(probabilities[k]))) for k in order)
    confidence = ranked[0].probability
    abstained = confidence < abstain_below
    return Prediction(
        name=name,
        prediction=None if abstained else ranked[0].name,
        confidence=confidence,
        top=ranked,
        abstained=abstained,
        is_unlike=bool(is_unlike),
        preparation=preparation,
        error=None,
    )
