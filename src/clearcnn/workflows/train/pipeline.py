"""The steps of one run: read, plan, fit, score, write."""

import dataclasses
import time
from contextlib import ExitStack

from clearcnn import bundle, data, evaluation
from clearcnn.bundle import RunFolder, UnfinishedRun
from clearcnn.checkpoints import CheckpointFolder, CheckpointTarget
from clearcnn.data import LabelledImages
from clearcnn.errors import ClearCNNError, DataError, SpecError
from clearcnn.language import Language, say
from clearcnn.results.train import Divergence, FlipTrial, TrainResult
from clearcnn.specs import SplitSpec
from clearcnn.temperature import apply_temperature
from clearcnn.workflows.fitting.budget import Budget, describe_training, fit_into_budget
from clearcnn.workflows.fitting.easy_images import adapt_to_easy_images
from clearcnn.workflows.fitting.fit_plan import (
    FitOutcome,
    fit_plan,
    score_plan,
    score_predictions,
    show_mistakes,
)
from clearcnn.workflows.fitting.flip_trial import try_flips
from clearcnn.workflows.fitting.interrupt import first_interrupt
from clearcnn.workflows.fitting.listeners import TrainListener
from clearcnn.workflows.fitting.phase_timer import PhaseTimer
from clearcnn.workflows.fitting.plan import TrainPlan, describe_input, plan_training, summarize_data
from clearcnn.workflows.fitting.repro_command import replace_budget
from clearcnn.workflows.runs.save_onnx import write_onnx
from clearcnn.workflows.train.advice import advise
from clearcnn.workflows.train.calibrate import fit_confidence, fit_distances
from clearcnn.workflows.train.data_warnings import check_precision, list_data_warnings
from clearcnn.workflows.train.resume import Job
from clearcnn.workflows.train.save_run import save_run

# What scoring and writing import, in this order.
_NEEDED_TO_KEEP = (
    "scipy.ndimage",
    "onnx",
    "onnxruntime",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "jinja2",
)


