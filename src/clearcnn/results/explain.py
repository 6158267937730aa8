"""How a model came to its answer on one image: frozen records, the same for people and JSON.

Positions of layers count from 1, as in the model table; rows, columns and maps count from 0.
"""

from dataclasses import dataclass
from pathlib import Path

from clearcnn.results.train import LayerSummary

Grid = tuple[tuple[float, ...], ...]
"""Numbers of a window or of a picture, row by row."""


@dataclass(frozen=True)
class ExplainedImage:
    """The image as the model received it.

    Attributes:
      name: its file name, or its row in words.
      row: among all images of the source; None for a picture file.
      label, part: as the source gives them; None for a picture file.
      preparation: what was done to the picture, one sentence each.
    """

    name: str
    row: int | None
    label: str | None
    part: str | None
    preparation: tuple[str, ...]


@dataclass(frozen=True)
class ClassAnswer:
    """What the model says of one class.

    Attributes:
      logit: the score before softmax.
      probability: in [0, 1].
    """

    name: str
    logit: float
    probability: float


@dataclass(frozen=True)
class LayerActivation:
    """What one layer made of the image.

    Attributes:
      position: 1 for the first layer.
      summary: its row in the model table.
      low, high: of its values.
      zero_fraction: share of its values that are 0.
      strongest: the map, or unit, that holds the largest value.
    """

    position: int
    summary: LayerSummary
    low: float
    high: float
    zero_fraction: float
    strongest: int


@dataclass(frozen=True)
class SanityCheck:
    """Whether a pixel map depends on what the model has learnt (Adebayo et al. 2018).

    Attributes:
      correlations: Spearman's, between the map and those of models with other first weights and
        no training; NaN where a map is the same everywhere.
      seeds: of those weights.
    """

    correlations: tuple[float, ...]
    seeds: tuple[int, ...]

    @property
    def magnitude(self) -> float:
        """Mean of the correlations without their signs; NaN if there is none."""
        found = [abs(value) for value in self.correlations if value == value]
        return sum(found) / len(found) if found else float("nan")

    @property
    def verdict(self) -> str:
        """Give "passed", "failed", or "undefined" where the map is the same everywhere."""
        if self.magnitude != self.magnitude:
            return "undefined"
        return "passed" if self.magnitude < 0.5 else "failed"


@dataclass(frozen=True)
class GradientMap:
    """How the class's score answers to a brighter pixel: SmoothGrad (Smilkov et al. 2017).

    Attributes:
      class_name: the class whose logit is differentiated.
      values: (height, width), logit per unit of pixel value, summed over the channels.
      num_samples: noisy copies that were averaged.
      noise: standard deviation of the noise, in pixel values.
      seed: of the noise.
    """

    class_name: str
    values: Grid
    num_samples: int
    noise: float
    seed: int
    sanity: SanityCheck


@dataclass(frozen=True)
class OcclusionMap:
    """What the class loses when a patch of the image is covered (Zeiler and Fergus 2014).

    Attributes:
      class_name: the class whose probability is watched.
      values: (height, width), the mean drop in probability over all patches on a pixel.
      patch: (height, width) of the patch in pixels.
      stride: pixels from one place of the patch to the next.
      fill: the value of each channel in the patch.
      fill_source: where it comes from, in words.
      largest_drop: of any single patch.
    """

    class_name: str
    values: Grid
    patch: tuple[int, int]
    stride: tuple[int, int]
    fill: tuple[float, ...]
    fill_source: str
    largest_drop: float
    sanity: SanityCheck


@dataclass(frozen=True)
class ChannelProducts:
    """One channel of a convolution's window: window × kernel, and the sum."""

    channel: int
    window: Grid
    kernel: Grid
    products: Grid
    sum: float


@dataclass(frozen=True)
class ConvolutionStep:
    """One number of a feature map, worked out by hand.

    Attributes:
      position: of the layer.
      filter: its map, the one with the layer's largest value.
      row, column: of that value in the map.
      rows, columns: of the window in the layer's input; outside it lies padding, which is 0.
      channels: those with the largest sums, at most 4, in their order.
      other_channels: how many more there are.
      other_sum: their sums, added.
      total: all sums and the bias.
      activation: Keras's name.
      result: the activation of the total.
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


@dataclass(frozen=True)
class PoolingStep:
    """One number of a pooled map, worked out by hand.

    Attributes:
      position: of the layer.
      kind: "max" or "average".
      map: the one with the layer's largest value.
      row, column: of that value in the map.
      rows, columns: of the window in the layer's input.
      window: the values in it; NaN where it sticks out, which counts for nothing.
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
    """An image that the model sees much as this one.

    Attributes:
      row: among all images of the source.
      prediction: None where it was not asked for.
      distance: Euclidean, between what the last layer with weights receives.
    """

    row: int
    name: str
    label: str
    prediction: str | None
    distance: float


@dataclass(frozen=True)
class Neighbours:
    """The nearest images of the training part, and the nearest mistakes of the test part.

    Attributes:
      num_features: values compared.
      num_train: images of the training part.
      num_mistakes: mistakes of the test part.
    """

    num_features: int
    num_train: int
    num_mistakes: int
    train: tuple[Neighbour, ...]
    mistakes: tuple[Neighbour, ...]


@dataclass(frozen=True)
class ExplainResult:
    """Everything that `explanation.json` and `explanation.html` say.

    Attributes:
      run_folder: of the model.
      answers: every class, the most probable first.
      convolution, pooling: None if the model has no such layer.
      neighbours: None if the images it was trained on are not at hand.
      warnings: one sentence each.
      folder: where the page and the pictures lie.
    """

    run_folder: Path
    image: ExplainedImage
    answers: tuple[ClassAnswer, ...]
    layers: tuple[LayerActivation, ...]
    gradient: GradientMap
    occlusion: OcclusionMap
    convolution: ConvolutionStep | None
    pooling: PoolingStep | None
    neighbours: Neighbours | None
    warnings: tuple[str, ...]
    seconds: dict[str, float]
    folder: Path

    @property
    def prediction(self) -> str:
        """The most probable class."""
        return self.answers[0].name

    @property
    def is_mistake(self) -> bool:
        """Whether the label is known and another class was answered."""
        return self.image.label not in (None, self.prediction)
