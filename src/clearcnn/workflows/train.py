"""`train`: from labelled images to a run folder that is whole."""

import dataclasses
from pathlib import Path
from typing import Any

from clearcnn import bundle, data, models
from clearcnn.data import LabelledImages
from clearcnn.results import TrainResult
from clearcnn.specs import DataSpec, ModelSpec, SplitKind, SplitSpec, TrainSpec
from clearcnn.workflows.cautions import judge_precision, list_cautions
from clearcnn.workflows.clock import Clock
from clearcnn.workflows.confiding import fit_confidence
from clearcnn.workflows.keeping import keep_run
from clearcnn.workflows.listener import TrainListener
from clearcnn.workflows.onnx_files import write_onnx
from clearcnn.workflows.plan import describe_input, plan_training, summarize_data
from clearcnn.workflows.recipe_fit import fit_plan, score_plan
from clearcnn.workflows.wording import say_call

__all__ = ["TrainListener", "train"]


def train(
    source: str | Path | DataSpec | LabelledImages = "digits",
    *,
    recipe: str = "default",
    model: ModelSpec | Path | str | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    seed: int = 777,
    split: SplitKind | None = None,
    test_fraction: float | None = None,
    validation_fraction: float | None = None,
    out: Path | str | None = None,
    listener: TrainListener | None = None,
    command: str | None = None,
) -> TrainResult:
    """Train a CNN on labelled images, score it once on its test part, and keep everything.

    Where an argument is None, the recipe decides.

    Args:
      source: "digits", a path, a DataSpec, or images already loaded.
      recipe: "default" or "tutorial".
      model: the layers, in place of the recipe's; a spec, or the path of a TOML file.
      epochs, batch_size, learning_rate: as in TrainSpec.
      seed: of the split, the first weights, the shuffles, dropout and augmentation.
      split, test_fraction, validation_fraction: as in SplitSpec.
      out: the run folder to make; None makes `runs/<source>-<UTC time>/`.
      listener: hears how it goes.
      command: what to type for the same result; the report shows it.
    Returns:
      TrainResult; its `run_folder` is whole. Interrupted by Ctrl-C after at least one epoch,
      the model is that of the last epoch and `interrupted` is true.
    Raises:
      ClearCNNError: data, options, model or run folder are not as they must be.
      KeyboardInterrupt: interrupted before the first epoch ended, or a second time; nothing
        is kept.
    """
    listener = listener or TrainListener()
    found_recipe = models.find_recipe(recipe)
    clock = Clock()
    data_spec = _to_data_spec(source)
    name = data_spec.source
    out = None if out is None else Path(out)
    fractions = {"test_fraction": test_fraction, "validation_fraction": validation_fraction}
    split_spec = SplitSpec(split=split or found_recipe.split, seed=seed, **_given(fractions))
    settings = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate}
    asked = {"recipe": recipe, "model": model, **settings, "seed": seed, "split": split}
    # What is out of range is said before any image is read.
    dataclasses.replace(TrainSpec(seed=seed), **_given(settings))
    command = command or say_call("train", source, asked | fractions)
    with bundle.open_run_folder(name, out=out) as run:
        with clock.phase("data"):
            images = source if isinstance(source, LabelledImages) else data.load(data_spec)
            parts = data.split(images, split_spec)
            data_summary = summarize_data(images, parts)
        listener.on_data(data_summary, run.path / "figures" / "data.png")

        plan = plan_training(
            images,
            parts,
            recipe=recipe,
            seed=seed,
            data_spec=data_spec,
            split_spec=split_spec,
            model=model,
            settings=_given(settings),
            summary=data_summary,
        )
        listener.on_model(plan.model_summary)
        warnings = list_cautions(plan)
        for sentence in warnings:
            listener.on_warning(sentence)

        network, history, interrupted = fit_plan(plan, listener, clock)
        with clock.phase("evaluate"):
            probabilities, scored = score_plan(plan, network)
            confidence = fit_confidence(plan, network)
        if imprecise := judge_precision(scored.score):
            listener.on_warning(imprecise)
            warnings += (imprecise,)
        contract = describe_input(plan)
        with clock.phase("export"):
            unwritten = write_onnx(run.partial, plan, contract, network, probabilities)
        if unwritten:
            listener.on_warning(unwritten)
            warnings += (unwritten,)
        result = TrainResult(
            recipe=plan.recipe,
            data=data_summary,
            split=split_spec,
            model=plan.model_summary,
            model_spec=plan.model_spec,
            train=plan.train_spec,
            history=history,
            test=scored,
            seconds=clock.seconds,
            warnings=warnings,
            interrupted=interrupted,
            run_folder=run.path,
        )
        keep_run(run.partial, plan, network, probabilities, contract, confidence, result, command)
    return dataclasses.replace(result, run_folder=run.path)


def _to_data_spec(source: str | Path | DataSpec | LabelledImages) -> DataSpec:
    if isinstance(source, DataSpec):
        return source
    if isinstance(source, LabelledImages):
        return DataSpec(source=source.source, class_names=source.class_names)
    return DataSpec(source=str(source))


def _given(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}
