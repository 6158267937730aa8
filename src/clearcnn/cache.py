"""The user's cache folder: compiled programs, which may be deleted at any time.

JAX writes it, from any number of processes: `NAME-HASH-cache` is a program, `NAME-HASH-atime` is
written after it and says when it was last used, and whoever reads or writes holds `.lockfile`.
Below it, `traces/` has what `training/disk_cache.py` keeps, and XLA what it found out about a GPU.
What has another name is somebody else's, and is never deleted.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LARGEST_BYTES = 256 * 2**20

_LOCK = ".lockfile"
_PROGRAM, _LAST_USE = "-cache", "-atime"
_PATIENCE_SECONDS = 10.0
_HASH = "[0-9a-f]{64}"
_OWN = re.compile(
    rf"[^/]+-{_HASH}({_PROGRAM}|{_LAST_USE})"
    rf"|traces/({_HASH}|\.partial-{_HASH}\.\d+)"
    r"|xla_gpu_per_fusion_autotune_cache_dir/.+",
    re.DOTALL,
)


def programs_folder() -> Path:
    """Where compiled programs are kept, in the place the operating system has for caches."""
    import platformdirs

    return platformdirs.user_cache_path("clearcnn", appauthor=False) / "programs"


def measure(folder: Path) -> tuple[int, int]:
    """Count what is kept.

    Returns:
      (files, bytes); zeros where there is no such folder.
    """
    sizes = []
    for path in _list(folder):
        # Another process may be clearing.
        with suppress(FileNotFoundError):
            sizes.append(path.stat().st_size)
    return len(sizes), sum(sizes)


def clear(folder: Path) -> None:
    """Delete the compiled programs in a folder, if it is there, and nothing else.

    Raises:
      OSError: something cannot be deleted, or others keep the folder locked for too long.
    """
    if folder.is_dir():
        with _locked(folder, _PATIENCE_SECONDS):
            for path in _list(folder):
                path.unlink(missing_ok=True)


def mend(folder: Path) -> None:
    """Drop the programs that a killed process or a full disk left cut off.

    JAX would never write them again, and one without its `-atime` keeps it from dropping what was
    used longest ago, and so from keeping anything new. If others are at work there, or nothing
    can be deleted, all stays as it is.
    """
    with suppress(OSError), _locked(folder, 0):
        names = {path.name for path in _list(folder)}
        for name in names:
            if name.endswith(_PROGRAM) and name.removesuffix(_PROGRAM) + _LAST_USE not in names:
                (folder / name).unlink(missing_ok=True)


def drop(folder: Path, program: str) -> None:
    """Delete every program of a name, such as "jit_train", so that JAX writes it anew."""
    with suppress(OSError), _locked(folder, _PATIENCE_SECONDS):
        for path in _list(folder):
            if path.name.startswith(f"{program}-"):
                path.unlink(missing_ok=True)


def _list(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if _OWN.fullmatch(path.relative_to(folder).as_posix()) and path.is_file()
    ]


@contextmanager
def _locked(folder: Path, seconds: float) -> Iterator[None]:
    import filelock

    with filelock.FileLock(folder / _LOCK).acquire(timeout=seconds):
        yield
