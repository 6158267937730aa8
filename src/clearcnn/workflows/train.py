"""`train`: from labelled images to a run folder that is whole."""

import dataclasses
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from clearcnn import bundle, data, evaluation, models, report
from clearcnn.data import LabelledImages, Split
from clearcnn.results import (
    ClassCount,
    DataSummary,
    Evaluation,
    History,
    ModelSummary,
    TrainResult,
)
from clearcnn.specs import DataSpec, ModelSpec, SplitKind, SplitSpec, TrainSpec
from clearcnn.workflows.interruption import first_interrupt
from clearcnn.workflows.wording import say_call

_PREDICT_BATCH = 256
_VALIDATION_BATCH = 512


class TrainListener:
    """Hears how a training goes; every method may be overridden and does nothing here."""

    def on_data(self, summary: DataSummary, sheet: Path) -> None:
        """The data is read and parted; the picture sheet will lie at `sheet`."""

    def on_model(self, summary: ModelSummary) -> None:
        """The model is known, layer by layer."""

    def on_warning(self, sentence: str) -> None:
        """Something the user should know."""

    def on_train_begin(self, epochs: int) -> None:
        """Keras is loaded; the program is about to be compiled, for so many epochs at most."""

    def on_epoch_end(self, epoch: int, metrics: dict[str, float]) -> None:
        """An epoch, counted from 0, is done; metrics by Keras's names."""

    def on_train_end(self, history: History, interrupted: bool) -> None:
        """Training is over."""


@dataclasses.dataclass(frozen=True)
class _Plan:
    """Everything decided before Keras is loaded."""

    recipe: str
    images: LabelledImages
    data_spec: DataSpec
    split: Split
    split_spec: SplitSpec
    model_spec: ModelSpec
    train_spec: TrainSpec
    data_summary: DataSummary
    model_summary: ModelSummary


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
    clock = _Clock()
    data_spec = _to_data_spec(source)
    name = data_spec.source
    out = None if out is None else Path(out)
    fractions = {"test_fraction": test_fraction, "validation_fraction": validation_fraction}
    split_spec = SplitSpec(split=split or found_recipe.split, seed=seed, **_given(fractions))
    settings = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate}
    asked = {"recipe": recipe, "model": model, **settings, "seed": seed, "split": split}
    command = command or say_call("train", source, asked | fractions)
    with bundle.open_run_folder(name, out=out) as run:
        with clock.phase("data"):
            images = source if isinstance(source, LabelledImages) else data.load(data_spec)
            parts = data.split(images, split_spec)
            data_summary = _summarize(images, parts)
        listener.on_data(data_summary, run.path / "figures" / "data.png")

        shape = images.images.shape[1:]
        num_classes = len(images.class_names)
        statistics = _pixel_statistics(images.images[parts.train])
        if model is None:
            model_spec = found_recipe.make_model(shape, num_classes, statistics)
        elif isinstance(model, ModelSpec):
            model_spec = model
        else:
            model_spec = models.read_model(Path(model), shape)
        train_spec = dataclasses.replace(
            found_recipe.make_training(len(parts.train), seed),
            **_given(settings),
        )
        model_summary = models.check_output(model_spec, shape, num_classes)
        listener.on_model(model_summary)
        plan = _Plan(
            found_recipe.name,
            images,
            data_spec,
            parts,
            split_spec,
            model_spec,
            train_spec,
            data_summary,
            model_summary,
        )
        warnings = _warnings(plan)
        for sentence in warnings:
            listener.on_warning(sentence)

        network, history, interrupted = _fit(plan, listener, clock)
        with clock.phase("evaluate"):
            probabilities, scored = _score(plan, network)
        result = TrainResult(
            recipe=plan.recipe,
            data=data_summary,
            split=split_spec,
            model=model_summary,
            model_spec=model_spec,
            train=train_spec,
            history=history,
            test=scored,
            seconds=clock.seconds,
            warnings=warnings,
            interrupted=interrupted,
            run_folder=run.path,
        )
        _write(run.partial, plan, network, probabilities, result, command)
    return dataclasses.replace(result, run_folder=run.path)


