"""Formatting of numbers: shares with their counts, shapes, seconds."""

from clearcnn.results.percent import percent as percent
from clearcnn.results.scores import Score
from clearcnn.results.train import FlipTrial
from clearcnn.specs import AugmentationSpec, SplitSpec, TrainSpec

_SPLITS = {
    "random": "drawn at random",
    "stratified": "drawn at random with the same share of every class",
    "group": "drawn at random with whole groups",
}
_SCHEDULES = {
    "constant": "constant",
    "one_cycle": "the peak of a one-cycle schedule",
}

_CLASSES_NAMED = 5


def score_sentence(score: Score) -> str:
    """Format a score: "525 of 540 test images correct: 97.2 %, 95 % interval 95.5–98.3"."""
    return score.in_words("test images")


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Format a count: "1 image", "1,797 images"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def seconds(value: float) -> str:
    """Format a duration: "0.012 s", "3.4 s", "12 min 5 s"."""
    if value >= 100:
        minutes, rest = divmod(round(value), 60)
        return f"{minutes} min {rest} s"
    return f"{value:.1f} s" if value >= 1 else f"{value:.2g} s"


def points(value: float) -> str:
    """Format a difference of shares: "1.2 percentage points"."""
    return f"{100 * value:.1f} percentage points"


def number(value: float) -> str:
    """Format a number in few digits: "0.13", "−2.4", "16", "3.2e−05"."""
    if value != value:
        return "–"
    size = abs(value)
    if size and not 0.001 <= size < 1e6:
        text = f"{value:.1e}"
    else:
        decimals = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 or not size else 3
        text = f"{value:.{decimals}f}"
        text = text.rstrip("0").rstrip(".") if float(text) == round(float(text)) else text
    # A number that rounds to 0 has no sign.
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def shape(sides: tuple[int, ...]) -> str:
    """Format a shape: "8 × 8 × 1"."""
    return " × ".join(f"{side:,}" for side in sides)


def plain(text: str, most: int | None = None) -> str:
    """Make a name drawable: one line, printable letters, at most `most` of them."""
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    text = "".join(letter if letter.isprintable() else "�" for letter in text)
    return text if most is None or len(text) <= most else text[: most - 1] + "…"


def split_sentence(split: SplitSpec) -> str:
    """Describe how the splits were made, unless the data has its own."""
    return f"{_SPLITS[split.split]}, seed {split.seed}"


def recipe_rows(train: TrainSpec, trial: FlipTrial | None = None) -> list[tuple[str, str]]:
    """List the training settings, each as (name, value).

    Args:
      train: the settings.
      trial: that decided whether images are mirrored.
    """
    optimizer = {"adam": "Adam", "adamw": "AdamW"}[train.optimizer]
    if train.weight_decay:
        optimizer += f", weight decay {train.weight_decay:g}"
    rows = [
        ("Optimizer", optimizer),
        ("Learning rate", f"{train.learning_rate:g}, {_SCHEDULES[train.schedule]}"),
        ("Batch size", count(train.batch_size, "image")),
        ("Augmentation", augmentation_sentence(train.augmentation)),
    ]
    if trial is not None:
        rows.append(("Mirroring", flip_sentence(trial)))
    if train.whitening:
        rows.append(("First convolution", "starts as the whitening of the images' patches"))
    if train.class_weight_power:
        power = f"{train.class_weight_power:g}"
        rows.append(("Class weights", f"(images of the class) to the power −{power}"))
    if train.label_smoothing:
        rows.append(("Label smoothing", f"{train.label_smoothing:g}"))
    if train.patience:
        without = count(train.patience, "epoch")
        rows.append(("Early stopping", f"after {without} without a lower validation loss"))
    return [*rows, ("Seed", str(train.seed))]


def flip_sentence(trial: FlipTrial) -> str:
    """Say whether images are mirrored in training, and what the trial found."""
    found = (
        f"a trial network recognised {trial.correct:,} of {count(trial.total, 'validation image')}"
    )
    if trial.is_harmless:
        return (
            f"Images are mirrored at random: {found}, and {trial.correct_mirrored:,} when they "
            "were mirrored."
        )
    harmed = ""
    if trial.harmed_classes:
        named = ", ".join(trial.harmed_classes[:_CLASSES_NAMED])
        more = len(trial.harmed_classes) - _CLASSES_NAMED
        harmed = f" It mattered for {named}" + (f" and {more:,} more." if more > 0 else ".")
    return (
        f"Images are not mirrored: {found}, but {trial.correct_mirrored:,} when they were "
        f"mirrored.{harmed}"
    )


def augmentation_sentence(augmentation: AugmentationSpec | None) -> str:
    """Describe the augmentation."""
    if augmentation is None:
        return "none"
    changes = [
        (augmentation.shift_pixels, f"shift ±{augmentation.shift_pixels:g} pixels"),
        (augmentation.rotation_radians, f"rotation ±{augmentation.rotation_radians:g} radians"),
        (augmentation.zoom_fraction, f"zoom ±{100 * augmentation.zoom_fraction:g} %"),
        (augmentation.shear_fraction, f"shear ±{augmentation.shear_fraction:g}"),
        (augmentation.contrast_fraction, f"contrast ±{100 * augmentation.contrast_fraction:g} %"),
        (augmentation.brightness_shift, f"brightness ±{augmentation.brightness_shift:.3g}"),
        (augmentation.horizontal_flip, "half of the images mirrored"),
    ]
    return ", ".join(words for value, words in changes if value) or "none"
