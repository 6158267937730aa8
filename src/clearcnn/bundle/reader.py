"""Open a finished run folder, and trust nothing in it that its hashes do not vouch for."""

import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from clearcnn.bundle.codec import Mismatch
from clearcnn.bundle.manifest import (
    MANIFEST_NAME,
    REQUIRED_FILES,
    Manifest,
    describe_file,
    parse_manifest,
)
from clearcnn.errors import BundleError
from clearcnn.results import SCHEMA_VERSION

# Python's objects take up to thirty times the JSON they are made of.
_MOST_MANIFEST_BYTES = 8 * 2**20
_MOST_FILES = 1_000


@dataclass(frozen=True)
class Bundle:
    """A run folder that was found whole and unaltered.

    Attributes:
      folder: where it is.
      manifest: the content of its bundle.json.
    """

    folder: Path
    manifest: Manifest

    def path(self, name: str) -> Path:
        """The place of one of its files, such as "model.keras"."""
        if name not in self.manifest.files:
            raise BundleError(
                f"{self.folder} holds no {name}; its {MANIFEST_NAME} lists "
                f"{', '.join(self.manifest.files)}.",
                remedy="Train again to get a whole run folder.",
            )
        return self.folder / name


def read_bundle(folder: Path | str, *, only: Collection[str] | None = None) -> Bundle:
    """Read a run folder's manifest, and check every file against it.

    Files that the manifest does not list are let be.

    Args:
      folder: as `clearcnn train` left it, wherever it was moved to.
      only: the files that are needed, such as "model.onnx", if the others may be altered or
        missing: to check them all takes longer than to answer for one picture.
    Returns:
      A Bundle.
    Raises:
      BundleError: it is no run folder, was written by another version of the schema, or a
        file is missing or altered.
    """
    folder = Path(folder)
    values = load_manifest(folder)
    _check_schema(folder, values)
    try:
        manifest = parse_manifest(values)
    except Mismatch as problem:
        raise _damaged(folder, f"its {MANIFEST_NAME} does not hold: {problem}") from problem
    if len(manifest.files) > _MOST_FILES:
        raise _damaged(folder, f"its {MANIFEST_NAME} lists {len(manifest.files):,} files")
    unlisted = [name for name in REQUIRED_FILES if name not in manifest.files]
    if unlisted:
        raise _damaged(folder, f"its {MANIFEST_NAME} does not list {', '.join(unlisted)}")
    for name in manifest.files if only is None else manifest.files.keys() & set(only):
        _check_file(folder, name, manifest)
    return Bundle(folder, manifest)


def read_metrics(run: Bundle) -> dict[str, Any]:
    """Give the values of a run's `metrics.json`.

    Raises:
      BundleError: it is no JSON object.
    """
    path = run.path("metrics.json")
    try:
        values = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _damaged(run.folder, "its metrics.json is no JSON") from error
    except OSError as error:
        raise _unreadable(path, error) from error
    if not isinstance(values, dict):
        raise _damaged(run.folder, "its metrics.json is no JSON object")
    return values


def load_manifest(folder: Path) -> Any:
    """Give what a run's `bundle.json` holds, whatever that is.

    Raises:
      BundleError: there is none, it is no JSON, or it is too large.
    """
    path = folder / MANIFEST_NAME
    if not _is_file(path):
        raise BundleError(
            f"{folder} is no run folder: it holds no {MANIFEST_NAME}.",
            remedy="Give a folder that clearcnn train made, such as runs/digits-….",
        )
    try:
        if path.stat().st_size > _MOST_MANIFEST_BYTES:
            raise _damaged(folder, f"its {MANIFEST_NAME} is larger than any run writes")
        return json.loads(path.read_bytes())
    # A deeply nested file exhausts the parser's recursion.
    except (ValueError, RecursionError) as error:
        raise _damaged(folder, f"its {MANIFEST_NAME} is no JSON") from error
    except BundleError:
        raise
    except OSError as error:
        raise _unreadable(path, error) from error


def _check_schema(folder: Path, values: Any) -> None:
    version = values.get("schema_version") if isinstance(values, dict) else None
    if type(version) is not int:
        raise _damaged(folder, f"its {MANIFEST_NAME} holds no schema_version")
    if version != SCHEMA_VERSION:
        age = "a newer" if version > SCHEMA_VERSION else "an older"
        raise BundleError(
            f"{folder} was written by {age} clearcnn ({str(values.get('clearcnn'))[:40]}): its "
            f"schema version is {version}, this one reads {SCHEMA_VERSION}.",
            remedy="Install that version of clearcnn, or train again with this one.",
        )


def _check_file(folder: Path, name: str, manifest: Manifest) -> None:
    # As clearcnn writes it, so that no file has two names: "./a" is "a" once more.
    plain = PurePosixPath(name)
    if name != str(plain) or not plain.parts or plain.is_absolute() or ".." in plain.parts:
        raise _damaged(folder, f"its {MANIFEST_NAME} lists {name[:100]!r}, a place outside it")
    if any(letter in name for letter in "\\:\0"):
        raise _damaged(folder, f"its {MANIFEST_NAME} lists {name[:100]!r}, a place outside it")
    path = folder / name
    if not _is_inside(path, folder):
        raise _damaged(folder, f"{name[:100]} is a link to a place outside it")
    if not _is_file(path):
        raise _damaged(folder, f"{name[:100]} is missing")
    expected = manifest.files[name]
    try:
        size = path.stat().st_size
        # What has another size need not be read, however long that would take.
        found = describe_file(path) if size == expected.bytes else None
    except OSError as error:
        raise _unreadable(path, error) from error
    if found != expected:
        what = f"{size:,} bytes instead of {expected.bytes:,}" if found is None else "other content"
        raise _damaged(folder, f"{name} has been altered since it was written ({what})")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    # No file has a name that is too long, or no Unicode.
    except (OSError, ValueError):
        return False


def _is_inside(path: Path, folder: Path) -> bool:
    try:
        # Path.resolve raises on links in a circle; here they stay what they are.
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
    except ValueError:
        return False


def _damaged(folder: Path, what: str) -> BundleError:
    return BundleError(
        f"The run folder {folder} is not as it was written: {what}.",
        remedy="Restore it from a copy, or train again.",
    )


def _unreadable(path: Path, error: OSError) -> BundleError:
    return BundleError(
        f"{path} cannot be read: {error.strerror or error}.",
        remedy="Check its permissions and the disk.",
    )
