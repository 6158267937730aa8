"""`CNNClassifier`: a recipe as a scikit-learn estimator."""

import math
import numbers
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.pixel_range import PixelRange
from clearcnn.results.train import History
from clearcnn.specs import ModelSpec, SplitSpec
from clearcnn.types import Pixels
from clearcnn.workflows.fitting.plan import choose_training
from clearcnn.workflows.fitting.trainer import Samples, Trainer
from clearcnn.workflows.sklearn_api.input_shapes import (
    check_same_shape,
    find_shape,
    flatten_images,
    to_pixels,
)
from clearcnn.workflows.sklearn_api.pickling import PicklableModel
from clearcnn.workflows.sklearn_api.sample_weights import ClassWeight, Weights, weigh_images

if TYPE_CHECKING:
    import keras
    from sklearn.utils import Tags

_PIXEL_DTYPES = [np.float32, np.uint8]
_PREDICT_BATCH = 64


class CNNClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A small CNN for labelled images, as a scikit-learn classifier.

    X is images (n, height, width) or (n, height, width, channels), or the same images flattened to
    rows, with the same results. y is one label per image, of any type that scikit-learn accepts.
    Pixels are uint8; other dtypes are converted to float32. They need no scaling: the default
    recipe's model normalizes its input. Predicting images of a very different range from the
    training images', such as 0 to 1 after 0 to 255, emits a UserWarning.

    If epochs, batch_size, learning_rate or patience is None, the recipe's value is used. `fit`
    always starts from new weights. There is no `partial_fit`, since the learning rate follows a
    schedule over all epochs.

    Args:
      recipe: "default" or "tutorial".
      model: replaces the recipe's layers; a ModelSpec, or the path of a TOML file.
      image_shape: (height, width) or (height, width, channels) of flattened images. None assumes a
        square image if the number of values is a square, otherwise one row of pixels.
      epochs, batch_size, learning_rate, patience: as in TrainSpec.
      validation_fraction: fraction of the images, in [0, 1), for early stopping; stratified by
        class. Without early stopping it is only measured. If it is 0, or a class has too few
        images, there is no validation set: all images are trained on, for all epochs.
      class_weight: "balanced" for weights inversely proportional to class frequencies, a dict from
        label to weight, or None for equal weights.
      random_state: seed of the validation split, initial weights, shuffling, dropout and
        augmentation: an int gives the same bits each time. None draws a seed from NumPy's global
        generator, as in scikit-learn; a RandomState is drawn from.
      verbose: 0 is silent, 1 shows Keras's progress bar, 2 prints a line for each epoch.

    Attributes:
      classes_: (num_classes,) the labels, sorted.
      history_: History, the metrics of every epoch.
      model_: the trained `keras.Sequential`, from images to probabilities in the order of
        `classes_`.
      image_shape_: (height, width, channels).
      pixel_range_: PixelRange of the training images.
      n_features_in_: values per image.
      feature_names_in_: (n_features_in_,) column names, if X had them.
    """

    classes_: NDArray[np.generic]
    history_: History
    image_shape_: tuple[int, int, int]
    pixel_range_: PixelRange

    def __init__(
        self,
        *,
        recipe: str = "default",
        model: ModelSpec | Path | str | None = None,
        image_shape: Sequence[int] | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        patience: int | None = None,
        validation_fraction: float = 0.2,
        class_weight: ClassWeight = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.recipe = recipe
        self.model = model
        self.image_shape = image_shape
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.class_weight = class_weight
        self.random_state = random_state
        self.verbose = verbose

    def fit(
        self,
        X: ArrayLike,  # noqa: N803
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> "CNNClassifier":
        """Train from new weights.

        Args:
          X: images or rows.
          y: (n,) labels.
          sample_weight: (n,) >= 0, the weight of each image in the training and validation loss;
            only the ratios matter, and images of weight 0 are removed.
        Returns:
          The estimator itself.
        Raises:
          ClearCNNError: a parameter is out of range, the model is invalid, or y has only one
            class.
          ValueError, TypeError: scikit-learn's checks reject X, y or sample_weight.
        """
        rows, found_shape = flatten_images(X)
        rows, labels = validate_data(self, rows, y, dtype=_PIXEL_DTYPES)
        check_classification_targets(labels)
        checked_weight: Weights | None = None
        if sample_weight is not None:
            checked_weight = _check_sample_weight(sample_weight, rows, ensure_non_negative=True)
            kept = checked_weight > 0
            rows, labels, checked_weight = rows[kept], labels[kept], checked_weight[kept]
        classes, codes = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise DataError(
                say(
                    "y has one class, {labels!r}; two or more were expected.",
                    labels=labels.tolist()[0],
                ),
                remedy=say("Add images of another class."),
            )
        shape = find_shape(rows.shape[1], found_shape, self.image_shape)
        weights = weigh_images(codes, classes, self.class_weight, checked_weight)
        history, model = self._train(to_pixels(rows, shape), codes, len(classes), weights)
        self.classes_, self.image_shape_, self.history_ = classes, shape, history
        self.pixel_range_ = PixelRange.of(rows)
        self._picklable_model = model
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Predict the probability of each class.

        The prediction for an image does not depend on the other images.

        Args:
          X: images or rows.
        Returns:
          (n, num_classes) float64, in the order of `classes_`; rows sum to 1.
        Raises:
          DataError, ValueError, TypeError: X has another shape or dtype than the training images.
          NotFittedError: `fit` was not called.
        Warns:
          UserWarning: X has a very different range of values from the training images.
        """
        check_is_fitted(self, "_picklable_model")
        rows, found_shape = flatten_images(X)
        check_same_shape(found_shape, self.image_shape_)
        rows = validate_data(self, rows, dtype=_PIXEL_DTYPES, reset=False)
        mismatch = self.pixel_range_.find_mismatch(rows)
        if mismatch is not None:
            warnings.warn(mismatch, UserWarning, stacklevel=2)
        probabilities = _predict(self.model_, to_pixels(rows, self.image_shape_))
        probabilities = probabilities.astype(np.float64)
        result: NDArray[np.float64] = probabilities / probabilities.sum(axis=1, keepdims=True)
        return result

    def predict(self, X: ArrayLike) -> NDArray[np.generic]:  # noqa: N803
        """Predict the most probable label of each image, (n,); see `predict_proba`."""
        best = self.predict_proba(X).argmax(axis=1)
        labels: NDArray[np.generic] = self.classes_[best]
        return labels

    @property
    def model_(self) -> "keras.Sequential":
        """The trained `keras.Sequential`."""
        check_is_fitted(self, "_picklable_model")
        model: keras.Sequential = self._picklable_model.model
        return model

    def __sklearn_tags__(self) -> "Tags":
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _train(
        self,
        images: Pixels,
        codes: NDArray[np.intp],
        num_classes: int,
        weights: NDArray[np.float32] | None,
    ) -> tuple[History, PicklableModel]:
        seed = _draw_seed(self.random_state)
        train, validation = _split(codes, self.validation_fraction, seed)
        names = ("epochs", "batch_size", "learning_rate", "patience")
        settings = {name: getattr(self, name) for name in names}
        model_spec, train_spec, _ = choose_training(
            images[train],
            num_classes,
            recipe=self.recipe,
            seed=seed,
            model=self.model,
            settings={name: value for name, value in settings.items() if value is not None},
        )

        def select(rows: NDArray[np.intp]) -> Samples:
            return Samples(images[rows], codes[rows], None if weights is None else weights[rows])

        trainer = Trainer(model_spec, train_spec, images.shape[1:], num_classes, len(train))
        history = trainer.fit(
            select(train), select(validation) if len(validation) else None, verbose=self.verbose
        )
        return history, PicklableModel(trainer.network, model_spec, images.shape[1:], num_classes)


