"""The training of one changed model: compiled ahead of time, then trained and scored."""

import dataclasses
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clearcnn import evaluation
from clearcnn.bundle import Bundle
from clearcnn.data import Split
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.results.json_codec import to_json
from clearcnn.specs import ModelSpec
from clearcnn.types import JsonObject
from clearcnn.workflows.fitting.fit_plan import make_trainer, score_plan, score_predictions
from clearcnn.workflows.fitting.plan import TrainPlan, describe_input, plan_training
from clearcnn.workflows.fitting.trainer import Samples
from clearcnn.workflows.playground.page_data import describe_network, pack_arrays
from clearcnn.workflows.runs.read_onnx import read_onnx_file
from clearcnn.workflows.runs.run_data import RunData
from clearcnn.workflows.runs.save_onnx import MODEL, write_onnx

WEIGHTS = "weights.bin"
"""All weights, in the format that `pack_arrays` writes for the page."""

MOST_TRAINING_IMAGES = 10_000
_VALIDATION_BATCHES = range(1024, 255, -1)
_USUAL_VALIDATION_BATCH = 512
_LITTLE_WORK = 1e9

Tell = Callable[[JsonObject], None]


class Experiment:
    """A changed model, trained as the run was, but for layers, epochs and augmentation.

    The run's test set is not used: in the plan, the validation set takes its place.

    Args:
      run: gives the settings of the training.
      run_data: the images of the run.
      model: the layers.
      epochs: > 0.
    """

    def __init__(self, run: Bundle, run_data: RunData, model: ModelSpec, epochs: int) -> None:
        self.run = run
        self.plan = plan = _plan(run, run_data, model, epochs)
        validation_batch_size = _choose_validation_batch(len(plan.splits.validation))
        self._trainer = make_trainer(plan, validation_batch_size)

    def prepare(self) -> None:
        """Compile all programs that training and scoring need; train nothing."""
        with self._compiling_fast():
            self._trainer.compile(*self._select_data())
        score_plan(self.plan, self._trainer.network)

    def train(self, out: Path, against: Path | None, tell: Tell) -> JsonObject:
        """Train, write the model's files and compare it.

        Args:
          out: a folder to make, for the two ONNX files and the weights.
          against: the ONNX file of the model to compare with; None takes the run's own.
          tell: gets a message when the training begins, and one for each epoch; an exception
            that it raises ends the training.
        Returns:
          The last message.
        Raises:
          DataError: the trained network cannot be written as ONNX.
          BundleError, ExportError: the run's own model is not one that clearcnn wrote.
        """
        start = time.perf_counter()
        plan = self.plan
        tell({"event": "begin", "epochs": plan.train_spec.epochs})

        def tell_epoch(epoch: int, metrics: dict[str, float]) -> None:
            tell({"event": "epoch", "epoch": epoch, "metrics": to_json(metrics)})

        with self._compiling_fast():
            self._trainer.fit(*self._select_data(), tell_epoch)
        network = self._trainer.network
        probabilities, scored = score_plan(plan, network)
        out.mkdir()
        unwritten = write_onnx(out, plan, describe_input(plan), network, probabilities)
        if unwritten:
            raise DataError(unwritten, remedy=say("Change the model."), code="unwritten")
        (out / WEIGHTS).write_bytes(self._pack_weights())
        before = _predict(plan, read_onnx_file(self.run, MODEL).content)
        rival = before if against is None else _predict(plan, against)
        labels = plan.images.labels[plan.splits.test]
        ours, theirs = (each.argmax(axis=1) == labels for each in (probabilities, rival))
        return {
            "event": "end",
            "network": describe_network(plan.model_spec, self.run.manifest.input.shape),
            "score": to_json(scored.score),
            "before": to_json(score_predictions(plan.images, plan.splits.test, before).score),
            "p_value": evaluation.compare_answers(ours, theirs),
            "lead": int(ours.sum() - theirs.sum()),
            "epochs": plan.train_spec.epochs,
            "train": len(plan.splits.train),
            "seconds": time.perf_counter() - start,
        }

    def _select_data(self) -> tuple[Samples, Samples]:
        split = self.plan.splits
        images = self.plan.images
        return Samples.of(images, split.train), Samples.of(images, split.validation)

    def _compiling_fast(self) -> AbstractContextManager[None]:
        from clearcnn import training

        plan = self.plan
        work = plan.model_summary.multiply_adds * len(plan.splits.train) * plan.train_spec.epochs
        return training.compile_sooner(0 if work < _LITTLE_WORK else 1)

    def _pack_weights(self) -> bytes:
        from clearcnn import export

        network, class_names = self._trainer.network, self.plan.images.class_names
        contract = describe_input(self.plan)
        return pack_arrays(export.list_weights(network, class_names, contract))


def _plan(run: Bundle, run_data: RunData, model: ModelSpec, epochs: int) -> TrainPlan:
    spec = run.manifest.train
    settings = {field.name: getattr(spec, field.name) for field in dataclasses.fields(spec)}
    split = run_data.splits
    batch_size = choose_batch_size(min(len(split.train), MOST_TRAINING_IMAGES), spec.batch_size)
    changes = {
        "epochs": epochs,
        "batch_size": batch_size,
        "augmentation": None,
        "patience": None,
    }
    rows = _thin(split.train, batch_size, spec.seed)
    return plan_training(
        run_data.images,
        Split(rows, split.validation, split.validation),
        recipe="default",
        seed=spec.seed,
        data_spec=run.manifest.data,
        split_spec=run.manifest.split,
        model=model,
        settings=settings | changes,
    )


def choose_batch_size(count: int, wanted: int) -> int:
    """Choose the batch size within an eighth of the wanted one whose whole batches cover the most.

    A smaller last batch would have to be compiled as a second step.

    Args:
      count: images.
      wanted: the batch size of the run.
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


def _thin(rows: NDArray[np.intp], batch_size: int, seed: int) -> NDArray[np.intp]:
    """Draw as many rows as fill whole batches, at most MOST_TRAINING_IMAGES."""
    count = min(len(rows), MOST_TRAINING_IMAGES) // batch_size * batch_size
    if count == len(rows):
        return rows
    chosen = np.random.default_rng(seed).permutation(len(rows))[:count]
    return rows[np.sort(chosen)]


def _predict(plan: TrainPlan, model: Path | bytes) -> NDArray[np.float32]:
    from clearcnn import export

    images = plan.images.images[plan.splits.test]
    return np.asarray(export.run_onnx(model, images)["probabilities"])
