"""`predict`: answers for new pictures, one after the other, without Keras."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcnn import prediction
from clearcnn.data import PreparedImage
from clearcnn.errors import DataError, SpecError
from clearcnn.results.predict import ClassProbability, Prediction
from clearcnn.workflows.predict.input_files import PictureFile, find_pictures
from clearcnn.workflows.runs.load_onnx_model import OpenModel, open_model
from clearcnn.workflows.runs.preprocess import prepare_picture

BATCH_SIZE = prediction.BATCH_SIZE


def predict(
    run: Path | str,
    files: Path | str | Iterable[Path | str],
    *,
    top: int = 3,
    abstain_below: float = 0.0,
    keep_polarity: bool = False,
) -> Iterator[Prediction]:
    """Say what the model of a run folder takes pictures for.

    Pictures are brought to the size, colours, values and polarity of those the model was
    trained on; each answer says what was done. They are read 32 at a time.

    Args:
      run: a run folder.
      files: a picture file, a folder of them, or several of both; "-" is stdin.
      top: classes to name for each picture, >= 1; there may be fewer.
      abstain_below: in [0, 1]; with less confidence no class is given.
      keep_polarity: do not exchange light and dark.
    Returns:
      An iterator over one Prediction for each picture, in order. One that cannot be read has
      an `error`; the others are answered.
    Raises:
      ClearCNNError: the run folder, its model, an option or a folder is not as it must be;
        raised before any picture is read.
    """
    listed = [files] if isinstance(files, (str, Path)) else files
    check_options(top, abstain_below)
    model, found = open_model(run), find_pictures(listed)
    return answer(
        model,
        found.pictures,
        top=top,
        abstain_below=abstain_below,
        keep_polarity=keep_polarity,
    )


def check_options(top: int, abstain_below: float) -> None:
    """Raise a SpecError if an option of `predict` is out of its range."""
    if top < 1:
        raise SpecError(f"top is {top}; at least 1 was expected.", remedy="Name at least 1 class.")
    if not 0 <= abstain_below <= 1:
        raise SpecError(
            f"abstain_below is {abstain_below:g}; a probability from 0 to 1 was expected.",
            remedy="Give a probability such as 0.9.",
        )


def answer(
    model: OpenModel,
    pictures: Iterable[PictureFile],
    *,
    top: int = 3,
    abstain_below: float = 0.0,
    keep_polarity: bool = False,
) -> Iterator[Prediction]:
    """Answer for pictures in order; memory holds 32 of them at a time.

    Args:
      model: as `open_model` gave it.
      pictures: as `find_pictures` gave them.
      top, abstain_below, keep_polarity: as for `predict`.
    """
    contract = model.manifest.input
    waiting = iter(pictures)
    while batch := tuple(islice(waiting, BATCH_SIZE)):
        prepared: list[PreparedImage | str] = []
        for picture in batch:
            try:
                content = picture.read()
                prepared.append(
                    prepare_picture(content, picture.name, contract, keep_polarity=keep_polarity)
                )
            except DataError as error:
                prepared.append(error.problem)
        readable = [each for each in prepared if isinstance(each, PreparedImage)]
        images = np.array([each.pixels for each in readable], model.predictor.dtype)
        answers = model.predictor.predict_with_distances(images.reshape(-1, *model.predictor.shape))
        found = zip(answers.probabilities, find_unlike(model, answers), strict=True)
        for picture, each in zip(batch, prepared, strict=True):
            if isinstance(each, str):
                yield Prediction(picture.name, None, None, (), False, False, (), each)
            else:
                yield describe_answer(
                    model, picture.name, *next(found), each.preparation, top, abstain_below
                )


def find_unlike(model: OpenModel, answers: prediction.Predictions) -> NDArray[np.bool_]:
    """Tell which images look like none of the classes, by the threshold of the run; (n,) bool."""
    fitted, distances = model.manifest.confidence, answers.distances
    if fitted is None:
        threshold = None
    elif distances is None or fitted.distance_threshold is None:
        distances, threshold = None, fitted.threshold
    else:
        threshold = fitted.distance_threshold
    return prediction.is_unlike(answers.probabilities, distances, threshold)


def describe_answer(
    model: OpenModel,
    name: str,
    probabilities: Any,
    is_unlike: Any,
    preparation: tuple[str, ...],
    top: int,
    abstain_below: float,
) -> Prediction:
    """Make the record of one answer.

    Args:
      model: that gave it.
      name: of the picture.
      probabilities: (num_classes,) float32, calibrated.
      is_unlike: whether it looks like none of the classes.
      preparation: what was done to the picture, one sentence each.
      top: classes to name, >= 1.
      abstain_below: in [0, 1].
    """
    class_names = model.manifest.class_names
    order = np.argsort(-probabilities, kind="stable")[:top]
    # Through text, so that JSON has the digits of a float32 and not those of a float64 near it.
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
