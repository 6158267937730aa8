"""The workshop's own process: it trains one changed model after another and stays warm.

It speaks JSON through a pipe: jobs come in, and what happens goes out, one message each.
"""

import dataclasses
import json
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from clearcnn import bundle, evaluation
from clearcnn.bundle import Bundle
from clearcnn.data import Split
from clearcnn.errors import ClearCNNError, DataError
from clearcnn.results import to_json
from clearcnn.specs import LayerSpec, ModelSpec
from clearcnn.workflows.clock import Clock
from clearcnn.workflows.exhibit import describe_network
from clearcnn.workflows.listener import TrainListener
from clearcnn.workflows.onnx_files import MODEL, write_onnx
from clearcnn.workflows.plan import TrainPlan, describe_input, plan_training
from clearcnn.workflows.recipe_fit import fit_plan, score_plan
from clearcnn.workflows.subject import Lesson, read_lesson

MOST_TRAINING_IMAGES = 10_000

Tell = Callable[[dict[str, Any]], None]


def work(pipe: Connection) -> None:
    """Train what is asked for until the other end is gone.

    Args:
      pipe: brings {"warm": true}, {"cancel": true}, or jobs {"run", "model", "epochs", "out",
        "against"};
        takes messages with "event": begin, epoch, end, error or cancelled.
    """
    # Ctrl-C in the terminal reaches every process of the group; the server ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Whoever waits for an answer comes first. Windows has no such call.
    if hasattr(os, "nice"):
        os.nice(10)

    def tell(message: dict[str, Any]) -> None:
        pipe.send_bytes(json.dumps(message).encode())

    lessons: dict[Path, tuple[Bundle, Lesson]] = {}
    while True:
        try:
            job = json.loads(pipe.recv_bytes())
            if "warm" in job:
                from clearcnn import training  # noqa: F401
            elif "run" in job:
                _do(job, lessons, pipe, tell)
        except (EOFError, OSError):
            return


def _do(
    job: dict[str, Any], lessons: dict[Path, tuple[Bundle, Lesson]], pipe: Connection, tell: Tell
) -> None:
    try:
        folder = Path(job["run"])
        if folder not in lessons:
            lessons[folder] = _open(folder)
        model = ModelSpec(
            job["model"]["name"],
            tuple(LayerSpec(each["layer"], each["arguments"]) for each in job["model"]["layers"]),
        )
        run, lesson = lessons[folder]
        against = Path(job["against"]) if job["against"] else run.path(MODEL)
        ear = _Ear(pipe, tell)
        tell(_train(run, lesson, model, job["epochs"], Path(job["out"]), against, ear))
    except (ClearCNNError, MemoryError) as error:
        problem = getattr(error, "problem", "There is not enough memory to train this model.")
        remedy = getattr(error, "remedy", "Make it smaller.")
        tell({"event": "error", "problem": problem, "remedy": remedy})
    except KeyboardInterrupt:
        tell({"event": "cancelled"})


def _open(folder: Path) -> tuple[Bundle, Lesson]:
    run = bundle.read_bundle(folder)
    lesson = read_lesson(run.manifest)
    if isinstance(lesson, str):
        raise DataError(lesson, remedy="Start the server where the run's images can be read.")
    if not len(lesson.parts.validation):
        raise DataError(
            "The run has no validation images, by which the workshop compares models.",
            remedy="Train the run again with a validation part.",
        )
    return run, lesson


class _Ear(TrainListener):
    """Passes on every epoch, and hears when the training is cancelled."""

    def __init__(self, pipe: Connection, tell: Tell) -> None:
        self._pipe, self._tell = pipe, tell

    def on_train_begin(self, epochs: int) -> None:
        self._tell({"event": "begin", "epochs": epochs})

    def on_epoch_end(self, epoch: int, metrics: dict[str, float]) -> None:
        self._tell({"event": "epoch", "epoch": epoch, "metrics": to_json(metrics)})
        if self._pipe.poll():
            self._pipe.recv_bytes()
            raise KeyboardInterrupt


def _train(
    run: Bundle,
    lesson: Lesson,
    model: ModelSpec,
    epochs: int,
    out: Path,
    against: Path,
    ear: _Ear,
) -> dict[str, Any]:
    """Train as the run was trained, but for its layers, epochs, augmentation and patience.

    The test part is left alone: in the plan, the validation part stands in its place.
    """
    start = time.perf_counter()
    settings = {
        field.name: getattr(run.manifest.train, field.name)
        for field in dataclasses.fields(run.manifest.train)
    }
    parts = lesson.parts
    plan = plan_training(
        lesson.images,
        Split(_thin(parts.train, settings["seed"]), parts.validation, parts.validation),
        recipe="default",
        seed=settings["seed"],
        data_spec=run.manifest.data,
        split_spec=run.manifest.split,
        model=model,
        settings=settings | {"epochs": epochs, "augmentation": None, "patience": None},
    )
    network, history, interrupted = fit_plan(plan, ear, Clock())
    if interrupted:
        raise KeyboardInterrupt
    probabilities, scored = score_plan(plan, network)
    out.mkdir()
    unwritten = write_onnx(out, plan, describe_input(plan), network, probabilities)
    if unwritten:
        raise DataError(unwritten, remedy="Change the model.")
    rivals = {path: _answer(plan, path) for path in {run.path(MODEL), against}}
    rows = plan.split.test
    labels = plan.images.labels[rows]
    before = evaluation.evaluate_predictions(
        labels,
        rivals[run.path(MODEL)],
        plan.images.class_names,
        rows,
        [plan.images.names[row] for row in rows],
    )
    ours, theirs = (each.argmax(axis=1) == labels for each in (probabilities, rivals[against]))
    return {
        "event": "end",
        "network": describe_network(plan.model_spec, run.manifest.input.shape),
        "score": to_json(scored.score),
        "before": to_json(before.score),
        "p_value": evaluation.compare_answers(ours, theirs),
        "lead": int(ours.sum() - theirs.sum()),
        "epochs": history.num_epochs,
        "train": len(plan.split.train),
        "seconds": time.perf_counter() - start,
    }


def _thin(rows: Any, seed: int) -> Any:
    if len(rows) <= MOST_TRAINING_IMAGES:
        return rows
    chosen = np.random.default_rng(seed).permutation(len(rows))[:MOST_TRAINING_IMAGES]
    return rows[np.sort(chosen)]


def _answer(plan: TrainPlan, model: Path) -> Any:
    from clearcnn import export

    return export.run_onnx(model, plan.images.images[plan.split.test])["probabilities"]
