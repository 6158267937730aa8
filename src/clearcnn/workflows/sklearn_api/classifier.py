"""`CNNClassifier`: a recipe as a scikit-learn estimator."""

import math
import numbers
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from clearcnn.errors import DataError
from clearcnn.results.train import History
from clearcnn.specs import ModelSpec, SplitSpec
from clearcnn.workflows.fitting.plan import choose_training
from clearcnn.workflows.fitting.trainer import Samples, Trainer
from clearcnn.workflows.sklearn_api.input_shapes import (
    check_same_shape,
    find_shape,
    flatten_images,
    to_pixels,
)
from clearcnn.workflows.sklearn_api.pickling import PicklableModel
from clearcnn.workflows.sklearn_api.pixel_range import PixelRange
from clearcnn.workflows.sklearn_api.sample_weights import weigh_images

_PIXEL_DTYPES = [np.float32, np.uint8]
_PREDICT_BATCH = 64


class CNNClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A small CNN for labelled images, as a scikit-learn classifier.

    X is images (n, height, width) or (n, height, width, channels), or rows of as many values,
    which give the same results. y is one label for each, of any kind that scikit-learn takes.
    Pixels are uint8, or else used as float32, in whatever range; they need no scaling, as the
    default recipe's model does that itself. Predicting for images of quite another range than
    those trained on, such as 0 to 1 after 0 to 255, is a UserWarning.

    Where epochs, batch_size, learning_rate or patience is None, the recipe decides. Fitting again
    starts anew. There is no `partial_fit`, since the learning rate follows a schedule over all
    epochs.

    Args:
      recipe: "default" or "tutorial".
      model: the layers, in place of the recipe's; a ModelSpec, or the path of a TOML file.
      image_shape: (height, width) or (height, width, channels) of the images in flat rows. None
        takes a row for a square image if the number of its values is a square, and otherwise
        for an image of one row of pixels.
      epochs, batch_size, learning_rate, patience: as in TrainSpec.
      validation_fraction: share of the images, in [0, 1), that is not trained on but says when
        to stop and which epoch was best; drawn by class. Without early stopping it is only
        measured. Where a class has too few images to share, and with 0, there is none: all
        images are trained on, for every epoch.
      class_weight: "balanced" for weights inversely proportional to how often a class occurs, a
        dict from label to weight, or None for equal weights.
      random_state: of the validation part, the first weights, the shuffles, dropout and
        augmentation: an int gives the same bits each time. None draws a seed from NumPy's
        global generator, as scikit-learn does, and a RandomState from itself.
      verbose: 0 is silent, 1 shows Keras's progress bar, 2 writes a line for each epoch.

    Attributes:
      classes_: (classes,) the labels, sorted.
      history_: History, the metrics of every epoch.
      model_: the trained `keras.Sequential`: images in, probabilities in the order of `classes_`
        out.
      image_shape_: (height, width, channels).
      pixel_range_: PixelRange, the values trained on.
      n_features_in_: values of one image.
      feature_names_in_: (n_features_in_,) names of the columns, if X had them.
    """

    classes_: NDArray[Any]
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
        class_weight: Mapping[Any, float] | str | None = None,
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

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "CNNClassifier":  # noqa: N803
        """Train from nothing.

        Args:
          X: images or rows.
          y: (n,) labels.
          sample_weight: (n,) >= 0, the share of each image in the loss, in training and
            validation; only the ratios count, and an image of weight 0 is as if not there.
        Returns:
          The estimator itself.
        Raises:
          ClearCNNError: a parameter is out of its range, the model can't be, or y has one
            class only.
          ValueError, TypeError: X, y or sample_weight are not what scikit-learn's own checks
            accept.
        """
        rows, found_shape = flatten_images(X)
        rows, labels = validate_data(self, rows, y, dtype=_PIXEL_DTYPES)
        check_classification_targets(labels)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, rows, ensure_non_negative=True)
            counted = sample_weight > 0
            rows, labels, sample_weight = rows[counted], labels[counted], sample_weight[counted]
        classes, codes = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise DataError(
                f"y holds one class, {labels.tolist()[0]!r}; two or more were expected.",
                remedy="Give images of another class, too.",
            )
        shape = find_shape(rows.shape[1], found_shape, self.image_shape)
        weights = weigh_images(codes, classes, self.class_weight, sample_weight)
        history, kept = self._train(to_pixels(rows, shape), codes, len(classes), weights)
        self.classes_, self.image_shape_, self.history_ = classes, shape, history
        self.pixel_range_ = PixelRange.of(rows)
        self._kept = kept
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Give the probability of each class.

        An image gets the same answer whatever images stand beside it.

        Args:
          X: images or rows.
        Returns:
          float64 (n, classes), in the order of `classes_`; rows sum to 1.
        Raises:
          DataError, ValueError, TypeError: X is not like the images trained on.
          NotFittedError: `fit` comes first.
        Warns:
          UserWarning: X has quite another range of values than the images trained on.
        """
        check_is_fitted(self, "_kept")
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

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """Give the most probable label of each image, (n,); takes and raises as predict_proba."""
        best = self.predict_proba(X).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[best]
        return labels

    @property
    def model_(self) -> Any:
        """The trained `keras.Sequential`."""
        check_is_fitted(self, "_kept")
        return self._kept.model

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def _train(
        self,
        images: NDArray[Any],
        codes: NDArray[np.intp],
        num_classes: int,
        weights: NDArray[Any] | None,
    ) -> tuple[History, PicklableModel]:
        seed = _draw_seed(self.random_state)
        train, validation = _part(codes, self.validation_fraction, seed)
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


def _draw_seed(random_state: Any) -> int:
    random = check_random_state(random_state)
    if isinstance(random_state, numbers.Integral):
        return int(random_state)
    return int(random.randint(2**32, dtype=np.uint32))


def _part(
    codes: NDArray[np.intp], fraction: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Give the rows to train and to validate on, shuffled; none of the latter if too few."""
    SplitSpec(validation_fraction=fraction, seed=seed)
    everything = np.arange(len(codes))
    counts = np.bincount(codes)
    num_validation = len(codes) - math.floor(len(codes) * (1.0 - fraction))
    smaller = min(num_validation, len(codes) - num_validation)
    if not fraction or counts.min() < 2 or smaller < len(counts):
        return everything, everything[:0]
    train, validation = train_test_split(
        everything, test_size=num_validation, random_state=seed, stratify=codes
    )
    return train, validation


def _predict(model: Any, images: NDArray[Any]) -> NDArray[Any]:
    """Answer in batches of one size, the last one filled up: one program, whatever n is."""
    whole = len(images) - len(images) % _PREDICT_BATCH
    rest = images[whole:]
    filled = np.zeros((_PREDICT_BATCH, *images.shape[1:]), images.dtype)
    filled[: len(rest)] = rest
    answers = [
        model.predict(part, batch_size=_PREDICT_BATCH, verbose=0)
        for part in (images[:whole], filled)
        if len(part)
    ]
    return np.concatenate(answers)[: len(images)]
