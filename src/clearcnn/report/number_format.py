"""Formatting of numbers: shares with their counts, shapes, seconds."""

from clearcnn.language import join, say, say_count
from clearcnn.results.percent import percent as percent
from clearcnn.results.scores import Score
from clearcnn.results.train import FlipTrial
from clearcnn.specs import AugmentationSpec, SplitSpec, TrainSpec

_SPLITS = {
    "random": say("drawn at random"),
    "stratified": say("drawn at random with the same share of every class"),
    "group": say("drawn at random with whole groups"),
}
_SCHEDULES = {
    "constant": say("constant"),
    "one_cycle": say("the peak of a one-cycle schedule"),
}

_CLASSES_NAMED = 5


def score_sentence(score: Score) -> str:
    """Format a score: "525 of 540 test images correct: 97.2 %, 95 % interval 95.5–98.3"."""
    return score.in_words(say("test images"))


def share(fraction: float) -> str:
    """Format a share with its sign: "97.2 %"."""
    return say("{share} %", share=percent(fraction))


def seconds(value: float) -> str:
    """Format a duration: "0.012 s", "3.4 s", "12 min 5 s"."""
    if value >= 100:
        minutes, rest = divmod(round(value), 60)
        return say("{minutes} min {seconds} s", minutes=minutes, seconds=rest)
    return say("{value:.1f} s", value=value) if value >= 1 else say("{value:.2g} s", value=value)


def points(value: float) -> str:
    """Format a difference of shares: "1.2 percentage points"."""
    return say("{value:.1f} percentage points", value=100 * value)


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
    return say("{splits}, seed {seed}", splits=_SPLITS[split.split], seed=split.seed)


def recipe_rows(train: TrainSpec, trial: FlipTrial | None = None) -> list[tuple[str, str]]:
    """List the training settings, each as (name, value).

    Args:
      train: the settings.
      trial: that decided whether images are mirrored.
    """
    optimizer = {"adam": "Adam", "adamw": "AdamW", "muon": "Muon"}[train.optimizer]
    if train.weight_decay:
        optimizer += say(", weight decay {weight_decay:g}", weight_decay=train.weight_decay)
    rows = [
        (say("Optimizer"), optimizer),
        (say("Learning rate"), f"{train.learning_rate:g}, " + _SCHEDULES[train.schedule]),
        (say("Batch size"), say_count("{number:,} image", "{number:,} images", train.batch_size)),
        (say("Augmentation"), augmentation_sentence(train.augmentation)),
    ]
    if trial is not None:
        rows.append((say("Mirroring"), flip_sentence(trial)))
    if train.whitening:
        rows.append(
            (say("First convolution"), say("starts as the whitening of the images' patches"))
        )
    if train.class_weight_power:
        power = f"{train.class_weight_power:g}"
        rows.append(
            (say("Class weights"), say("(images of the class) to the power −{power}", power=power))
        )
    if train.label_smoothing:
        rows.append((say("Label smoothing"), f"{train.label_smoothing:g}"))
    if train.patience:
        without = say_count("{number:,} epoch", "{number:,} epochs", train.patience)
        rows.append(
            (
                say("Early stopping"),
                say("after {without} without a lower validation loss", without=without),
            )
        )
    return [*rows, (say("Seed"), str(train.seed))]


def flip_sentence(trial: FlipTrial) -> str:
    """Say whether images are mirrored in training, and what the trial found."""
    found = say(
        "a trial network recognised {correct:,} of {total}",
        correct=trial.correct,
        total=say_count("{number:,} validation image", "{number:,} validation images", trial.total),
    )
    if trial.is_harmless:
        return say(
            "Images are mirrored at random: {found}, and {correct_mirrored:,} when they "
            "were mirrored.",
            found=found,
            correct_mirrored=trial.correct_mirrored,
        )
    harmed = ""
    if trial.harmed_classes:
        named = ", ".join(trial.harmed_classes[:_CLASSES_NAMED])
        more = len(trial.harmed_classes) - _CLASSES_NAMED
        harmed = say(" It mattered for {named}", named=named) + (
            say(" and {more:,} more.", more=more) if more > 0 else "."
        )
    return say(
        "Images are not mirrored: {found}, but {correct_mirrored:,} when they were "
        "mirrored.{harmed}",
        found=found,
        correct_mirrored=trial.correct_mirrored,
        harmed=harmed,
    )


def augmentation_sentence(augmentation: AugmentationSpec | None) -> str:
    """Describe the augmentation."""
    if augmentation is None:
        return say("none")
    changes = [
        (
            augmentation.shift_pixels,
            say("shift ±{shift_pixels:g} pixels", shift_pixels=augmentation.shift_pixels),
        ),
        (
            augmentation.rotation_radians,
            say(
                "rotation ±{rotation_radians:g} radians",
                rotation_radians=augmentation.rotation_radians,
            ),
        ),
        (
            augmentation.zoom_fraction,
            say("zoom ±{share:g} %", share=100 * augmentation.zoom_fraction),
        ),
        (augmentation.shear_fraction, say("shear ±{share:g}", share=augmentation.shear_fraction)),
        (
            augmentation.contrast_fraction,
            say("contrast ±{share:g} %", share=100 * augmentation.contrast_fraction),
        ),
        (
            augmentation.brightness_shift,
            say("brightness ±{shift:.3g}", shift=augmentation.brightness_shift),
        ),
        (augmentation.horizontal_flip, say("half of the images mirrored")),
    ]
    return join(", ", [words for value, words in changes if value]) or say("none")