class _Clock:
    """Wall-clock seconds of each phase, in order."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = time.perf_counter() - start


def _to_data_spec(source: str | Path | DataSpec | LabelledImages) -> DataSpec:
    if isinstance(source, DataSpec):
        return source
    if isinstance(source, LabelledImages):
        return DataSpec(source=source.source, class_names=source.class_names)
    return DataSpec(source=str(source))


def _given(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def _pixel_statistics(images: Any) -> models.PixelStatistics:
    return models.PixelStatistics(
        float(images.mean(dtype=np.float64)), float(images.std(dtype=np.float64))
    )


def _summarize(images: LabelledImages, parts: Split) -> DataSummary:
    pixels = images.images
    counts = {
        part: np.bincount(images.labels[rows], minlength=len(images.class_names))
        for part, rows in dataclasses.asdict(parts).items()
    }
    classes = tuple(
        ClassCount(
            name,
            int(sum(count[k] for count in counts.values())),
            *(int(counts[part][k]) for part in ("train", "validation", "test")),
        )
        for k, name in enumerate(images.class_names)
    )
    return DataSummary(
        source=images.source,
        shape=pixels.shape[:3] if pixels.shape[3] == 1 else pixels.shape,
        dtype=str(pixels.dtype),
        value_range=images.value_range,
        observed_range=(float(pixels.min()), float(pixels.max())),
        classes=classes,
        train=len(parts.train),
        validation=len(parts.validation),
        test=len(parts.test),
        num_groups=None if images.groups is None else len(np.unique(images.groups)),
        preparation=images.preparation,
        skipped=images.skipped,
        content_hash=images.content_hash,
    )


def _warnings(plan: _Plan) -> tuple[str, ...]:
    sentences = []
    if plan.train_spec.patience is not None and not len(plan.split.validation):
        sentences.append(
            "There is no validation part, so training runs every epoch and keeps the last weights."
        )
    return tuple(sentences)


def _fit(plan: _Plan, listener: TrainListener, clock: _Clock) -> tuple[Any, History, bool]:
    """Build, compile and train; give the model without augmentation, and its history."""
    with clock.phase("load Keras"):
        from clearcnn import training
    images, parts, spec = plan.images, plan.split, plan.train_spec
    targets = np.eye(len(images.class_names), dtype=np.float32)[images.labels]
    with clock.phase("build"):
        shape = images.images.shape[1:]
        network = models.build_model(plan.model_spec, shape, targets.shape[1], spec.seed)
        trainee = network
        if spec.augmentation is not None:
            trainee = training.augment_model(network, spec.augmentation, spec.seed)
        training.compile_model(trainee, spec, len(parts.train))
    validation = None
    if len(parts.validation):
        validation = images.images[parts.validation], targets[parts.validation]
    listener.on_train_begin(spec.epochs)
    stopping = training.early_stopping(spec) if validation is not None else None
    finished: list[dict[str, float]] = []
    interrupted = False

    def stop() -> None:
        nonlocal interrupted
        if interrupted or not finished:
            raise KeyboardInterrupt
        interrupted = True
        trainee.stop_training = True
        if stopping:
            stopping.restore_best_weights = False

    def hear(epoch: int, metrics: dict[str, float]) -> None:
        finished.append(metrics)
        try:
            listener.on_epoch_end(epoch, dict(metrics))
        except KeyboardInterrupt:
            # Several epochs may be trained at once: the rest of them is heard, too.
            stop()

    watch = training.Watch(hear)
    start = time.perf_counter()
    with first_interrupt(stop):
        training.fit(
            trainee,
            images.images[parts.train],
            targets[parts.train],
            batch_size=spec.batch_size,
            epochs=spec.epochs,
            verbose=0,
            callbacks=[watch, *([stopping] if stopping else [])],
            validation_data=validation,
            validation_batch_size=_VALIDATION_BATCH,
            seed=spec.seed,
        )
    clock.seconds["compile"] = watch.begun - start
    clock.seconds["fit"] = time.perf_counter() - watch.begun
    metrics = {name: tuple(row[name] for row in finished) for name in finished[0]}
    best = len(finished) - 1
    if stopping and not interrupted:
        best = stopping.best_epoch
    history = History(metrics, best)
    listener.on_train_end(history, interrupted)
    return network, history, interrupted


def _score(plan: _Plan, network: Any) -> tuple[Any, Evaluation]:
    images, rows = plan.images, plan.split.test
    probabilities = network.predict(images.images[rows], batch_size=_PREDICT_BATCH, verbose=0)
    names = [images.names[row] for row in rows]
    return probabilities, evaluation.evaluate_predictions(
        images.labels[rows], probabilities, images.class_names, rows, names
    )


def _write(
    folder: Path,
    plan: _Plan,
    network: Any,
    probabilities: Any,
    result: TrainResult,
    command: str,
) -> None:
    """Fill the run folder in the making; the manifest, which hashes the rest, comes last."""
    images, rows = plan.images, plan.split.test
    network.save(folder / "model.keras")
    (folder / "model.toml").write_text(models.write_model(plan.model_spec), encoding="utf-8")
    bundle.write_history(folder, result.history)
    bundle.write_metrics(folder, result)
    names = [images.names[row] for row in rows]
    bundle.write_predictions(
        folder, images.labels[rows], probabilities, images.class_names, rows, names
    )
    manifest = bundle.describe_run(
        source=images.source,
        content_hash=images.content_hash,
        class_names=images.class_names,
        contract=_contract(plan),
        data=plan.data_spec,
        split=plan.split_spec,
        model=plan.model_spec,
        train=plan.train_spec,
        skipped=images.skipped,
        warnings=result.warnings,
    )
    versions = {"clearcnn": manifest.clearcnn, **manifest.versions}
    report.write_report(folder, result, _choose_pictures(plan, result), command, versions)
    bundle.write_manifest(folder, manifest)


def _choose_pictures(plan: _Plan, result: TrainResult) -> report.ReportPictures:
    images, rows = plan.images, plan.split.train
    samples = report.choose_samples(images.labels[rows], len(images.class_names))
    shown = [mistake.index for mistake in result.test.mistakes[: report.MOST_MISTAKES]]
    return report.ReportPictures(
        samples=tuple(images.images[rows[chosen]] for chosen in samples),
        mistakes=images.images[np.asarray(shown, dtype=np.intp)],
    )


def _contract(plan: _Plan) -> bundle.InputContract:
    images = plan.images
    height, width, channels = images.images.shape[1:]
    return bundle.InputContract(
        shape=(height, width, channels),
        dtype=str(images.images.dtype),
        value_range=images.value_range,
        color_mode="grayscale" if channels == 1 else "rgb",
        polarity=bundle.infer_polarity(images.images[plan.split.train], images.value_range),
        resize=bundle.ResizeRule(images.resize_filter, images.background),
    )
