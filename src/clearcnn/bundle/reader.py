"""Reading of finished run folders; every file is checked against its hash in the manifest."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clearcnn.bounded_json import JsonError, parse_json
from clearcnn.bundle.manifest import MANIFEST_NAME, REQUIRED_FILES, Manifest, parse_manifest
from clearcnn.bundle.members import check_member, damaged, read_manifest_file, read_member
from clearcnn.errors import BundleError
from clearcnn.language import say
from clearcnn.results.json_codec import SCHEMA_VERSION, Mismatch

_MOST_MANIFEST_BYTES = 8 * 2**20
_MOST_FILES = 1_000


@dataclass(frozen=True)
class Bundle:
    """A run folder with its parsed manifest.

    Attributes:
      folder: its path.
      manifest: the content of its bundle.json.
    """

    folder: Path
    manifest: Manifest

    def read(self, name: str, most_bytes: int) -> bytes:
        """Read one of its files, such as "model.keras".

        Args:
          name: as the manifest lists it.
          most_bytes: the most that a run with this manifest can have written there.
        Raises:
          BundleError: the manifest lists no such file, or the file is missing, altered, too large,
            not a regular file, or a link that leads out of the folder.
        """
        self.require(name)
        return read_member(self.folder, name, self.manifest.files[name], most_bytes)

    def require(self, name: str) -> None:
        """Raise a BundleError if the manifest does not list a file of that name."""
        if name not in self.manifest.files:
            raise BundleError(
                say(
                    "{folder} has no {name}; its {manifest_name} lists {files}.",
                    folder=self.folder,
                    name=name,
                    manifest_name=MANIFEST_NAME,
                    files=", ".join(self.manifest.files),
                ),
                remedy=say("Train again to get a complete run folder."),
            )


def read_bundle(folder: Path | str, *, only: Collection[str] | None = None) -> Bundle:
    """Read a run folder's manifest, and check every file against it.

    Files that the manifest does not list are ignored.

    Args:
      folder: as `clearcnn train` wrote it; it may have been moved.
      only: the files to check, such as "model.onnx"; the others may be altered or missing.
        Checking all takes longer than one prediction. `Bundle.read` always checks its file.
    Returns:
      The run folder with its manifest.
    Raises:
      BundleError: it is not a run folder, has another schema version, or a file is missing or
        altered.
    """
    folder = Path(folder)
    values = load_manifest(folder)
    _check_schema(folder, values)
    try:
        manifest = parse_manifest(values)
    except Mismatch as problem:
        raise damaged(
            folder,
            say(
                "its {manifest_name} is invalid: {problem}",
                manifest_name=MANIFEST_NAME,
                problem=problem,
            ),
        ) from problem
    if len(manifest.files) > _MOST_FILES:
        raise damaged(
            folder,
            say(
                "its {manifest_name} lists {num_files:,} files",
                manifest_name=MANIFEST_NAME,
                num_files=len(manifest.files),
            ),
        )
    unlisted = [name for name in REQUIRED_FILES if name not in manifest.files]
    if unlisted:
        raise damaged(
            folder,
            say(
                "its {manifest_name} does not list {unlisted}",
                manifest_name=MANIFEST_NAME,
                unlisted=", ".join(unlisted),
            ),
        )
    for name in manifest.files if only is None else manifest.files.keys() & set(only):
        check_member(folder, name, manifest.files[name])
    return Bundle(folder, manifest)


def load_manifest(folder: Path) -> Any:
    """Parse a run's `bundle.json` without validating its fields.

    Raises:
      BundleError: it is missing, is not JSON, or is too large.
    """
    if not _exists(folder / MANIFEST_NAME):
        raise BundleError(
            say(
                "{folder} is not a run folder: it has no {manifest_name}.",
                folder=folder,
                manifest_name=MANIFEST_NAME,
            ),
            remedy=say("Name a folder that clearcnn train wrote, such as runs/digits-…."),
        )
    try:
        return parse_json(read_manifest_file(folder, _MOST_MANIFEST_BYTES))
    except JsonError as error:
        raise damaged(
            folder,
            say(
                "its {manifest_name} cannot be read ({error})",
                manifest_name=MANIFEST_NAME,
                error=error,
            ),
        ) from error


def _check_schema(folder: Path, values: Any) -> None:
    version = values.get("schema_version") if isinstance(values, dict) else None
    if type(version) is not int:
        raise damaged(
            folder, say("its {manifest_name} has no schema_version", manifest_name=MANIFEST_NAME)
        )
    if version != SCHEMA_VERSION:
        age = "a newer" if version > SCHEMA_VERSION else say("an older")
        raise BundleError(
            say(
                "{folder} was written by {age} clearcnn ({written_version}): its schema version is "
                "{version}, but this clearcnn reads {schema_version}.",
                folder=folder,
                age=age,
                written_version=str(values.get("clearcnn"))[:40],
                version=version,
                schema_version=SCHEMA_VERSION,
            ),
            remedy=say("Install that version of clearcnn, or train again with this one."),
        )


def _exists(path: Path) -> bool:
    try:
        return path.is_file()
    # The name is too long for a file, or not Unicode.
    except (OSError, ValueError):
        return False
