"""How long `train` would take on this machine: all its steps up to the training, and its pace."""

import time
from dataclasses import dataclass

from clearcnn import data, models
from clearcnn.specs import DataSpec, SplitKind, SplitSpec
from clearcnn.workflows.fitting.budget import TrainCost, measure_cost
from clearcnn.workflows.fitting.easy_images import adapt_to_easy_images
from clearcnn.workflows.fitting.flip_trial import try_flips
from clearcnn.workflows.fitting.listeners import TrainListener
from clearcnn.workflows.fitting.plan import plan_training, summarize_data


@dataclass(frozen=True)
class Forecast:
    """How long a training would take.

    Attributes:
      num_images: of the source.
      epochs: that the recipe trains at most.
      ready_seconds: until the program is compiled: reading, planning and the trial of flips.
      cost: of its parts; a training in this process finds the program in memory.
    """

    num_images: int
    epochs: int
    ready_seconds: float
    cost: TrainCost


def forecast(
    source: DataSpec,
    *,
    recipe: str,
    seed: int,
    split: SplitKind | None,
    listener: TrainListener,
) -> Forecast:
    """Measure how long a training would take; nothing is trained or written.

    Args:
      source, recipe, seed, split: as for `train`.
      listener: hears about the reading and what is planned.
    Raises:
      ClearCNNError: the source cannot be read or split.
    """
    begun = time.perf_counter()
    images = data.load(source, progress=listener.on_reading)
    found = models.find_recipe(recipe)
    split_spec = SplitSpec(
        split=split or found.split, validation_fraction=found.validation_fraction, seed=seed
    )
    splits = data.split(images, split_spec)
    summary = summarize_data(images, splits)
    plan = plan_training(
        images,
        splits,
        recipe=recipe,
        seed=seed,
        data_spec=source,
        split_spec=split_spec,
        summary=summary,
    )
    listener.on_model(plan.model_summary)
    plan, trial = try_flips(plan)
    plan = adapt_to_easy_images(plan, trial)
    ready = time.perf_counter() - begun
    return Forecast(len(images), plan.train_spec.epochs, ready, measure_cost(plan))
