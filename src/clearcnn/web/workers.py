"""The threads that work for requests, and their bounded queue."""

import asyncio
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Generic, TypeVar

from clearcnn.language import say
from clearcnn.web.http_errors import too_busy

_T = TypeVar("_T")

Work = Generator[float, None, _T]
"""The work for one request. Between its steps it yields, to let other work run first. It yields
the estimated seconds that remain. Work that never yields is a single short step."""

_MOST_LONG_SECONDS = 60.0
_DOOR_SECONDS = 0.5


class Workers:
    """A few threads with a bounded queue.

    Work is long once it has yielded. The steps of long work are done in turn, one step of each
    request. They never occupy all threads, so short work overtakes them; a single thread does at
    most one long step in between.

    Requests are not batched: inference on an image of 8 to 96 pixels takes a small part of the
    time of an HTTP request, so waiting for other requests would cost more than it saves.

    Args:
      threads: the number of threads.
      queue: how many requests may wait.
    """

    def __init__(self, threads: int, queue: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="clearcnn-worker")
        self._threads = threads
        self._places = asyncio.Semaphore(threads + queue)
        self._taken = 0
        self._seconds_left: dict[Work[object], float] = {}
        self._all = asyncio.Semaphore(threads)
        self._long = asyncio.Semaphore(max(1, threads - 1))

    @property
    def waiting(self) -> int:
        """The number of requests that wait for a thread."""
        return max(0, self._taken - self._threads)

    async def run(self, work: Work[_T]) -> _T:
        """Do the work of a request in the threads.

        Raises:
          Refusal: 503, the queue is full, or holds more than a minute of long work.
        """
        await self._take_place()
        self._taken += 1
        try:
            step = await self._take_step(work, is_long=False)
            if not isinstance(step, _End):
                self._check_room(step)
            while not isinstance(step, _End):
                self._seconds_left[work] = step
                step = await self._take_step(work, is_long=True)
            return step.result
        finally:
            self._seconds_left.pop(work, None)
            self._taken -= 1
            self._places.release()

    def close(self) -> None:
        """Finish running work."""
        self._pool.shutdown(wait=True)

    async def _take_place(self) -> None:
        # Requests whose clients have disconnected leave a full queue within a moment.
        try:
            async with asyncio.timeout(_DOOR_SECONDS if self._places.locked() else None):
                await self._places.acquire()
        except TimeoutError:
            raise too_busy(
                say("{taken} requests are running or waiting", taken=self._taken)
            ) from None

    def _check_room(self, seconds: float) -> None:
        before = sum(self._seconds_left.values())
        # Work longer than the limit runs if there is no other long work.
        if before and before + seconds > _MOST_LONG_SECONDS:
            raise too_busy(
                say(
                    "large requests that take about {before:.0f} seconds are running or waiting",
                    before=before,
                )
            )

    async def _take_step(self, work: Work[_T], *, is_long: bool) -> "float | _End[_T]":
        async with self._long if is_long else nullcontext(), self._all:
            loop = asyncio.get_running_loop()
            future = loop.run_in_executor(self._pool, _advance, work)
            try:
                return await asyncio.shield(future)
            except asyncio.CancelledError:
                # A thread cannot be stopped: it stays occupied until the step ends.
                await asyncio.wait({future})
                future.exception()  # Retrieve it, so that asyncio does not warn.
                raise


@dataclass(frozen=True)
class _End(Generic[_T]):
    result: _T


def _advance(work: Work[_T]) -> float | _End[_T]:
    try:
        return next(work)
    except StopIteration as end:
        return _End(end.value)
