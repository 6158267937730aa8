"""The manifest, `bundle.json`: the contents of a run folder, and the input contract."""

import hashlib
import json
import math
import platform
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from clearcnn.bundle.provenance import sign
from clearcnn.contract import InputContract
from clearcnn.errors import BundleError
from clearcnn.language import say
from clearcnn.results.json_codec import SCHEMA_VERSION, decode, to_json
from clearcnn.results.train import SkippedFile
from clearcnn.specs import DataSpec, ModelSpec, SplitSpec, TrainSpec
from clearcnn.version import __version__

MANIFEST_NAME = "bundle.json"
REQUIRED_FILES = (
    "model.keras",
    "model.toml",
    "history.csv",
    "metrics.json",
    "predictions.csv",
    "report.html",
)


@dataclass(frozen=True)
class FileEntry:
    """One file of the folder: its SHA-256 in hexadecimal, and its size in bytes."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Confidence:
    """The calibration of a model's confidence on the validation set.

    Attributes:
      temperature: divides the logits; fitted to maximize the likelihood; > 0.
      threshold: of the largest probability at that temperature, in [0, 1]; an image below it
        looks like no class. None if there were too few images to fit one, or if there is a
        distance threshold.
      false_alarms: number of validation images beyond the threshold; None without one.
      num_images: of the validation set.
      distance_threshold: of the distance to the nearest class divided by the largest
        probability, >= 0; an image above it looks like no class. None if the model computes no
        distances, as in run folders of older versions.
    Raises:
      BundleError: the temperature is not positive, the threshold is not a probability, or there
        are no images.
    """

    temperature: float
    threshold: float | None
    false_alarms: int | None
    num_images: int
    distance_threshold: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise _invalid(
                say(
                    "The temperature is {temperature:g}; expected a positive number.",
                    temperature=self.temperature,
                )
            )
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise _invalid(
                say(
                    "The threshold is {threshold:g}; expected a probability.",
                    threshold=self.threshold,
                )
            )
        if self.num_images < 1:
            raise _invalid(
                say(
                    "The confidence is based on {num_images} images; expected at least 1.",
                    num_images=self.num_images,
                )
            )

    @property
    def false_alarm_rate(self) -> float | None:
        """The share of validation images beyond the threshold, in [0, 1]; None without one."""
        return None if self.false_alarms is None else self.false_alarms / self.num_images


@dataclass(frozen=True)
class Manifest:
    """The content of `bundle.json`.

    Attributes:
      schema_version: of this file and of metrics.json.
      clearcnn: the version that wrote the folder.
      created: UTC, ISO 8601, to the second.
      versions: of Python, Keras, JAX and NumPy, by name.
      source: a description of the data source.
      content_hash: SHA-256 over images, labels and class names, hexadecimal.
      class_names: in the order of the model's outputs.
      input: the input contract.
      data, split, model, train: the specs of the run.
      skipped: files left out because they could not be read.
      warnings: one sentence each.
      files: every other file in the folder, by its relative path with forward slashes.
      confidence: the calibration; None without a validation set, and in run folders of older
        versions.
      signature: over all other fields, which identifies this user's own runs; None if no key
        could be stored.
    """

    schema_version: int
    clearcnn: str
    created: str
    versions: dict[str, str]
    source: str
    content_hash: str
    class_names: tuple[str, ...]
    input: InputContract
    data: DataSpec
    split: SplitSpec
    model: ModelSpec
    train: TrainSpec
    skipped: tuple[SkippedFile, ...]
    warnings: tuple[str, ...]
    files: dict[str, FileEntry]
    confidence: Confidence | None = None
    signature: str | None = None


def _invalid(problem: str) -> BundleError:
    return BundleError(problem, remedy=say("Restore the run folder from a backup, or train again."))


def software_versions() -> dict[str, str]:
    """Return the versions of Python, Keras, JAX and NumPy, without importing them."""
    # Imported here, since importing it takes longer than reading a manifest.
    from importlib import metadata

    return {
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in ("keras", "jax", "numpy")},
    }


def describe_run(
    *,
    source: str,
    content_hash: str,
    class_names: tuple[str, ...],
    contract: InputContract,
    data: DataSpec,
    split: SplitSpec,
    model: ModelSpec,
    train: TrainSpec,
    skipped: tuple[SkippedFile, ...] = (),
    warnings: tuple[str, ...] = (),
    confidence: Confidence | None = None,
) -> Manifest:
    """Make the manifest of a run that ends now; `write_manifest` adds its files."""
    return Manifest(
        schema_version=SCHEMA_VERSION,
        clearcnn=__version__,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        versions=software_versions(),
        source=source,
        content_hash=content_hash,
        class_names=class_names,
        input=contract,
        data=data,
        split=split,
        model=model,
        train=train,
        skipped=skipped,
        warnings=warnings,
        files={},
        confidence=confidence,
    )


def write_manifest(folder: Path, manifest: Manifest) -> Manifest:
    """Write `bundle.json`, with the hash of every file in the folder; so it must be written last.

    Args:
      folder: the run folder that is being written.
      manifest: its `files` are replaced by those in the folder, and then it is signed.
    Returns:
      The manifest as written.
    Raises:
      OSError: a file cannot be read or written.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    sealed = replace(
        manifest,
        files={
            path.relative_to(folder).as_posix(): describe_file(path)
            for path in paths
            if path != folder / MANIFEST_NAME
        },
    )
    signed = sign(sealed)
    write_json(folder / MANIFEST_NAME, to_json(signed))
    return signed


def parse_manifest(values: object) -> Manifest:
    """Build a Manifest from the values of `bundle.json`.

    Raises:
      Mismatch: a field is missing or of another kind.
    """
    manifest: Manifest = decode(Manifest, values, "bundle")
    return manifest


def describe_file(path: Path) -> FileEntry:
    """Compute the SHA-256 and size of a file without holding it in memory."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return FileEntry(digest.hexdigest(), file.tell())


def write_json(path: Path, values: object) -> None:
    """Write indented JSON in UTF-8, without NaN.

    A lone surrogate, from a file name that is not Unicode, becomes a JSON escape, which is read
    back as the same name.
    """
    text = json.dumps(values, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