def _draw_seed(random_state: int | np.random.RandomState | None) -> int:
    random = check_random_state(random_state)
    if isinstance(random_state, numbers.Integral):
        return int(random_state)
    return int(random.randint(2**32, dtype=np.uint32))


def _split(
    codes: NDArray[np.intp], fraction: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows of the training and validation set, the latter empty if there are too few."""
    SplitSpec(validation_fraction=fraction, seed=seed)
    rows = np.arange(len(codes))
    counts = np.bincount(codes)
    num_validation = len(codes) - math.floor(len(codes) * (1.0 - fraction))
    smaller = min(num_validation, len(codes) - num_validation)
    if not fraction or counts.min() < 2 or smaller < len(counts):
        return rows, rows[:0]
    train, validation = train_test_split(
        rows, test_size=num_validation, random_state=seed, stratify=codes
    )
    return train, validation


def _predict(model: "keras.Model", images: Pixels) -> NDArray[np.float32]:
    """Predict in batches of one size, the last one padded, so that one program serves any n."""
    num_whole = len(images) - len(images) % _PREDICT_BATCH
    rest = images[num_whole:]
    padded = np.zeros((_PREDICT_BATCH, *images.shape[1:]), images.dtype)
    padded[: len(rest)] = rest
    probabilities = [
        model.predict(batches, batch_size=_PREDICT_BATCH, verbose=0)
        for batches in (images[:num_whole], padded)
        if len(batches)
    ]
    return np.concatenate(probabilities)[: len(images)]
