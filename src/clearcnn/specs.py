"""Specs: frozen records of what the user asked for, validated once, and serialisable.

Each spec is a plain dataclass; `dataclasses.asdict` converts it for JSON.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from clearcnn.errors import SpecError
from clearcnn.language import say

ColorMode = Literal["auto", "grayscale", "rgb"]
SplitKind = Literal["random", "stratified", "group"]
OptimizerName = Literal["adam", "adamw", "muon"]
ScheduleName = Literal["constant", "one_cycle"]

PYTHON_SOURCE = "Python: "
"""How the source begins of images that came from Python, and cannot be read again."""

SMALLEST_SIDE, LARGEST_SIDE = 1, 512
PREFERRED_SIDES = (8, 96)


Arguments: TypeAlias = Mapping[str, Any]
"""Arguments of a layer by Keras's names."""


@dataclass(frozen=True)
class DataSpec:
    """Which images to read, and how.

    Attributes:
      source: "digits", a path, or either behind a prefix such as "folder:" or "idx:".
      size: (height, width) in pixels to resize to; None keeps a common size, or chooses one.
      color_mode: "grayscale" or "rgb" converts; "auto" is greyscale if every image is.
      class_names: the classes in the order to use; None sorts them naturally.
      skip_unreadable: skip files that cannot be read, and list them.
      group_column: the column of a table with the group of each image.
      image_column: the column of a table with the file names or the images; None finds it.
      label_column: the column of a table with the labels; None finds it.
      groups_from_name: a regular expression whose group finds the group of an image in its name.
      min_images: classes with fewer images are left out, at least 2; None keeps every class.
      use: path of a list that `check` wrote, of the images to use; unreadable files are skipped.
      for_training: whether the images are for training and testing a model, which needs two classes
        with two images each. For scoring or checking, one image is enough.
    """

    source: str = "digits"
    size: tuple[int, int] | None = None
    color_mode: ColorMode = "auto"
    class_names: tuple[str, ...] | None = None
    skip_unreadable: bool = False
    group_column: str = "group"
    image_column: str | None = None
    label_column: str | None = None
    groups_from_name: str | None = None
    min_images: int | None = None
    use: str | None = None
    for_training: bool = True

    def __post_init__(self) -> None:
        _require_choice("color_mode", self.color_mode, get_args(ColorMode))
        if self.size is not None:
            for side in self.size:
                _require(
                    SMALLEST_SIDE <= side <= LARGEST_SIDE,
                    say(
                        "size={size} is out of range; each side must be {smallest_side} to "
                        "{largest_side} pixels.",
                        size=self.size,
                        smallest_side=SMALLEST_SIDE,
                        largest_side=LARGEST_SIDE,
                    ),
                    say("Choose a size such as 28 or 28x28."),
                )
        if self.groups_from_name is not None:
            _require_one_group(self.groups_from_name)
        _require(
            self.min_images is None or self.min_images >= 2,
            say(
                "min_images={min_images} is out of range; it must be at least 2, or None.",
                min_images=self.min_images,
            ),
            say("A class needs 2 images to be trained and tested."),
        )
        if self.class_names is not None:
            counts = Counter(self.class_names)
            repeated = sorted(name for name, count in counts.items() if count > 1)[:8]
            _require(
                not repeated,
                say(
                    "class_names has {names} more than once.", names=", ".join(map(repr, repeated))
                ),
                say("Name each class once."),
            )


@dataclass(frozen=True)
class SplitSpec:
    """How the images are split into a training, a validation and a test set.

    Attributes:
      split: "random" as in train_test_split; "stratified" keeps the class proportions; "group"
        keeps groups whole.
      test_fraction: share of all images for the test set, in (0, 1); unused if the source has a
        test set.
      validation_fraction: share of the rest for the validation set, in [0, 1); unused if the
        source has a validation set. None takes a tenth of 2,000 images and more, and a fifth of
        fewer.
      seed: non-negative int, the `random_state` of the split.
    """

    split: SplitKind = "stratified"
    test_fraction: float = 0.3
    validation_fraction: float | None = 0.2
    seed: int = 777

    def __post_init__(self) -> None:
        _require_choice("split", self.split, get_args(SplitKind))
        _require_range("test_fraction", self.test_fraction, 0.0, 1.0, open_low=True)
        if self.validation_fraction is not None:
            _require_range("validation_fraction", self.validation_fraction, 0.0, 1.0)
        require_seed(self.seed)


@dataclass(frozen=True)
class LayerSpec:
    """One layer: a Keras class name and its arguments, by Keras's own names."""

    layer: str
    arguments: Arguments = field(default_factory=dict)


@dataclass(frozen=True)
class ModelSpec:
    """A sequence of layers, from raw pixels to one probability per class.

    Attributes:
      name: of the model, such as "tutorial".
      layers: in order; the last one outputs the class probabilities.
    """

    name: str
    layers: tuple[LayerSpec, ...]


