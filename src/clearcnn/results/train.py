"""What came out: frozen records, the same for people, JSON and the report.

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
    """A file that could not be read and was left out because the user said so."""

    path: str
    reason: str


@dataclass(frozen=True)
class ClassCount:
    """Images of one class in all and in each part."""

    name: str
    total: int
    train: int
    validation: int
    test: int


@dataclass(frozen=True)
class DataSummary:
    """The data as it was read and parted.

    Attributes:
      source: what was read, in words.
      shape: of all images, (n, height, width) or (n, height, width, channels) if coloured.
      dtype: NumPy's name.
      value_range: the smallest and largest value an image of this kind may have.
      observed_range: the smallest and largest value seen.
      train, validation, test: images in each part.
      num_groups: None when the data has no groups.
      preparation: what was done to the pictures (resized, converted), one sentence each.
      content_hash: SHA-256 over images, labels and class names, hexadecimal.
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
      parameters: trainable or not.
      receptive_field: (height, width) in input pixels that one output value sees.
      multiply_adds: for one image.
      dense_parameters: for a convolution, the parameters of the Dense layer that would give
        as many outputs from the same inputs; None for every other layer.
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
    """The model, layer by layer, with sums.

    Attributes:
      mlp_parameters: parameters of the model whose convolutions are replaced by Dense layers
        with as many outputs.
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
        """Epochs that were finished."""
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
    """How much more accurate one model is than another, in fractions."""

    mean: float
    interval: Interval

    @property
    def verdict(self) -> str:
        """What the interval allows to say: better, worse, or neither."""
        if self.interval.low > 0:
            return "better"
        if self.interval.high < 0:
            return "worse"
        return "cannot be told apart on this data"


@dataclass(frozen=True)
class CalibrationBin:
    """Images of like confidence: how sure the model was, and how often right."""

    low: float
    high: float
    total: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Calibration:
    """Whether confidence means what it says.

    Attributes:
      error: the expected calibration error, in [0, 1].
      floor, floor_95: mean and 95th percentile of the error that a perfectly calibrated model
        would show on as many images.
    """

    error: float
    floor: float
    floor_95: float
    bins: tuple[CalibrationBin, ...]


@dataclass(frozen=True)
class CoveragePoint:
    """What it brings to answer only the surest images.

    Attributes:
      coverage: share of images answered, in (0, 1].
      answered, correct: images.
      threshold: the lowest confidence among those answered.
    """

    coverage: float
    answered: int
    correct: int
    threshold: float


@dataclass(frozen=True)
class Score:
    """Images right out of images scored; an accuracy is never without its counts."""

    correct: int
    total: int
    interval: Interval

    @property
    def accuracy(self) -> float:
        """Share of images right, in [0, 1]."""
        return self.correct / self.total


@dataclass(frozen=True)
class ClassScore:
    """One class's figures on the test part, in [0, 1], and the images behind them.

    Attributes:
      precision: None where the class was never predicted.
      recall, f1: None where the test part has no image of the class.
      support: test images of the class.
      predicted: test images taken for the class.
    """

    name: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int
    predicted: int


@dataclass(frozen=True)
class Mistake:
    """A test image taken for another class.

    Attributes:
      index: its row among all images of the source.
      name: its file name, or its row in words.
      confidence: the probability given to the wrong class, in [0, 1].
    """

    index: int
    name: str
    label: str
    prediction: str
    confidence: float


@dataclass(frozen=True)
class Evaluation:
    """What the model scored on one part of the data.

    Attributes:
      loss: mean cross-entropy in nats, without label smoothing.
      confusion: rows are true classes, columns predicted ones, in the order of `classes`.
      mistakes: every one, the most confident first.
    """

    score: Score
    loss: float
    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    mistakes: tuple[Mistake, ...]


@dataclass(frozen=True)
class Divergence:
    """A training that ended in numbers that are not finite; what came before is kept.

    Attributes:
      epoch: the one that went wrong, counted from 0.
      sentence: what happened.
      causes: the likely ones with this training's figures, one sentence each, the likeliest first.
    """

    epoch: int
    sentence: str
    causes: tuple[str, ...]


@dataclass(frozen=True)
class TrainResult:
    """A finished training: everything `metrics.json` and the report say.

    Attributes:
      seconds: wall-clock seconds of each phase, in order, such as data, model, compile, fit.
      warnings: one sentence each.
      interrupted: the user stopped the training early; the model is that of the last epoch.
      divergence: what ended the training before its time; None where all numbers stayed finite.
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
    """A trained model in a form that other programs run.

    Attributes:
      to: the form, such as "onnx".
      path: the file or folder that was made.
      files: every file of it, by path.
      largest_difference: between its probabilities and Keras's, absolute.
      num_images: that it was executed on.
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
