"""The user's cache folder of compiled programs, which may be deleted at any time.

JAX writes it, from any number of processes: `NAME-HASH-cache` is a program, `NAME-HASH-atime` is
written after it and has the time of its last use, and every reader and writer holds `.lockfile`.
`traces/` has the files of `training/disk_cache.py`; another folder has XLA's autotuning results
for GPUs. Files with other names are not clearcnn's, and are never deleted.
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
    """Return the folder of compiled programs, in the operating system's place for caches."""
    import platformdirs

    return platformdirs.user_cache_path("clearcnn", appauthor=False) / "programs"


def measure(folder: Path) -> tuple[int, int]:
    """Measure the cache.

    Returns:
      (number of files, bytes); zeros if the folder does not exist.
    """
    sizes = []
    for path in _list(folder):
        # Another process may be deleting files.
        with suppress(FileNotFoundError):
            sizes.append(path.stat().st_size)
    return len(sizes), sum(sizes)


def clear(folder: Path) -> None:
    """Delete the compiled programs in a folder, if it exists, and nothing else.

    Raises:
      OSError: a file cannot be deleted, or other processes hold the lock for too long.
    """
    if folder.is_dir():
        with _locked(folder, _PATIENCE_SECONDS):
            for path in _list(folder):
                path.unlink(missing_ok=True)


def repair(folder: Path) -> None:
    """Delete programs that a killed process or a full disk left truncated.

    JAX never rewrites them, and one without its `-atime` file makes JAX's eviction fail, so that no
    new program is stored. If the lock is taken or a file cannot be deleted, nothing happens.
    """
    with suppress(OSError), _locked(folder, 0):
        names = {path.name for path in _list(folder)}
        for name in names:
            if name.endswith(_PROGRAM) and name.removesuffix(_PROGRAM) + _LAST_USE not in names:
                (folder / name).unlink(missing_ok=True)


def delete_program(folder: Path, program: str) -> None:
    """Delete every program with a name, such as "jit_train", so that JAX writes it again."""
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
