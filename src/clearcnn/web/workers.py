"""The threads that work for requests, and the bounded queue before them."""

import asyncio
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from clearcnn.web.http_errors import too_busy

_T = TypeVar("_T")

Work = Generator[float, None, _T]
"""The work for one request. It yields between its steps, to let others go first; what it yields
are the seconds that the rest will take, estimated. Work that never yields is one short step."""

_MOST_LONG_SECONDS = 60.0
_DOOR_SECONDS = 0.5


class Workers:
    """A few threads, and limits to what may wait for them.

    The steps of long work, which is work that has yielded, take turns: one step of each request,
    then the next of the first. They never hold all threads, so short work goes past them; a
    single thread does at most one step in between.

    Requests are not gathered into batches: an image of 8 to 96 pixels takes a small part of the
    time that HTTP takes for its request, so waiting for others would cost more than it saves.

    Args:
      threads: that work at once.
      queue: requests that may wait.
    """

    def __init__(self, threads: int, queue: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="clearcnn-worker")
        self._threads = threads
        self._places = asyncio.Semaphore(threads + queue)
        self._taken = 0
        self._seconds_left: dict[Work[Any], float] = {}
        self._all = asyncio.Semaphore(threads)
        self._long = asyncio.Semaphore(max(1, threads - 1))

    @property
    def waiting(self) -> int:
        """Requests that wait for a thread."""
        return max(0, self._taken - self._threads)

    async def run(self, work: Work[_T]) -> _T:
        """Do the work for a request in the threads.

        Raises:
          Refusal: 503, the queue is full, or long work for more than a minute is in it already.
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
        """Finish what was begun."""
        self._pool.shutdown(wait=True)

    async def _take_place(self) -> None:
        # A full queue may hold requests whose clients have gone, which leave it in a moment.
        try:
            async with asyncio.timeout(_DOOR_SECONDS if self._places.locked() else None):
                await self._places.acquire()
        except TimeoutError:
            raise too_busy(f"{self._taken} requests are being answered or wait for it") from None

    def _check_room(self, seconds: float) -> None:
        before = sum(self._seconds_left.values())
        # Work that takes longer than all that may wait is done when there is no other.
        if before and before + seconds > _MOST_LONG_SECONDS:
            raise too_busy(
                f"large requests that take about {before:.0f} seconds are being answered or wait "
                "for it"
            )

    async def _take_step(self, work: Work[_T], *, is_long: bool) -> "float | _End[_T]":
        async with self._long if is_long else nullcontext(), self._all:
            loop = asyncio.get_running_loop()
            future = loop.run_in_executor(self._pool, _advance, work)
            try:
                return await asyncio.shield(future)
            except asyncio.CancelledError:
                # Nothing stops a thread: it stays taken until the step ends.
                await asyncio.wait({future})
                future.exception()  # Retrieved, though nobody waits for it any more.
                raise


@dataclass(frozen=True)
class _End(Generic[_T]):
    result: _T


def _advance(work: Work[_T]) -> float | _End[_T]:
    try:
        return next(work)
    except StopIteration as end:
        return _End(end.value)
