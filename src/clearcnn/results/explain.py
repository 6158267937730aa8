"""How a model came to its prediction for one image: frozen records, also its JSON.

Positions of layers count from 1, as in the model table; rows, columns and maps count from 0.
"""

from dataclasses import dataclass
from pathlib import Path

from clearcnn.language import say
from clearcnn.results.percent import percent
from clearcnn.results.record import Record, Reported
from clearcnn.results.train import LayerSummary

Grid = tuple[tuple[float, ...], ...]
"""Numbers of a window or an image, row by row."""


@dataclass(frozen=True, repr=False)
class ExplainedImage(Record):
    """The image as the model received it.

    Attributes:
      name: its file name, or its row in words.
      row: among all images of the source; None for an image file.
      label, part: its label and split in the source; None for an image file.
      preparation: how the image was converted, one sentence each.
    """

    name: str
    row: int | None
    label: str | None
    part: str | None
    preparation: tuple[str, ...]


@dataclass(frozen=True)
class ClassOutput:
    """The model's output for one class.

    Attributes:
      logit: the score before softmax.
      probability: in [0, 1], calibrated as in `predict`.
    """

    name: str
    logit: float
    probability: float


@dataclass(frozen=True, repr=False)
class LayerActivation(Record):
    """What one layer computes from the image.

    Attributes:
      position: 1 for the first layer.
      summary: the layer's row in the model table.
      low, high: smallest and largest value.
      zero_fraction: share of its values that are 0.
      strongest: the feature map or unit with the largest value.
    """

    position: int
    summary: LayerSummary
    low: float
    high: float
    zero_fraction: float
    strongest: int


@dataclass(frozen=True, repr=False)
class SanityCheck(Record):
    """Whether a saliency map depends on the trained weights (Adebayo et al. 2018).

    Attributes:
      correlations: Spearman correlations between the map and those of untrained models with
        other initial weights; NaN where a map is constant.
      seeds: seeds of those initial weights.
    """

    correlations: tuple[float, ...]
    seeds: tuple[int, ...]

    @property
    def magnitude(self) -> float:
        """Mean absolute correlation; NaN if there is none."""
        found = [abs(value) for value in self.correlations if value == value]
        return sum(found) / len(found) if found else float("nan")

    @property
    def verdict(self) -> str:
        """Return "passed", "failed", or "undefined" where the map is constant."""
        if self.magnitude != self.magnitude:
            return "undefined"
        return "passed" if self.magnitude < 0.5 else "failed"


@dataclass(frozen=True, repr=False)
class GradientMap(Record):
    """How the class's logit changes with each pixel: SmoothGrad (Smilkov et al. 2017).

    Attributes:
      class_name: the class whose logit is differentiated.
      values: (height, width), logit per unit of pixel value, summed over the channels.
      num_samples: noisy samples averaged.
      noise: standard deviation of the noise, in pixel values.
      seed: seed of the noise.
    """

    class_name: str
    values: Grid
    num_samples: int
    noise: float
    seed: int
    sanity: SanityCheck


@dataclass(frozen=True, repr=False)
class OcclusionMap(Record):
    """How much a class's probability drops when a patch is covered (Zeiler and Fergus 2014).

    Attributes:
      class_name: the class whose probability is measured.
      values: (height, width), mean drop in probability over all patches that cover a pixel.
      patch: (height, width) of the patch in pixels.
      stride: pixels between patch positions.
      fill: the value of each channel in the patch.
      fill_source: where the fill comes from, in words.
      largest_drop: largest drop of a single patch.
    """

    class_name: str
    values: Grid
    patch: tuple[int, int]
    stride: tuple[int, int]
    fill: tuple[float, ...]
    fill_source: str
    largest_drop: float
    sanity: SanityCheck


@dataclass(frozen=True, repr=False)
class ChannelProducts(Record):
    """One channel of a convolution's window: window × kernel, and the sum."""

    channel: int
    window: Grid
    kernel: Grid
    products: Grid
    sum: float


@dataclass(frozen=True, repr=False)
class ConvolutionStep(Record):
    """One value of a feature map, computed step by step.

    Attributes:
      position: of the layer.
      filter: the feature map with the layer's largest value.
      row, column: of that value in the map.
      rows, columns: of the window in the layer's input; padding outside it is 0.
      channels: at most 4 channels with the largest sums, in order.
      other_channels: number of remaining channels.
      other_sum: sum over the remaining channels.
      total: all sums plus the bias.
      activation: Keras's name of the activation.
      result: activation(total).
      keras: the same value as Keras computes it.
    """

    position: int
    filter: int
    row: int
    column: int
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    channels: tuple[ChannelProducts, ...]
    other_channels: int
    other_sum: float
    bias: float
    total: float
    activation: str
    result: float
    keras: float


@dataclass(frozen=True, repr=False)
class PoolingStep(Record):
    """One value of a pooled map, computed step by step.

    Attributes:
      position: of the layer.
      kind: "max" or "average".
      map: the feature map with the layer's largest value.
      row, column: of that value in the map.
      rows, columns: of the window in the layer's input.
      window: its values; NaN outside the input, which is ignored.
      result: their maximum or mean.
      keras: the same value as Keras computes it.
    """

    position: int
    kind: str
    map: int
    row: int
    column: int
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    window: Grid
    result: float
    keras: float


@dataclass(frozen=True)
class Neighbour:
    """An image whose features are close to those of the explained image.

    Attributes:
      row: among all images of the source.
      prediction: None if it was not computed.
      distance: Euclidean, between the inputs of the last layer with weights.
    """

    row: int
    name: str
    label: str
    prediction: str | None
    distance: float


@dataclass(frozen=True, repr=False)
class Neighbours(Record):
    """The nearest training images, and the nearest mistakes on the test set.

    Attributes:
      num_features: length of the compared feature vectors.
      num_train: training images.
      num_mistakes: mistakes on the test set.
    """

    num_features: int
    num_train: int
    num_mistakes: int
    train: tuple[Neighbour, ...]
    mistakes: tuple[Neighbour, ...]


@dataclass(frozen=True, repr=False)
class ExplainResult(Reported):
    """The content of `explanation.json` and `explanation.html`.

    Attributes:
      run_folder: of the model.
      answers: every class, the most probable first.
      convolution, pooling: None if the model has no such layer.
      neighbours: None if the training images are not available.
      warnings: one sentence each.
      folder: where the page and the figures were written.
      temperature: divides the logits before softmax; 1 without calibration.
    """

    run_folder: Path
    image: ExplainedImage
    answers: tuple[ClassOutput, ...]
    layers: tuple[LayerActivation, ...]
    gradient: GradientMap
    occlusion: OcclusionMap
    convolution: ConvolutionStep | None
    pooling: PoolingStep | None
    neighbours: Neighbours | None
    warnings: tuple[str, ...]
    seconds: dict[str, float]
    folder: Path
    temperature: float = 1.0

    def __repr__(self) -> str:
        label = "" if self.image.label is None else say(", label {label!r}", label=self.image.label)
        return say(
            "ExplainResult({name!r}: {prediction!r} {probability} %{label}, folder {folder!r})",
            name=self.image.name,
            prediction=self.prediction,
            probability=percent(self.answers[0].probability),
            label=label,
            folder=str(self.folder),
        )

    @property
    def page(self) -> Path:
        """The path of the page with the explanation."""
        return self.folder / "explanation.html"

    @property
    def prediction(self) -> str:
        """The most probable class."""
        return self.answers[0].name

    @property
    def is_mistake(self) -> bool:
        """Whether the label is known and differs from the prediction."""
        return self.image.label not in (None, self.prediction)