class TrainPipeline:
    """A training, from reading the images to the filled draft of the run folder.

    Args:
      job: the training to run.
      run: the draft of the run folder.
      files: the folder of the checkpoints.
      checkpoint_seconds: the least time between two checkpoints.
      listener: hears about the progress.
      language: of the report.

    Attributes:
      unfinished: the unfinished run, which can be resumed; set once the model is planned.
    """

    unfinished: UnfinishedRun

    def __init__(
        self,
        job: Job,
        run: RunFolder,
        files: CheckpointFolder,
        checkpoint_seconds: float,
        listener: TrainListener,
        language: Language,
    ) -> None:
        self.job = job
        self.run = run
        self.files = files
        self.checkpoint_seconds = checkpoint_seconds
        self.listener = listener
        self.language = language
        self.clock = PhaseTimer()
        self.warnings: list[str] = []

    def run_steps(self, images: LabelledImages | None, on_exit: ExitStack) -> TrainResult:
        """Run all steps.

        Args:
          images: None reads the job's source.
          on_exit: closed when the run folder is complete. From the end of the training until
            then, a first Ctrl-C is only reported, so that it does not discard the trained model.
        """
        with self.clock.phase("data"):
            images = self._check(images or self._load())
            splits = data.split(images, self.job.split)
            split_spec = _settle(self.job.split, splits)
            summary = summarize_data(images, splits)
        self.listener.on_data(summary, self.run.path / "figures" / "data.png")
        plan = plan_training(
            images,
            splits,
            recipe=self.job.recipe,
            seed=self.job.seed,
            data_spec=self.job.data,
            split_spec=split_spec,
            model=self.job.model,
            settings=self.job.settings,
            summary=summary,
            augment=self.job.augment,
            flip=self.job.flip,
        )
        self.listener.on_model(plan.model_summary)
        for sentence in (*self.job.notes, *list_data_warnings(plan)):
            self._warn(sentence)
        plan, trial = self._try_flips(plan)
        if self.job.budget is not None:
            plan = self._fit_into_budget(plan, self.job.budget)
        outcome = self._fit(plan)
        on_exit.enter_context(first_interrupt(self.listener.on_late_interrupt))
        return self._keep(plan, outcome, trial)

    def _load(self) -> LabelledImages:
        if self.job.content_hash is None:
            return data.load(self.job.data, progress=self.listener.on_reading)
        try:
            return data.load(self.job.data, progress=self.listener.on_reading)
        except ClearCNNError as error:
            error.remedy += say(
                " Resume where the images can be read as before; if they came from "
                "Python, pass them again."
            )
            raise

    def _check(self, images: LabelledImages) -> LabelledImages:
        if self.job.content_hash not in (None, images.content_hash):
            raise DataError(
                say(
                    "{source} has changed since the run began: its images, labels or classes "
                    "are different.",
                    source=images.source,
                ),
                remedy=say("Restore the data, or train from the start."),
            )
        return images

    def _try_flips(self, plan: TrainPlan) -> tuple[TrainPlan, FlipTrial | None]:
        start = time.perf_counter()
        plan, trial = try_flips(plan)
        if trial is not None:
            self.clock.seconds["flip trial"] = time.perf_counter() - start
            self.listener.on_flip_trial(trial)
        return adapt_to_easy_images(plan, trial, self.job.settings), trial

    def _fit_into_budget(self, plan: TrainPlan, budget: Budget) -> TrainPlan:
        with self.clock.phase("pace"):
            plan, epoch_seconds = fit_into_budget(plan, budget)
        chosen = {"epochs": plan.train_spec.epochs}
        command = replace_budget(self.job.command, chosen)
        self.job = dataclasses.replace(self.job, command=command)
        self.listener.on_work(describe_training(plan, epoch_seconds))
        return plan

    def _fit(self, plan: TrainPlan) -> FitOutcome:
        job = self.job
        request = bundle.make_request(
            recipe=job.recipe,
            data=plan.data_spec,
            split=plan.split_spec,
            model=plan.model_spec,
            train=plan.train_spec,
            content_hash=plan.images.content_hash,
            command=job.command,
            notes=job.notes,
        )
        self.unfinished = UnfinishedRun(
            self.files,
            bundle.sign(request),
            job.start,
            on_first=self.listener.on_checkpoint,
            on_trouble=self._warn,
        )
        if job.unfinished is not None:
            self.listener.on_checkpoint(self.files.folder)
        if job.start is not None:
            self.listener.on_resume(job.start.epoch)
        checkpoint = CheckpointTarget(self.unfinished, self.checkpoint_seconds)
        outcome = fit_plan(
            plan, self.listener, self.clock, checkpoint, needed_later=_NEEDED_TO_KEEP
        )
        if outcome.divergence is not None:
            if outcome.history is None:
                self.unfinished.remove()
                raise outcome.divergence
            self._warn(outcome.divergence.problem)
        return outcome

    def _keep(self, plan: TrainPlan, outcome: FitOutcome, trial: FlipTrial | None) -> TrainResult:
        """Score the network once, and fill the run folder."""
        assert outcome.history is not None
        network, run = outcome.network, self.run
        contract = describe_input(plan)
        with self.clock.phase("evaluate"):
            try:
                probabilities, scored = score_plan(plan, network)
            except SpecError as error:
                # Finite weights can still give NaN as probabilities.
                raise outcome.divergence or error from error
            distances = fit_distances(plan, contract, network)
            confidence = fit_confidence(plan, network, distances)
            calibrated = probabilities
            rows = plan.splits.test
            labels = plan.images.labels[rows]
            if confidence is not None:
                calibrated = apply_temperature(probabilities, confidence.temperature)
                scored = score_predictions(plan.images, rows, probabilities, calibrated)
        if imprecise := check_precision(scored.score):
            self._warn(imprecise)
        with self.clock.phase("export"):
            built = None if distances is None else distances.onnx
            unwritten = write_onnx(run.partial, plan, contract, network, probabilities, built)
        if unwritten:
            self._warn(unwritten)
        ended = outcome.divergence
        result = TrainResult(
            recipe=plan.recipe,
            data=plan.data_summary,
            split=plan.split_spec,
            model_summary=plan.model_summary,
            model_spec=plan.model_spec,
            train=plan.train_spec,
            history=outcome.history,
            test=scored,
            seconds=self.clock.seconds,
            warnings=tuple(self.warnings),
            interrupted=outcome.interrupted,
            run_folder=run.path,
            divergence=None if ended is None else Divergence(ended.epoch, ended.what, ended.causes),
            flip_trial=trial,
            advice=advise(plan.data_summary, plan.train_spec, outcome.history, scored),
            calibration=evaluation.calibrate(labels, calibrated, seed=self.job.seed),
            curves=evaluation.trace_binary(labels, calibrated, plan.images.class_names),
            pictures=show_mistakes(scored, plan.images),
        )
        save_run(
            run.partial,
            plan,
            network,
            calibrated,
            contract,
            confidence,
            result,
            self.job.command,
            self.unfinished.last,
            language=self.language,
        )
        return result

    def _warn(self, sentence: str) -> None:
        self.warnings.append(sentence)
        self.listener.on_warning(sentence)


def _settle(spec: SplitSpec, splits: data.Split) -> SplitSpec:
    """Give the spec the validation fraction that was used, for the run to be repeated."""
    if spec.validation_fraction is not None:
        return spec
    fraction = data.choose_validation_fraction(len(splits.train) + len(splits.validation))
    return dataclasses.replace(spec, validation_fraction=fraction)
