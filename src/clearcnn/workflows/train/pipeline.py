"""The way of one run: read, plan, fit, score, write."""

from contextlib import ExitStack

from clearcnn import bundle, data
from clearcnn.bundle import RunFolder, UnfinishedRun
from clearcnn.checkpoints import CheckpointFolder, CheckpointTarget
from clearcnn.data import LabelledImages
from clearcnn.errors import ClearCNNError, DataError, SpecError
from clearcnn.results.train import Divergence, TrainResult
from clearcnn.workflows.fitting.fit_plan import FitOutcome, score_plan, try_plan
from clearcnn.workflows.fitting.interrupt import first_interrupt
from clearcnn.workflows.fitting.listeners import TrainListener
from clearcnn.workflows.fitting.phase_timer import Clock
from clearcnn.workflows.fitting.plan import TrainPlan, describe_input, plan_training, summarize_data
from clearcnn.workflows.runs.save_onnx import write_onnx
from clearcnn.workflows.train.calibrate import fit_confidence, fit_distances
from clearcnn.workflows.train.data_warnings import judge_precision, list_cautions
from clearcnn.workflows.train.resume import Job
from clearcnn.workflows.train.save_run import keep_run


class RunWork:
    """A training from its images to a filled run folder in the making.

    Args:
      job: what to do.
      run: the folder in the making.
      files: where checkpoints go.
      checkpoint_seconds: the least between two of them.
      listener: hears how it goes.

    Attributes:
      unfinished: what the run keeps to be gone on with; there once the model is planned.
    """

    unfinished: UnfinishedRun

    def __init__(
        self,
        job: Job,
        run: RunFolder,
        files: CheckpointFolder,
        checkpoint_seconds: float,
        listener: TrainListener,
    ) -> None:
        self.job = job
        self.run = run
        self.files = files
        self.checkpoint_seconds = checkpoint_seconds
        self.listener = listener
        self.clock = Clock()
        self.warnings: list[str] = []

    def do(self, images: LabelledImages | None, to_the_end: ExitStack) -> TrainResult:
        """Do it.

        Args:
          images: None reads them.
          to_the_end: left when the run folder is there. Until then, what was trained is not
            thrown away for an impatient hand: a first Ctrl-C is only answered.
        """
        with self.clock.phase("data"):
            images = self._check(images or self._load())
            parts = data.split(images, self.job.split)
            summary = summarize_data(images, parts)
        self.listener.on_data(summary, self.run.path / "figures" / "data.png")
        plan = plan_training(
            images,
            parts,
            recipe=self.job.recipe,
            seed=self.job.seed,
            data_spec=self.job.data,
            split_spec=self.job.split,
            model=self.job.model,
            settings=self.job.settings,
            summary=summary,
        )
        self.listener.on_model(plan.model_summary)
        for sentence in (*self.job.notes, *list_cautions(plan)):
            self._warn(sentence)
        outcome = self._fit(plan)
        to_the_end.enter_context(first_interrupt(self.listener.on_late_interrupt))
        return self._keep(plan, outcome)

    def _load(self) -> LabelledImages:
        if self.job.content_hash is None:
            return data.load(self.job.data)
        try:
            return data.load(self.job.data)
        except ClearCNNError as error:
            error.remedy += (
                " Go on where the images can be read as before; pass them again, if they came "
                "from Python."
            )
            raise

    def _check(self, images: LabelledImages) -> LabelledImages:
        if self.job.content_hash not in (None, images.content_hash):
            raise DataError(
                f"{images.source} is not what the run was begun with: its images, labels or "
                "classes have changed.",
                remedy="Bring back what was there, or train from the start.",
            )
        return images

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
        outcome = try_plan(plan, self.listener, self.clock, checkpoint)
        if outcome.divergence is not None:
            if outcome.history is None:
                self.unfinished.remove()
                raise outcome.divergence
            self._warn(outcome.divergence.problem)
        return outcome

    def _keep(self, plan: TrainPlan, outcome: FitOutcome) -> TrainResult:
        """Score the network once, and write everything down."""
        assert outcome.history is not None
        network, run = outcome.network, self.run
        contract = describe_input(plan)
        with self.clock.phase("evaluate"):
            try:
                probabilities, scored = score_plan(plan, network)
            except SpecError as error:
                # Finite weights can still give answers that are no numbers.
                raise outcome.divergence or error from error
            weights, distances = fit_distances(plan, contract, network) or (None, None)
            confidence = fit_confidence(plan, network, distances)
        if imprecise := judge_precision(scored.score):
            self._warn(imprecise)
        with self.clock.phase("export"):
            unwritten = write_onnx(run.partial, plan, contract, network, probabilities, weights)
        if unwritten:
            self._warn(unwritten)
        ended = outcome.divergence
        result = TrainResult(
            recipe=plan.recipe,
            data=plan.data_summary,
            split=plan.split_spec,
            model=plan.model_summary,
            model_spec=plan.model_spec,
            train=plan.train_spec,
            history=outcome.history,
            test=scored,
            seconds=self.clock.seconds,
            warnings=tuple(self.warnings),
            interrupted=outcome.interrupted,
            run_folder=run.path,
            divergence=None if ended is None else Divergence(ended.epoch, ended.what, ended.causes),
        )
        keep_run(
            run.partial,
            plan,
            network,
            probabilities,
            contract,
            confidence,
            result,
            self.job.command,
            self.unfinished.last,
        )
        return result

    def _warn(self, sentence: str) -> None:
        self.warnings.append(sentence)
        self.listener.on_warning(sentence)