@dataclass(frozen=True)
class AugmentationSpec:
    """Random changes of training images; each parameter is uniform in ±value.

    Attributes:
      shift_pixels: along each axis.
      rotation_radians: about the centre.
      zoom_fraction: 0.15 means 0.85 to 1.15 times the size, the same along both axes.
      shear_fraction: along each axis, as the tangent of the angle.
      fill_value: the value of pixels from outside the image; None repeats the edge.
      horizontal_flip: whether half of the images, at random, are mirrored left to right; None lets
        a short trial training decide in `train` and `evaluate`, and mirrors none elsewhere.
      contrast_fraction: 0.5 means 0.5 to 1.5 times the differences from the image's mean.
      brightness_shift: in pixel values, added to the whole image.
    """

    shift_pixels: float = 0.0
    rotation_radians: float = 0.0
    zoom_fraction: float = 0.0
    shear_fraction: float = 0.0
    fill_value: float | None = None
    horizontal_flip: bool | None = False
    contrast_fraction: float = 0.0
    brightness_shift: float = 0.0

    def __post_init__(self) -> None:
        _require_range("shift_pixels", self.shift_pixels, 0.0, math.inf)
        _require_range("rotation_radians", self.rotation_radians, 0.0, math.pi, closed_high=True)
        _require_range("zoom_fraction", self.zoom_fraction, 0.0, 1.0)
        _require_range("shear_fraction", self.shear_fraction, 0.0, math.inf)
        _require_range("contrast_fraction", self.contrast_fraction, 0.0, 1.0)
        _require_range("brightness_shift", self.brightness_shift, 0.0, math.inf)


@dataclass(frozen=True)
class TrainSpec:
    """How a model is trained.

    Attributes:
      epochs: the largest number of epochs, > 0.
      batch_size: images per step, > 0.
      learning_rate: constant, or the peak of a one-cycle schedule, > 0.
      optimizer: "adam" or "adamw", as in Keras; or "muon", orthogonal updates of the convolutions'
        kernels, and Adam at a quarter of the rate for the rest.
      schedule: "constant" or "one_cycle" (warm up, then anneal to zero; Smith 2018).
      weight_decay: decoupled, >= 0.
      label_smoothing: in [0, 1).
      patience: epochs without a better val_loss before training stops and restores the best
        weights; None trains every epoch.
      augmentation: None trains on the unchanged images.
      whitening: whether the first convolution, if nothing but Rescaling comes before it, starts as
        the whitening of the training images' patches, instead of at random.
      class_weight_power: p in [0, 1]; an image of a class of n training images counts n^-p in the
        loss, relative to the mean. 0 counts all images the same, 1 all classes the same.
      seed: non-negative int, of initial weights, shuffling, dropout and augmentation.
    """

    epochs: int = 100
    batch_size: int = 50
    learning_rate: float = 1e-3
    optimizer: OptimizerName = "adam"
    schedule: ScheduleName = "constant"
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    patience: int | None = None
    augmentation: AugmentationSpec | None = None
    whitening: bool = False
    class_weight_power: float = 0.0
    seed: int = 777

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            value = getattr(self, name)
            _require(
                value > 0,
                say(
                    "{name}={value} is out of range; it must be at least 1.", name=name, value=value
                ),
                say("Set {name} to 1 or more.", name=name),
            )
        _require_choice("optimizer", self.optimizer, get_args(OptimizerName))
        _require_choice("schedule", self.schedule, get_args(ScheduleName))
        _require_range("learning_rate", self.learning_rate, 0.0, math.inf, open_low=True)
        _require_range("weight_decay", self.weight_decay, 0.0, math.inf)
        _require_range("label_smoothing", self.label_smoothing, 0.0, 1.0)
        _require_range("class_weight_power", self.class_weight_power, 0.0, 1.0, closed_high=True)
        _require(
            self.patience is None or self.patience > 0,
            say(
                "patience={patience} is out of range; it must be at least 1, or None.",
                patience=self.patience,
            ),
            say("Set patience to 1 or more, or to None."),
        )
        require_seed(self.seed)


@dataclass(frozen=True)
class CheckpointSpec:
    """Where and how often a training writes checkpoints, from which it can be resumed.

    Attributes:
      folder: of the checkpoints; created with the first one.
      seconds: the shortest time between two checkpoints, >= 0. It is raised to 50 times the
        duration of the last write, so that checkpoints take less than 2 % of the time. 0 writes
        one whenever callbacks run.
    """

    folder: Path | str
    seconds: float = 30.0

    def __post_init__(self) -> None:
        _require_range("seconds", self.seconds, 0.0, math.inf)


def _require(condition: bool, problem: str, remedy: str) -> None:
    if not condition:
        raise SpecError(problem, remedy=remedy)


def _require_one_group(pattern: str) -> None:
    try:
        groups: int | str = re.compile(pattern).groups
    except re.error as error:
        groups = str(error)
    _require(
        groups == 1,
        say(
            "groups_from_name={pattern!r} is not a regular expression with one group: ",
            pattern=pattern,
        )
        + (groups if isinstance(groups, str) else say("it has {groups}", groups=groups))
        + ".",
        say(
            "Put parentheses around what images of one group have in common, such as '(.+)_[0-9]+'."
        ),
    )


def _require_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    _require(
        value in choices,
        say(
            "Unknown {name}={value!r}; expected one of {choices}.",
            name=name,
            value=value,
            choices=", ".join(choices),
        ),
        say("Choose {name} from these.", name=name),
    )


def _require_range(
    name: str,
    value: float,
    low: float,
    high: float,
    *,
    open_low: bool = False,
    closed_high: bool = False,
) -> None:
    above = value > low if open_low else value >= low
    below = value <= high if closed_high else value < high
    interval = f"{'(' if open_low else '['}{low:g}, {high:g}{']' if closed_high else ')'}"
    _require(
        above and below,
        say(
            "{name}={value} is out of range; it must be in {interval}.",
            name=name,
            value=value,
            interval=interval,
        ),
        say("Set {name} to a value in {interval}.", name=name, interval=interval),
    )


def require_seed(seed: int) -> None:
    """Raise a SpecError unless every random generator accepts the seed."""
    _require(
        0 <= seed < 2**32,
        say("seed={seed} is out of range; it must be 0 to {value}.", seed=seed, value=2**32 - 1),
        say("Choose a seed such as 0 or 777."),
    )
