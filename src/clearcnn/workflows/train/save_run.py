"""Write a finished training into its run folder."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clearcnn import bundle, models, report
from clearcnn.contract import InputContract
from clearcnn.language import ENGLISH, Language
from clearcnn.results.train import TrainResult
from clearcnn.workflows.fitting.plan import TrainPlan

if TYPE_CHECKING:
    import keras


def save_run(
    folder: Path,
    plan: TrainPlan,
    network: "keras.Model",
    calibrated: NDArray[np.floating],
    contract: InputContract,
    confidence: bundle.Confidence | None,
    result: TrainResult,
    command: str,
    checkpoint: bytes | None = None,
    *,
    language: Language = ENGLISH,
) -> None:
    """Fill the draft of the run folder; the manifest, which hashes all other files, is last.

    Args:
      folder: the draft.
      plan: of the training.
      network: the trained Keras model.
      calibrated: (n, num_classes), the probabilities of the test set at the temperature of
        `confidence`, as `predict` gives them.
      contract: the input contract.
      confidence: the calibration.
      result: of the training.
      command: the command that gives the same result.
      checkpoint: the content of the last checkpoint.
      language: of the report.
    """
    if checkpoint is not None:
        (folder / bundle.CHECKPOINT_NAME).write_bytes(checkpoint)
    images, rows = plan.images, plan.splits.test
    network.save(folder / "model.keras")
    (folder / "model.toml").write_text(models.write_model(plan.model_spec), encoding="utf-8")
    bundle.write_history(folder, result.history)
    bundle.write_metrics(folder, result)
    names = [images.names[row] for row in rows]
    bundle.write_predictions(
        folder, images.labels[rows], calibrated, images.class_names, rows, names
    )
    manifest = bundle.describe_run(
        source=images.source,
        content_hash=images.content_hash,
        class_names=images.class_names,
        contract=contract,
        data=plan.data_spec,
        split=plan.split_spec,
        model=plan.model_spec,
        train=plan.train_spec,
        skipped=images.skipped,
        warnings=result.warnings,
        confidence=confidence,
    )
    versions = {"clearcnn": manifest.clearcnn, **manifest.versions}
    pictures = _choose_images(plan, result)
    report.write_report(folder, result, pictures, command, versions, language)
    bundle.write_manifest(folder, manifest)


def _choose_images(plan: TrainPlan, result: TrainResult) -> report.ReportImages:
    images, rows = plan.images, plan.splits.train
    samples = report.choose_samples(images.labels[rows], len(images.class_names))
    shown = [mistake.index for mistake in result.test.mistakes[: report.MOST_MISTAKES]]
    return report.ReportImages(
        samples=tuple(images.images[rows[chosen]] for chosen in samples),
        mistakes=images.images[np.asarray(shown, dtype=np.intp)],
    )
