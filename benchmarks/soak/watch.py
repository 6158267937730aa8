"""The resources of a process, each second, as Linux reports them; and whether they grow."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

MIB = 2**20


@dataclass(frozen=True)
class Sample:
    """The resources that a server holds at one time.

    Attributes:
      seconds: since the first sample.
      rss_bytes: of the server itself, in memory.
      children_rss_bytes: of the processes that it started.
      files: open, sockets among them.
      threads: of the server itself.
      children: processes.
      temporary: files in its folder for temporary files.
    """

    seconds: float
    rss_bytes: int
    children_rss_bytes: int
    files: int
    threads: int
    children: int
    temporary: int

    def __str__(self) -> str:
        return (
            f"{self.rss_bytes / MIB:.0f} MiB, {self.files} files, {self.threads} threads, "
            f"{self.children} processes of {self.children_rss_bytes / MIB:.0f} MiB, "
            f"{self.temporary} temporary files"
        )


def take_sample(pid: int, folder: Path, begin: float) -> Sample:
    """Sample a process.

    Args:
      pid: of the server.
      folder: for its temporary files.
      begin: the start, by `time.monotonic`.
    """
    process = Path("/proc") / str(pid)
    children = _find_children(pid)
    return Sample(
        time.monotonic() - begin,
        _read_rss(pid),
        sum(_read_rss(child) for child in children),
        len(list((process / "fd").iterdir())),
        len(list((process / "task").iterdir())),
        len(children),
        sum(1 for path in folder.rglob("*") if path.is_file()),
    )


class Watch:
    """Take a sample each second, in a thread, while open.

    Attributes:
      samples: taken so far.
    """

    def __init__(self, pid: int, folder: Path) -> None:
        self.samples: list[Sample] = []
        self._pid, self._folder = pid, folder
        self._begin = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._over.wait(1):
            self.samples.append(take_sample(self._pid, self._folder, self._begin))


def slope_per_minute(seconds: Sequence[float], values: Sequence[float]) -> float:
    """The growth of values per minute: the slope of the least-squares line."""
    count = len(seconds)
    middle, mean = sum(seconds) / count, sum(values) / count
    spread = sum((each - middle) ** 2 for each in seconds)
    together = sum((x - middle) * (y - mean) for x, y in zip(seconds, values, strict=True))
    return 60 * together / spread


def write_table(samples: Sequence[Sample], path: Path) -> None:
    """Write all samples as CSV."""
    names = [field.name for field in fields(Sample)]
    rows = [",".join(f"{getattr(sample, name):g}" for name in names) for sample in samples]
    path.write_text("\n".join([",".join(names), *rows]) + "\n", encoding="utf-8")


def sum_up(samples: Sequence[Sample]) -> list[str]:
    """One line for each quantity: its plateau in the second and the last quarter, and its slope.

    Args:
      samples: in order; the first quarter, in which caches fill, is left out.
    """
    quarter = len(samples) // 4
    early, late, kept = samples[quarter : 2 * quarter], samples[-quarter:], samples[quarter:]
    lines = []
    for name, unit, label in (
        ("rss_bytes", MIB, "memory, MiB"),
        ("children_rss_bytes", MIB, "memory of its processes, MiB"),
        ("files", 1, "open files"),
        ("threads", 1, "threads"),
        ("children", 1, "processes"),
        ("temporary", 1, "temporary files"),
    ):
        values = [getattr(sample, name) / unit for sample in kept]
        slope = slope_per_minute([sample.seconds for sample in kept], values)
        first, last = (
            sorted(getattr(sample, name) / unit for sample in part) for part in (early, late)
        )
        lines.append(
            f"{label}: median {first[len(first) // 2]:.0f}, at most {first[-1]:.0f} in the second "
            f"quarter; {last[len(last) // 2]:.0f}, at most {last[-1]:.0f} in the last; "
            f"{slope:+.2f} a minute"
        )
    return lines


def _find_children(pid: int) -> list[int]:
    found = []
    for task in (Path("/proc") / str(pid) / "task").iterdir():
        try:
            found += [int(word) for word in (task / "children").read_text().split()]
        except OSError:  # The thread has ended.
            continue
    return found


def _read_rss(pid: int) -> int:
    try:
        status = (Path("/proc") / str(pid) / "status").read_text()
    except OSError:  # The process has ended.
        return 0
    line = next((line for line in status.splitlines() if line.startswith("VmRSS:")), "VmRSS: 0 kB")
    return 1024 * int(line.split()[1])
