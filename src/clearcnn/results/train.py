"""What `train` and `export` give: frozen records, the same for people, JSON and the report.

`to_json` turns any of them into plain JSON values; `SCHEMA_VERSION` changes when a field does.
"""

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clearcnn.specs import ModelSpec, SplitSpec, TrainSpec

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class SkippedFile:
    """An unreadable file that was skipped at the user's request."""

    path: str
    reason: str


@dataclass(frozen=True)
class ClassCount:
    """Images of one class, in total and per split."""

    name: str
    total: int
    train: int
    validation: int
    test: int


@dataclass(frozen=True)
class DataSummary:
    """The data as it was read and split.

    Attributes:
      source: what was read, in words.
      shape: of all images, (n, height, width) or (n, height, width, channels) if coloured.
      dtype: NumPy's name.
      value_range: the smallest and largest value an image of this kind may have.
      observed_range: the smallest and largest value seen.
      train, validation, test: images per split.
      num_groups: None when the data has no groups.
      preparation: how images were converted (resized, to grey), one sentence each.
      content_hash: SHA-256 of images, labels and class names, hexadecimal.
    """

    source: str
    shape: tuple[int, ...]
    dtype: str
    value_range: tuple[float, float]
    observed_range: tuple[float, float]
    classes: tuple[ClassCount, ...]
    train: int
    validation: int
    test: int
    num_groups: int | None
    preparation: tuple[str, ...]
    skipped: tuple[SkippedFile, ...]
    content_hash: str


@dataclass(frozen=True)
class LayerSummary:
    """One row of the model table.

    Attributes:
      name: the layer's class and arguments, short, such as "Conv2D 10 · 3×3".
      output_shape: without the batch, (height, width, channels) or (units,).
      parameters: trainable and non-trainable.
      receptive_field: (height, width) in input pixels of one output value.
      multiply_adds: for one image.
      dense_parameters: for a convolution, the parameters of a Dense layer with the same
        inputs and outputs; None for other layers.
    """

    name: str
    layer: str
    output_shape: tuple[int, ...]
    parameters: int
    receptive_field: tuple[int, int]
    multiply_adds: int
    dense_parameters: int | None


@dataclass(frozen=True)
class ModelSummary:
    """The model, layer by layer, with totals.

    Attributes:
      mlp_parameters: parameters of the model with its convolutions replaced by Dense layers of
        the same inputs and outputs.
    """

    name: str
    input_shape: tuple[int, int, int]
    layers: tuple[LayerSummary, ...]
    parameters: int
    multiply_adds: int
    mlp_parameters: int


@dataclass(frozen=True)
class History:
    """One value per finished epoch and metric, named as Keras names them.

    Attributes:
      metrics: name → values, such as loss, accuracy, val_loss, val_accuracy.
      best_epoch: 0-based epoch whose weights the model has; the last one, or the one that
        early stopping restored.
    """

    metrics: dict[str, tuple[float, ...]]
    best_epoch: int

    @property
    def num_epochs(self) -> int:
        """Finished epochs."""
        return len(next(iter(self.metrics.values()), ()))


@dataclass(frozen=True)
class Interval:
    """A confidence interval, with the method that made it."""

    low: float
    high: float
    confidence: float
    method: str


@dataclass(frozen=True)
class Difference:
    """Difference in accuracy between two models, as a fraction."""

    mean: float
    interval: Interval

    @property
    def verdict(self) -> str:
        """Conclusion that the interval supports: better, worse, or neither."""
        if self.interval.low > 0:
            return "better"
        if self.interval.high < 0:
            return "worse"
        return "cannot be told apart on this data"


@dataclass(frozen=True)
class CalibrationBin:
    """One bin of a reliability diagram: mean confidence and accuracy."""

    low: float
    high: float
    total: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Calibration:
    """Reliability diagram and expected calibration error.

    Attributes:
      error: the expected calibration error, in [0, 1].
      floor, floor_95: mean and 95th percentile of the error of a perfectly calibrated model on
        the same number of images.
    """

    error: float
    floor: float
    floor_95: float
    bins: tuple[CalibrationBin, ...]


