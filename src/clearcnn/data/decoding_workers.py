"""Worker processes that decode many small image files.

Threads gain nothing with small images, since the interpreter's lock is seldom free. Workers are
programs of their own rather than `multiprocessing`'s, which would run a user's script again. They
return pixels only: what a worker cannot decode, the parent reads itself and so gives the same
errors in the same order. The same happens if a worker cannot start or dies.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import accumulate
from math import prod
from pathlib import Path
from queue import SimpleQueue

import numpy as np

from clearcnn.data.decode_image import DecodedImage
from clearcnn.data.safe_files import SourceFile

FEWEST_FILES = 4000
"""A worker takes as long to start as fifteen hundred files take."""

_MOST_WORKERS = 8
_CHUNK = 128
_COMMAND = ("-P", "-m", "clearcnn.data.decode_worker")  # -P: never from the current folder.

Worker = subprocess.Popen[bytes]
Form = tuple[int, int, int, str, list[str]]
"""Height, width and channels of an image, its dtype, and its notes."""


def count_workers(num_files: int) -> int:
    """Return how many workers pay off for a number of small files; 0 if none do."""
    # Where Python is embedded, `sys.executable` may be another program.
    is_python = Path(sys.executable or "").name.lower().startswith("python")
    if not is_python or num_files < FEWEST_FILES:
        return 0
    affinity = getattr(os, "sched_getaffinity", None)  # Not on Windows and macOS.
    processors = len(affinity(0)) if affinity else os.cpu_count() or 1
    return 0 if processors < 2 else min(_MOST_WORKERS, processors)


@contextmanager
def decode_in_workers(
    files: Sequence[SourceFile], num_workers: int
) -> Iterator[Iterator[list[DecodedImage | None]]]:
    """Decode files in worker processes, which end with the `with` block.

    Args:
      files: in the order of the results.
      num_workers: at least 1.
    Returns:
      The images of each chunk of files; None for those that the caller has to read itself.
    """
    workers: list[Worker] = []
    idle: SimpleQueue[Worker | None] = SimpleQueue()

    def decode(chunk: Sequence[SourceFile]) -> list[DecodedImage | None]:
        worker, images = idle.get(), None
        try:
            images = None if worker is None else _ask(worker, chunk)
        finally:  # Whatever happens, the other threads must not wait for ever.
            idle.put(None if images is None else worker)
        return [None] * len(chunk) if images is None else images

    # One thread for each worker waits for its answers.
    pool = ThreadPoolExecutor(num_workers)
    try:
        for _ in range(num_workers):
            workers += _start()
        for worker in workers:
            idle.put(worker)
        if not workers:
            idle.put(None)
        chunks = [files[start : start + _CHUNK] for start in range(0, len(files), _CHUNK)]
        yield pool.map(decode, chunks)
    finally:
        for worker in workers:
            worker.kill()
        pool.shutdown(cancel_futures=True)
        for worker in workers:
            with suppress(OSError), worker:  # Waits for it, and closes its pipes.
                pass


def _start() -> list[Worker]:
    """Start a worker; none if the system has no room for it or allows no processes."""
    try:
        worker = subprocess.Popen(
            [sys.executable, *_COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError:
        return []
    return [worker]


def _ask(worker: Worker, files: Sequence[SourceFile]) -> list[DecodedImage | None] | None:
    """Let a worker decode files; None if it is dead or does not answer as expected."""
    request = [(str(file.path), None if file.root is None else str(file.root)) for file in files]
    assert worker.stdin is not None and worker.stdout is not None
    try:
        worker.stdin.write(json.dumps(request).encode() + b"\n")
        worker.stdin.flush()
        forms = json.loads(worker.stdout.readline())
        sizes = [prod(form[:3]) * np.dtype(form[3]).itemsize if form else 0 for form in forms]
        pixels = worker.stdout.read(sum(sizes))
    except (OSError, ValueError, TypeError, IndexError):  # It died, or is another program.
        return None
    if len(pixels) < sum(sizes) or len(forms) != len(files):
        return None
    starts = accumulate(sizes, initial=0)
    return [_view(pixels, start, form) for start, form in zip(starts, forms, strict=False)]


def _view(pixels: bytes, start: int, form: Form | None) -> DecodedImage | None:
    if form is None:
        return None
    height, width, channels, dtype, notes = form
    shape = (height, width, channels)
    array = np.frombuffer(pixels, dtype, prod(shape), start).reshape(shape)
    return DecodedImage((height, width), array, tuple(notes))
