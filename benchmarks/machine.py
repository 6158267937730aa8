"""A description of the machine, without its name."""

import os
import platform
import resource
import time
from pathlib import Path
from typing import Any


def describe_machine() -> dict[str, Any]:
    """Return processor, cores, memory and system; None for what the system does not report."""
    return {
        "processor": _find("/proc/cpuinfo", "model name") or platform.processor() or None,
        "instructions": _widest_instructions(),
        "cores": _count_cores(),
        "memory_bytes": _memory_bytes(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


class OtherPrograms:
    """Measures the share of the machine that other programs use while ours run."""

    def __init__(self) -> None:
        self._start = self._read()

    def fraction(self) -> float | None:
        """Share of all cores' time since the start, in [0, 1]; None if the system is not Linux."""
        now = self._read()
        if now is None or self._start is None:
            return None
        busy, ours, wall = (after - before for before, after in zip(self._start, now, strict=True))
        return min(max((busy - ours) / (wall * (os.cpu_count() or 1)), 0.0), 1.0)

    @staticmethod
    def _read() -> tuple[float, float, float] | None:
        stat = Path("/proc/stat")
        if not stat.is_file():
            return None
        # user nice system idle iowait irq softirq steal; what guests took is within user.
        ticks = [int(word) for word in stat.read_text().split("\n", 1)[0].split()[1:9]]
        busy = (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
        usages = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return busy, sum(u.ru_utime + u.ru_stime for u in usages), time.perf_counter()


def _count_cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _memory_bytes() -> int | None:
    found = _find("/proc/meminfo", "MemTotal")
    return int(found.split()[0]) * 1024 if found else None


def _widest_instructions() -> str | None:
    flags = (_find("/proc/cpuinfo", "flags") or "").split()
    names = {"avx512f": "AVX-512", "avx2": "AVX2", "avx": "AVX"}
    return next((name for flag, name in names.items() if flag in flags), None)


def _find(path: str, key: str) -> str | None:
    """The first value of a key in a file of `key : value` lines."""
    if not Path(path).is_file():
        return None
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return None