@dataclass(frozen=True)
class CoveragePoint:
    """Accuracy when only the most confident predictions are kept.

    Attributes:
      coverage: fraction of images kept, in (0, 1].
      answered, correct: images kept, and correct predictions among them.
      threshold: the lowest confidence kept.
    """

    coverage: float
    answered: int
    correct: int
    threshold: float


@dataclass(frozen=True)
class Score:
    """Correct predictions out of images scored; an accuracy always travels with its counts."""

    correct: int
    total: int
    interval: Interval

    @property
    def accuracy(self) -> float:
        """Fraction of correct predictions, in [0, 1]."""
        return self.correct / self.total


@dataclass(frozen=True)
class ClassScore:
    """One class's metrics on the test set, in [0, 1], with their counts.

    Attributes:
      precision: None if the class was never predicted.
      recall, f1: None if the test set has no image of the class.
      support: test images of the class.
      predicted: test images predicted as the class.
    """

    name: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int
    predicted: int


@dataclass(frozen=True)
class Mistake:
    """A misclassified test image.

    Attributes:
      index: its row among all images of the source.
      name: its file name, or its row in words.
      confidence: the probability of the predicted class, in [0, 1].
    """

    index: int
    name: str
    label: str
    prediction: str
    confidence: float


@dataclass(frozen=True)
class Evaluation:
    """The model's metrics on one split of the data.

    Attributes:
      loss: mean cross-entropy in nats, without label smoothing.
      confusion: rows are true classes, columns predicted classes, in the order of `classes`.
      mistakes: all of them, the most confident first.
    """

    score: Score
    loss: float
    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    mistakes: tuple[Mistake, ...]


@dataclass(frozen=True)
class Divergence:
    """A training that ended in NaN or infinity; the last good state is kept.

    Attributes:
      epoch: the epoch that diverged, counted from 0.
      sentence: what happened.
      causes: likely causes with this training's figures, one sentence each, most likely first.
    """

    epoch: int
    sentence: str
    causes: tuple[str, ...]


@dataclass(frozen=True)
class TrainResult:
    """A finished training: the content of `metrics.json` and the report.

    Attributes:
      seconds: wall-clock seconds of each phase, in order, such as data, model, compile, fit.
      warnings: one sentence each.
      interrupted: the user stopped the training; the model is that of the last epoch.
      divergence: where the training diverged; None if it did not.
    """

    recipe: str
    data: DataSummary
    split: SplitSpec
    model: ModelSummary
    model_spec: ModelSpec
    train: TrainSpec
    history: History
    test: Evaluation
    seconds: dict[str, float]
    warnings: tuple[str, ...]
    interrupted: bool
    run_folder: Path
    divergence: Divergence | None = None


@dataclass(frozen=True)
class ExportResult:
    """A trained model, exported for other programs.

    Attributes:
      to: the format, such as "onnx".
      path: the file or folder written.
      files: the paths of its files.
      largest_difference: largest absolute difference from Keras's probabilities.
      num_images: images used for the comparison.
    """

    to: str
    path: Path
    files: tuple[str, ...]
    largest_difference: float
    num_images: int


def to_json(record: Any) -> Any:
    """Turn a record into values `json.dumps` takes: NaN and infinities become None.

    The accuracy of a Score and the verdict on a Difference are included, so that no reader has to
    divide or compare.
    """
    if isinstance(record, Score):
        return {"accuracy": record.accuracy, **_fields(record)}
    if isinstance(record, Difference):
        return {"verdict": record.verdict, **_fields(record)}
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return _fields(record)
    if isinstance(record, dict):
        return {str(key): to_json(value) for key, value in record.items()}
    if isinstance(record, (tuple, list)):
        return [to_json(value) for value in record]
    if isinstance(record, Path):
        return str(record)
    if isinstance(record, float) and not math.isfinite(record):
        return None
    return record


def _fields(record: Any) -> dict[str, Any]:
    return {f.name: to_json(getattr(record, f.name)) for f in dataclasses.fields(record)}
