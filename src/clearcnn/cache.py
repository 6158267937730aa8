"""The user's cache folder: compiled programs, which may be deleted at any time."""

import shutil
from pathlib import Path

LARGEST_BYTES = 256 * 2**20


def programs_folder() -> Path:
    """Where compiled programs are kept, in the place the operating system has for caches."""
    import platformdirs

    return platformdirs.user_cache_path("clearcnn", appauthor=False) / "programs"


def measure(folder: Path) -> tuple[int, int]:
    """Count what is kept.

    Returns:
      (files, bytes); zeros where there is no such folder.
    """
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)


def clear(folder: Path) -> None:
    """Delete the folder and what is in it, if it is there.

    Raises:
      OSError: something cannot be deleted.
    """
    if folder.exists():
        shutil.rmtree(folder)
