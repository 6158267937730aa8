"""The result of `train`: frozen records, the content of `metrics.json`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from clearcnn.language import join, say
from clearcnn.results.pictures import NOT_IN_JSON, Pictures
from clearcnn.results.record import Record, Reported, load_room
from clearcnn.results.scores import BinaryCurves, Calibration, Evaluation, Score
from clearcnn.specs import ModelSpec, SplitSpec, TrainSpec
from clearcnn.types import KerasModel


@dataclass(frozen=True)
class SkippedFile:
    """An unreadable file that was skipped at the user's request.

    Attributes:
      path: of the file.
      reason: why it cannot be read, in one sentence.
      remedy: what to do about it, in sentences; "" if unknown, as in a run that was read.
    """

    path: str
    reason: str
    remedy: str = field(default="", compare=False, metadata=NOT_IN_JSON)


def describe_skipped(files: Iterable[SkippedFile]) -> Iterator[str]:
    """Say of each file why it cannot be read, and what to do, each remedy once."""
    told = {""}
    for each in files:
        # Most reasons begin with the name.
        reason = each.reason if each.path in each.reason else join(": ", (each.path, each.reason))
        yield reason if each.remedy in told else join(" ", (reason, each.remedy))
        told.add(each.remedy)


@dataclass(frozen=True)
class ClassCount:
    """Images of one class, in total and per split."""

    name: str
    total: int
    train: int
    validation: int
    test: int


@dataclass(frozen=True, repr=False)
class DataSummary(Record):
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


@dataclass(frozen=True, repr=False)
class ModelSummary(Record):
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


@dataclass(frozen=True, repr=False)
class History:
    """One value per finished epoch and metric, named as Keras names them.

    It reads like the History of `keras.Model.fit`, and like its dict: `history["val_accuracy"]`
    and `history.history["val_accuracy"]` are the same.

    Attributes:
      metrics: name → values, such as loss, accuracy, val_loss, val_accuracy.
      best_epoch: 0-based epoch whose weights the model has; the last one, or the one that
        early stopping restored.
    """

    metrics: dict[str, tuple[float, ...]]
    best_epoch: int

    def __repr__(self) -> str:
        last = {name: values[-1] for name, values in self.metrics.items() if values}
        figures = ", ".join(f"{name} {value:.4f}" for name, value in last.items())
        return say(
            "History({num_epochs} epochs, the last with {figures})",
            num_epochs=self.num_epochs,
            figures=figures or say("no metrics"),
        )

    def __getitem__(self, name: str) -> tuple[float, ...]:
        """Return a metric's value after each epoch."""
        return self.metrics[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.metrics)

    def __len__(self) -> int:
        return len(self.metrics)

    def keys(self) -> list[str]:
        """The names of the metrics; with `[]`, this is what dict() and pandas.DataFrame need."""
        return list(self.metrics)

    @property
    def history(self) -> dict[str, list[float]]:
        """Each metric's values as a list, as Keras has them."""
        return {name: list(values) for name, values in self.metrics.items()}

    @property
    def epoch(self) -> list[int]:
        """The finished epochs, counted from 0, as Keras has them."""
        return list(range(self.num_epochs))

    @property
    def num_epochs(self) -> int:
        """Finished epochs."""
        return len(next(iter(self.metrics.values()), ()))


@dataclass(frozen=True, repr=False)
class Divergence(Record):
    """A training that ended in NaN or infinity; the last good state is kept.

    Attributes:
      epoch: the epoch that diverged, counted from 0.
      sentence: what happened.
      causes: likely causes with this training's figures, one sentence each, most likely first.
    """

    epoch: int
    sentence: str
    causes: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class FlipTrial(Record):
    """A short training on unchanged images, tested on validation images and their mirror images.

    Attributes:
      correct, correct_mirrored: validation images recognised as they are, and mirrored.
      total: validation images.
      harmed_classes: classes whose mirrored images are recognised less often, beyond chance.
      is_harmless: whether images are therefore mirrored at random in training.
    """

    correct: int
    correct_mirrored: int
    total: int
    harmed_classes: tuple[str, ...]
    is_harmless: bool


@dataclass(frozen=True, repr=False)
class TrainResult(Reported):
    """A finished training: the content of `metrics.json` and the report.

    Attributes:
      model_summary: the layers, with shapes, parameters and receptive fields.
      model_spec: the layers as they can be trained again.
      test: the evaluation on the test set.
      seconds: wall-clock seconds of each phase, in order, such as data, model, compile, fit.
      warnings: one sentence each.
      interrupted: the user stopped the training; the model is that of the last epoch.
      divergence: where the training diverged; None if it did not.
      flip_trial: the trial that decided whether to mirror images; None if there was none.
      advice: what would improve the model most, one sentence each.
      calibration: how far the confidence on the test set, as `predict` gives it, can be trusted;
        None in run folders of older versions.
      curves: ROC and precision-recall; None unless there are two classes.
      pictures: the first mistakes, to be shown in a notebook; not in the JSON.
    """

    recipe: str
    data: DataSummary
    split: SplitSpec
    model_summary: ModelSummary
    model_spec: ModelSpec
    train: TrainSpec
    history: History
    test: Evaluation
    seconds: dict[str, float]
    warnings: tuple[str, ...]
    interrupted: bool
    run_folder: Path
    divergence: Divergence | None = None
    flip_trial: FlipTrial | None = None
    advice: tuple[str, ...] = ()
    calibration: Calibration | None = None
    curves: BinaryCurves | None = None
    pictures: Pictures | None = field(default=None, repr=False, compare=False, metadata=NOT_IN_JSON)

    def __repr__(self) -> str:
        return say(
            "TrainResult({score} on the test set, run folder {run_folder!r})",
            score=self.score,
            run_folder=str(self.run_folder),
        )

    @property
    def score(self) -> Score:
        """The score on the test set."""
        return self.test.score

    @property
    def model(self) -> KerasModel:
        """The trained Keras model, loaded from the run folder each time.

        Raises:
          BundleError: the run folder was moved, deleted or altered.
        """
        return load_room("keras_model").load_model(self.run_folder)

    @property
    def page(self) -> Path:
        """The path of the report."""
        return self.run_folder / "report.html"
