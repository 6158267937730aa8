"""Which run a folder holds: tells when one run has been replaced by another."""

from dataclasses import dataclass
from pathlib import Path

from clearcnn.bundle import MANIFEST_NAME

Fingerprint = tuple[int, int, int]


@dataclass(frozen=True)
class RunVersion:
    """A run folder at one moment. Two versions are equal if they hold the same run.

    Attributes:
      folder: absolute, without links.
      fingerprint: inode, modification time in nanoseconds and size of the manifest; None if
        there was no manifest.
    """

    folder: Path
    fingerprint: Fingerprint | None

    @classmethod
    def find(cls, folder: Path) -> "RunVersion":
        """Return the version that a folder, or a link to one, holds now."""
        folder = folder.resolve()
        try:
            status = (folder / MANIFEST_NAME).stat()
        except OSError:
            return cls(folder, None)
        return cls(folder, (status.st_ino, status.st_mtime_ns, status.st_size))

    @property
    def is_readable(self) -> bool:
        """Whether the folder held a manifest."""
        return self.fingerprint is not None

    def is_current(self) -> bool:
        """Whether the folder still holds this run."""
        return self.is_readable and RunVersion.find(self.folder) == self
