"""The threads that work for requests, and the bounded queue before them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from clearcnn.web.refusals import too_busy

_T = TypeVar("_T")


class Workers:
    """A few threads, and a limit to what may wait for them.

    Requests are not gathered into batches: an image of 8 to 96 pixels takes a small part of the
    time that HTTP takes for its request, so waiting for others would cost more than it saves.

    Args:
      threads: that work at once.
      queue: calls that may wait.
    """

    def __init__(self, threads: int, queue: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="clearcnn-worker")
        self._threads = threads
        self._most = threads + queue
        self._taken = 0

    @property
    def waiting(self) -> int:
        """Calls that wait for a thread."""
        return max(0, self._taken - self._threads)

    async def run(self, function: Callable[[], _T]) -> _T:
        """Call a function in one of the threads.

        Raises:
          Refusal: 503, the queue is full.
        """
        if self._taken >= self._most:
            raise too_busy(f"{self._taken} requests are being answered or wait for it")
        self._taken += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, function)
        future.add_done_callback(self._count_down)
        # A request that is cancelled does not stop its thread, which stays taken until it ends.
        return await asyncio.shield(future)

    def close(self) -> None:
        """Finish what was begun."""
        self._pool.shutdown(wait=True)

    def _count_down(self, future: asyncio.Future[_T]) -> None:
        self._taken -= 1
        if not future.cancelled():
            future.exception()  # Seen, should nobody wait for it any more.
