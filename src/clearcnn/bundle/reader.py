"""Open a finished run folder, and trust nothing in it that its hashes do not vouch for."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clearcnn.bounded_json import JsonError, parse_json
from clearcnn.bundle.manifest import MANIFEST_NAME, REQUIRED_FILES, Manifest, parse_manifest
from clearcnn.bundle.members import check_member, damaged, read_manifest_file, read_member
from clearcnn.errors import BundleError
from clearcnn.results.json_codec import SCHEMA_VERSION, Mismatch

_MOST_MANIFEST_BYTES = 8 * 2**20
_MOST_FILES = 1_000


@dataclass(frozen=True)
class Bundle:
    """A run folder whose manifest was read.

    Attributes:
      folder: where it is.
      manifest: the content of its bundle.json.
    """

    folder: Path
    manifest: Manifest

    def read(self, name: str, most_bytes: int) -> bytes:
        """Give the content of one of its files, such as "model.keras".

        Args:
          name: as the manifest lists it.
          most_bytes: that a run with this manifest can have written there.
        Raises:
          BundleError: the manifest lists no such file, or it is missing, altered, larger, no
            regular file, or a link that leads out of the folder.
        """
        self.require(name)
        return read_member(self.folder, name, self.manifest.files[name], most_bytes)

    def require(self, name: str) -> None:
        """Raise a BundleError if the manifest does not list a file of that name."""
        if name not in self.manifest.files:
            raise BundleError(
                f"{self.folder} holds no {name}; its {MANIFEST_NAME} lists "
                f"{', '.join(self.manifest.files)}.",
                remedy="Train again to get a whole run folder.",
            )


def read_bundle(folder: Path | str, *, only: Collection[str] | None = None) -> Bundle:
    """Read a run folder's manifest, and check every file against it.

    Files that the manifest does not list are let be.

    Args:
      folder: as `clearcnn train` left it, wherever it was moved to.
      only: the files that are needed, such as "model.onnx", if the others may be altered or
        missing: to check them all takes longer than to answer for one picture. What
        `Bundle.read` gives is checked anyway.
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
        raise damaged(folder, f"its {MANIFEST_NAME} does not hold: {problem}") from problem
    if len(manifest.files) > _MOST_FILES:
        raise damaged(folder, f"its {MANIFEST_NAME} lists {len(manifest.files):,} files")
    unlisted = [name for name in REQUIRED_FILES if name not in manifest.files]
    if unlisted:
        raise damaged(folder, f"its {MANIFEST_NAME} does not list {', '.join(unlisted)}")
    for name in manifest.files if only is None else manifest.files.keys() & set(only):
        check_member(folder, name, manifest.files[name])
    return Bundle(folder, manifest)


def load_manifest(folder: Path) -> Any:
    """Give what a run's `bundle.json` holds, whatever that is.

    Raises:
      BundleError: there is none, it is no JSON, or it is too large.
    """
    if not _exists(folder / MANIFEST_NAME):
        raise BundleError(
            f"{folder} is no run folder: it holds no {MANIFEST_NAME}.",
            remedy="Give a folder that clearcnn train made, such as runs/digits-….",
        )
    try:
        return parse_json(read_manifest_file(folder, _MOST_MANIFEST_BYTES))
    except JsonError as error:
        raise damaged(folder, f"its {MANIFEST_NAME} cannot be read ({error})") from error


def _check_schema(folder: Path, values: Any) -> None:
    version = values.get("schema_version") if isinstance(values, dict) else None
    if type(version) is not int:
        raise damaged(folder, f"its {MANIFEST_NAME} holds no schema_version")
    if version != SCHEMA_VERSION:
        age = "a newer" if version > SCHEMA_VERSION else "an older"
        raise BundleError(
            f"{folder} was written by {age} clearcnn ({str(values.get('clearcnn'))[:40]}): its "
            f"schema version is {version}, this one reads {SCHEMA_VERSION}.",
            remedy="Install that version of clearcnn, or train again with this one.",
        )


def _exists(path: Path) -> bool:
    try:
        return path.is_file()
    # No file has a name that is too long, or no Unicode.
    except (OSError, ValueError):
        return False
