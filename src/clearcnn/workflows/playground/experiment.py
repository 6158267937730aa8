"""One changed model on its way to a score: built and compiled ahead, then trained."""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from clearcnn import evaluation, models
from clearcnn.bundle import Bundle
from clearcnn.data import Split
from clearcnn.errors import DataError
from clearcnn.results.json_codec import to_json
from clearcnn.specs import ModelSpec
from clearcnn.workflows.fitting.fit_plan import score_plan
from clearcnn.workflows.fitting.plan import TrainPlan, describe_input, plan_training
from clearcnn.workflows.playground.page_data import describe_network, pack_arrays
from clearcnn.workflows.runs.read_onnx import read_onnx_file
from clearcnn.workflows.runs.run_data import RunData
from clearcnn.workflows.runs.save_onnx import MODEL, write_onnx

WEIGHTS = "weights.bin"
"""Every weight, as `pack_arrays` writes them for the page."""

MOST_TRAINING_IMAGES = 10_000
_VALIDATION_BATCHES = range(1024, 255, -1)
_USUAL_VALIDATION_BATCH = 512
_LITTLE_WORK = 1e9

Tell = Callable[[dict[str, Any]], None]


class Trial:
    """A model and its training: as the run was trained, but for layers, epochs and augmentation.

    The test part is left alone: in the plan, the validation part stands in its place.

    Args:
      run: whose settings it takes.
      run_data: the images of the run.
      model: the layers.
      epochs: > 0.
    """

    def __init__(self, run: Bundle, run_data: RunData, model: ModelSpec, epochs: int) -> None:
        from clearcnn import training

        self.run = run
        self.plan = plan = _plan(run, run_data, model, epochs)
        images, spec = plan.images, plan.train_spec
        shape = images.images.shape[1:]
        self.network = models.build_model(model, shape, len(images.class_names), spec.seed)
        training.compile_model(self.network, spec, len(plan.split.train))

    def prepare(self) -> None:
        """Have all programs compiled that training and scoring need; train nothing."""
        from clearcnn import training

        self._fit(training.NoEpoch())
        score_plan(self.plan, self.network)

    def train(self, out: Path, against: Path | None, tell: Tell) -> dict[str, Any]:
        """Train, write and compare.

        Args:
          out: a folder to make, for the two ONNX files and the weights.
          against: the ONNX file of the model to compare with; None takes the run's own.
          tell: gets a message when the training begins, and one for each epoch; what it raises
            ends the training.
        Returns:
          The last message.
        Raises:
          DataError: the trained network cannot be written as ONNX.
          BundleError, ExportError: the run's own model is not as clearcnn writes it.
        """
        from clearcnn import training

        start = time.perf_counter()
        plan = self.plan
        tell({"event": "begin", "epochs": plan.train_spec.epochs})

        def hear(epoch: int, metrics: dict[str, float]) -> None:
            tell({"event": "epoch", "epoch": epoch, "metrics": to_json(metrics)})

        self._fit(training.Watch(hear))
        probabilities, scored = score_plan(plan, self.network)
        out.mkdir()
        unwritten = write_onnx(out, plan, describe_input(plan), self.network, probabilities)
        if unwritten:
            raise DataError(unwritten, remedy="Change the model.", code="unwritten")
        (out / WEIGHTS).write_bytes(self._pack_weights())
        before = _answer(plan, read_onnx_file(self.run, MODEL).content)
        rival = before if against is None else _answer(plan, against)
        labels = plan.images.labels[plan.split.test]
        ours, theirs = (each.argmax(axis=1) == labels for each in (probabilities, rival))
        return {
            "event": "end",
            "network": describe_network(plan.model_spec, self.run.manifest.input.shape),
            "score": to_json(scored.score),
            "before": to_json(_score(plan, before)),
            "p_value": evaluation.compare_answers(ours, theirs),
            "lead": int(ours.sum() - theirs.sum()),
            "epochs": plan.train_spec.epochs,
            "train": len(plan.split.train),
            "seconds": time.perf_counter() - start,
        }

    def _pack_weights(self) -> bytes:
        from clearcnn import export

        plan = self.plan
        contract = describe_input(plan)
        return pack_arrays(export.list_weights(self.network, plan.images.class_names, contract))

    def _fit(self, callback: Any) -> None:
        from clearcnn import training

        plan, spec = self.plan, self.plan.train_spec
        images = plan.images
        targets = np.eye(len(images.class_names), dtype=np.float32)[images.labels]

        def take(rows: Any) -> tuple[Any, Any]:
            return images.images[rows], targets[rows]

        work = plan.model_summary.multiply_adds * len(plan.split.train) * spec.epochs
        with training.compile_sooner(0 if work < _LITTLE_WORK else 1):
            training.fit(
                self.network,
                *take(plan.split.train),
                batch_size=spec.batch_size,
                epochs=spec.epochs,
                verbose=0,
                callbacks=[callback],
                validation_data=take(plan.split.validation),
                validation_batch_size=_choose_validation_batch(len(plan.split.validation)),
                seed=spec.seed,
            )


def _plan(run: Bundle, run_data: RunData, model: ModelSpec, epochs: int) -> TrainPlan:
    spec = run.manifest.train
    settings = {field.name: getattr(spec, field.name) for field in dataclasses.fields(spec)}
    parts = run_data.splits
    batch_size = choose_batch_size(min(len(parts.train), MOST_TRAINING_IMAGES), spec.batch_size)
    changes = {
        "epochs": epochs,
        "batch_size": batch_size,
        "augmentation": None,
        "patience": None,
    }
    rows = _thin(parts.train, batch_size, spec.seed)
    return plan_training(
        run_data.images,
        Split(rows, parts.validation, parts.validation),
        recipe="default",
        seed=spec.seed,
        data_spec=run.manifest.data,
        split_spec=run.manifest.split,
        model=model,
        settings=settings | changes,
    )


def choose_batch_size(count: int, wanted: int) -> int:
    """Choose a batch size near the wanted one, within an eighth, so that whole batches take most.

    A smaller last batch would have to be compiled as a second step.

    Args:
      count: images.
      wanted: as the run was trained.
    """
    if count <= wanted:
        return count
    near = range(wanted - wanted // 8, wanted + wanted // 8 + 1)
    return max(near, key=lambda size: (count // size * size, -abs(size - wanted)))


def _choose_validation_batch(count: int) -> int:
    if count < _VALIDATION_BATCHES[-1]:
        return count
    whole = (size for size in _VALIDATION_BATCHES if count % size == 0)
    return next(whole, _USUAL_VALIDATION_BATCH)


def _thin(rows: Any, batch_size: int, seed: int) -> Any:
    """Take as many rows as fill whole batches, at most MOST_TRAINING_IMAGES, by chance."""
    count = min(len(rows), MOST_TRAINING_IMAGES) // batch_size * batch_size
    if count == len(rows):
        return rows
    chosen = np.random.default_rng(seed).permutation(len(rows))[:count]
    return rows[np.sort(chosen)]


def _score(plan: TrainPlan, probabilities: Any) -> Any:
    images, rows = plan.images, plan.split.test
    names = [images.names[row] for row in rows]
    return evaluation.evaluate_predictions(
        images.labels[rows], probabilities, images.class_names, rows, names
    ).score


def _answer(plan: TrainPlan, model: Path | bytes) -> Any:
    from clearcnn import export

    return export.run_onnx(model, plan.images.images[plan.split.test])["probabilities"]
