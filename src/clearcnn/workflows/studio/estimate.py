"""How long a training of the class folder takes, said before it begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from clearcnn import models
from clearcnn.models import PixelStatistics
from clearcnn.results.json_codec import decode
from clearcnn.workflows.studio.attempts import Attempt
from clearcnn.workflows.studio.jobs import RunningJob
from clearcnn.workflows.train.forecast import Forecast

_TYPICAL = PixelStatistics(mean=128.0, standard_deviation=64.0)


@dataclass(frozen=True)
class Estimate:
    """The time of a whole training, from reading to the report.

    Attributes:
      seconds: for all its epochs; it may stop earlier.
      basis: the pace of the last attempt, or of a measurement, on this computer.
    """

    seconds: float
    basis: Literal["attempt", "measured"]


def estimate_training(
    num_images: int,
    attempts: Sequence[Attempt],
    forecast: Forecast | None,
    recipe: str,
    epochs: int | None,
) -> Estimate | None:
    """Estimate the time of a training.

    Args:
      num_images: of the class folder.
      attempts: the finished runs, oldest first.
      forecast: of this recipe, measured; None: there is none.
      recipe, epochs: as for `train`.
    Returns:
      The estimate; None if nothing was measured or trained yet.
    Raises:
      SpecError: there is no such recipe.
    """
    plan = models.find_recipe(recipe)
    whole = [each for each in attempts if each.metrics.recipe == recipe]
    whole = [each for each in whole if not each.metrics.interrupted and _fit_seconds(each) > 0]
    if not num_images:
        return None
    if whole:
        last = whole[-1]
        share = num_images / sum(each.total for each in last.metrics.data.classes)
        num_train = max(1, round(last.metrics.data.train * share))
        shape = last.run.manifest.input.shape
        epochs = epochs or plan.make_training(shape, num_train, _TYPICAL, 0).epochs
        pace = _fit_seconds(last) / last.metrics.history.num_epochs / last.metrics.data.train
        seconds = last.metrics.seconds
        constant = seconds.get("compile", 0.0) + seconds.get("load Keras", 0.0)
        others = sum(seconds.values()) - _fit_seconds(last) - constant
        return Estimate(pace * num_train * epochs + constant + others * share, "attempt")
    if forecast is None:
        return None
    share = num_images / forecast.num_images
    # The program that was compiled is used again, unless it is for another number of images.
    compiling = forecast.cost.compile_seconds if share != 1 else 0.0
    training = forecast.cost.epoch_seconds * (epochs or forecast.epochs)
    scaled = share * (forecast.ready_seconds + training)
    return Estimate(scaled + compiling + forecast.cost.keep_seconds, "measured")


def read_forecast(job: RunningJob) -> Forecast | None:
    """Return what a measurement found; None if it is not over or failed."""
    if not job.is_over or job.events[-1]["event"] != "end":
        return None
    values = {key: job.events[-1][key] for key in Forecast.__dataclass_fields__}
    found: Forecast = decode(Forecast, values, "forecast")
    return found


def _fit_seconds(attempt: Attempt) -> float:
    return attempt.metrics.seconds.get("fit", 0.0)
