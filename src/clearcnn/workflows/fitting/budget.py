"""A budget of seconds: as much training as fits into it, by the pace of this machine."""

import dataclasses
import re
import time

from clearcnn import models
from clearcnn.errors import SpecError
from clearcnn.language import say
from clearcnn.workflows.fitting.costs import SECONDS_TO_KEEP, predict_seconds
from clearcnn.workflows.fitting.fit_plan import measure_pace
from clearcnn.workflows.fitting.plan import TrainPlan, measure_pixels

_UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_PATTERN = re.compile(r"([0-9]+(?:\.[0-9]+)?) *([a-z]*)")
# A one-cycle schedule rises and falls.
_FEWEST_EPOCHS = 2
# Beside the images scored, those that the distances are fitted on are predicted.
_DISTANCE_IMAGES = 5_000
_LARGE_SIDE = 48
_WORTH_SAYING = 0.8
_MEASURED = 200


@dataclasses.dataclass(frozen=True)
class Budget:
    """A budget of seconds for a command.

    Attributes:
      seconds: for the whole command, > 0.
      begun: `time.perf_counter()` when it began.
    """

    seconds: float
    begun: float


def read_seconds(budget: float | str | None) -> float | None:
    """Read a budget: seconds as a number, or a text such as "60s", "90 s", "5m" or "5min".

    Raises:
      SpecError: it is neither, or not positive.
    """
    if budget is None:
        return None
    found = _PATTERN.fullmatch(str(budget).strip())
    unit = found[2] if found is not None else ""
    if found is None or unit not in ("", *_UNITS) or not float(found[1]):
        raise SpecError(
            say(
                "budget={budget!r} is not a time; expected a number of seconds above 0, or "
                "one with a unit: s, m, min or h.",
                budget=budget,
            ),
            remedy=say("Write 60s or 5min."),
        )
    return float(found[1]) * _UNITS.get(unit, 1.0)


def require_budget(budget: float, least: float, what: str) -> None:
    """Raise if a budget is too small.

    Args:
      budget: in seconds.
      least: the seconds that the least work takes.
      what: the least work, in words.
    Raises:
      SpecError: with the least budget, rounded up.
    """
    if budget < least:
        raise SpecError(
            say(
                "A budget of {budget:g} s is too small on this machine: {what} would take "
                "about {least}.",
                budget=budget,
                what=what,
                least=say_seconds(least),
            ),
            remedy=say(
                "Give --budget {least}s or more, or smaller images with --size.",
                least=round_up(least),
            ),
        )


def round_up(seconds: float) -> int:
    """Round up by a fifth, to whole seconds: the estimate varies as much from run to run."""
    return int(seconds * 1.2) + 1


def say_seconds(seconds: float) -> str:
    """Say a duration in words, such as "12 s" or "3 min"."""
    if seconds < 100:
        return say("{seconds:d} s", seconds=max(1, round(seconds)))
    return say("{minutes:d} min", minutes=round(seconds / 60))


@dataclasses.dataclass(frozen=True)
class TrainCost:
    """The seconds that a training takes on this machine.

    Attributes:
      compile_seconds: to obtain the program; a later fit of the kind finds it in memory.
      epoch_seconds: of one epoch, > 0.
      keep_seconds: of what follows the training: scoring, calibration, export and report.
    """

    compile_seconds: float
    epoch_seconds: float
    keep_seconds: float


def measure_cost(plan: TrainPlan) -> TrainCost:
    """Compile the program of a plan's training, and measure how long it takes; train nothing."""
    pace = measure_pace(plan)
    num_predicted = len(plan.splits.test) + len(plan.splits.validation) + _DISTANCE_IMAGES
    predicting = predict_seconds(num_predicted, len(plan.splits.train), pace.epoch_seconds)
    return TrainCost(pace.compile_seconds, pace.epoch_seconds, SECONDS_TO_KEEP + predicting)


def fit_into_budget(plan: TrainPlan, budget: Budget) -> tuple[TrainPlan, float]:
    """Choose the epochs of a training so that the whole command fits into its budget.

    Args:
      plan: its epochs are never exceeded.
      budget: of the command.
    Returns:
      The plan with its epochs, and the seconds that an epoch takes.
    Raises:
      SpecError: the budget is too small for two epochs.
    """
    spent = time.perf_counter() - budget.begun
    cost = measure_cost(plan)
    epoch = cost.epoch_seconds
    fixed = spent + cost.compile_seconds + cost.keep_seconds
    require_budget(
        budget.seconds,
        fixed + _FEWEST_EPOCHS * epoch,
        say(
            "{fewest_epochs} epochs of {num_train:,} images, with reading, compiling and the "
            "report,",
            fewest_epochs=_FEWEST_EPOCHS,
            num_train=len(plan.splits.train),
        ),
    )
    epochs = min(plan.train_spec.epochs, int((budget.seconds - fixed) / epoch))
    spec = dataclasses.replace(plan.train_spec, epochs=epochs)
    return dataclasses.replace(plan, train_spec=spec), epoch


def describe_training(plan: TrainPlan, epoch_seconds: float) -> str:
    """Say how much a training has to do, and about how long it takes."""
    spec = plan.train_spec
    work = say(
        "{epochs} epochs of {num_train:,} images, about {time}",
        epochs=spec.epochs,
        num_train=len(plan.splits.train),
        time=say_seconds(spec.epochs * epoch_seconds),
    )
    return add_smaller_size(work, plan)


def add_smaller_size(work: str, plan: TrainPlan) -> str:
    """Say how much time images of half the size would take, by the arithmetic of their network.

    Args:
      work: how much there is to do, and how long it takes.
      plan: of a training among it.
    Returns:
      The work with a clause; the work alone for small images, for a model file, and where it would
      change little.
    """
    height, width, channels = plan.images.images.shape[1:]
    if max(height, width) < _LARGE_SIDE:
        return work
    num_classes = len(plan.images.class_names)
    pixels = measure_pixels(plan.images.images[plan.splits.train[:_MEASURED]])
    recipe = models.find_recipe(plan.recipe)

    def count(shape: tuple[int, int, int]) -> int:
        spec = recipe.make_model(shape, num_classes, pixels)
        return models.check_output(spec, shape, num_classes).multiply_adds

    whole, half = count((height, width, channels)), count((height // 2, width // 2, channels))
    if whole != plan.model_summary.multiply_adds or half > _WORTH_SAYING * whole:
        return work
    size = f"{height // 2}" if height == width else f"{height // 2}x{width // 2}"
    return say(
        "{work}; --size {size} would take about {percent:.0f} % of it",
        work=work,
        size=size,
        percent=100 * half / whole,
    )
