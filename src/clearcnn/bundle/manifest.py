"""`bundle.json`: what a run folder holds, and under which contract."""

import hashlib
import json
import math
import platform
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clearcnn.bundle.provenance import sign
from clearcnn.contract import InputContract
from clearcnn.errors import BundleError
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
    """One file of the folder: its SHA-256, hexadecimal, and its size in bytes."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Confidence:
    """What the validation part says of the model's confidence.

    Attributes:
      temperature: that the logits are divided by to make probabilities likeliest; > 0.
      threshold: of the largest probability at that temperature, in [0, 1]; an image below it
        looks like none of the classes. None if there were too few images to fit one, and where
        distances tell better.
      false_alarms: validation images beyond the threshold; None without one.
      num_images: of the validation part.
      distance_threshold: of the distance to the nearest class divided by the largest
        probability, >= 0; an image above it looks like none of the classes. None where the
        model gives no distances, as in folders of versions that did not fit them.
    Raises:
      BundleError: the temperature is no positive number, the threshold no probability, or there
        are no images.
    """

    temperature: float
    threshold: float | None
    false_alarms: int | None
    num_images: int
    distance_threshold: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise _impossible(f"The temperature is {self.temperature:g}; a positive number")
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise _impossible(f"The threshold is {self.threshold:g}; a probability")
        if self.num_images < 1:
            raise _impossible(f"The confidence is of {self.num_images} images; at least 1")

    @property
    def false_alarm_rate(self) -> float | None:
        """Share of validation images beyond the threshold, in [0, 1]; None without one."""
        return None if self.false_alarms is None else self.false_alarms / self.num_images


@dataclass(frozen=True)
class Manifest:
    """The content of `bundle.json`.

    Attributes:
      schema_version: of this file and of metrics.json.
      clearcnn: the version that wrote the folder.
      created: UTC, ISO 8601, to the second.
      versions: of Python, Keras, JAX and NumPy, by name.
      source: what was read, in words.
      content_hash: SHA-256 over images, labels and class names, hexadecimal.
      class_names: in the order of the model's outputs.
      input: what a picture must be like.
      data, split, model, train: what the user asked for.
      skipped: files left out because they could not be read.
      warnings: one sentence each.
      files: every other file of the folder by its path in it, with forward slashes.
      confidence: what the validation part says of it; None without such a part, and in folders
        of versions that did not fit it.
      signature: of all the rest, by which this user's own runs are known; None where no key
        could be kept.
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


def _impossible(what: str) -> BundleError:
    return BundleError(
        f"{what} was expected.", remedy="Restore the run folder from a copy, or train again."
    )


def software_versions() -> dict[str, str]:
    """Versions of Python, Keras, JAX and NumPy, read without importing them."""
    # It takes longer to import than to read a manifest.
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
    """Make the manifest of a run that ends now; `write_manifest` fills in its files."""
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
    """Write `bundle.json` last: it seals every file that is in the folder by then.

    Args:
      folder: the folder in the making.
      manifest: whose `files` are replaced by what is found, and which is signed then.
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


def parse_manifest(values: Any) -> Manifest:
    """Build a Manifest from the values of `bundle.json`.

    Raises:
      Mismatch: a field is missing or of another kind.
    """
    manifest: Manifest = decode(Manifest, values, "bundle")
    return manifest


def describe_file(path: Path) -> FileEntry:
    """SHA-256 and size of a file, read in pieces."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return FileEntry(digest.hexdigest(), file.tell())


def write_json(path: Path, values: Any) -> None:
    """Write JSON for people and machines: UTF-8, indented, no NaN.

    A file name that is no Unicode (a lone surrogate in Python) becomes a JSON escape, which
    reads back as the same name.
    """
    text = json.dumps(values, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
