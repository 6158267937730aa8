"""The bounded queue, and the order in which its work is done."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from clearcnn.web import workers as workers_module
from clearcnn.web.http_errors import Refusal
from clearcnn.web.workers import Work, Workers

RunLoop = Callable[[Coroutine[Any, Any, Any]], Any]


def short(function: Callable[[], Any]) -> Work[Any]:
    """Work of one step."""
    return function()
    yield 0.0


def long(steps: list[Callable[[], Any]], seconds: float = 1.0) -> Work[list[Any]]:
    """Work of several steps with estimated seconds."""
    found = []
    for place, step in enumerate(steps):
        yield seconds * (len(steps) - place)
        found.append(step())
    return found


def test_what_does_not_fit_is_503_and_the_rest_is_finished(
    run_loop: RunLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers_module, "_DOOR_SECONDS", 0.05)
    go = threading.Event()

    async def play() -> None:
        workers = Workers(threads=1, queue=2)
        taken = [
            asyncio.create_task(workers.run(short(lambda k=k: go.wait(30) and k))) for k in range(3)
        ]
        await asyncio.sleep(0)
        assert workers.waiting == 2
        with pytest.raises(Refusal) as refused:
            await workers.run(short(int))
        assert refused.value.status == 503
        assert int(refused.value.headers["Retry-After"]) >= 1
        go.set()
        assert await asyncio.gather(*taken) == [0, 1, 2]
        assert workers.waiting == 0
        assert await workers.run(short(int)) == 0
        workers.close()

    run_loop(play())


def test_a_cancelled_request_keeps_its_place_until_its_thread_is_free(
    run_loop: RunLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers_module, "_DOOR_SECONDS", 0.05)
    go = threading.Event()

    async def play() -> None:
        workers = Workers(threads=1, queue=0)
        task = asyncio.create_task(workers.run(short(lambda: go.wait(30))))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.sleep(0)
        with pytest.raises(Refusal):
            await workers.run(short(int))
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await workers.run(short(int)) == 0
        workers.close()

    run_loop(play())


def test_a_request_that_is_cancelled_while_it_waits_leaves_the_queue(run_loop: RunLoop) -> None:
    go, begun = threading.Event(), []

    async def play() -> None:
        workers = Workers(threads=1, queue=1)
        first = asyncio.create_task(workers.run(short(lambda: go.wait(30))))
        gone = asyncio.create_task(workers.run(short(lambda: begun.append(1))))
        await asyncio.sleep(0.05)
        # It waits for a place in a full queue.
        honest = asyncio.create_task(workers.run(short(int)))
        await asyncio.sleep(0.05)
        gone.cancel()
        await asyncio.sleep(0.05)
        go.set()
        assert await honest == 0
        assert await first
        assert not begun
        workers.close()

    run_loop(play())


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_short_work_goes_past_long_work(run_loop: RunLoop, threads: int) -> None:
    go, order = threading.Semaphore(0), []

    def note(name: str) -> None:
        assert go.acquire(timeout=30)
        order.append(name)

    async def play() -> None:
        workers = Workers(threads, queue=64)
        tasks = [
            asyncio.create_task(workers.run(long([lambda k=k: note(f"long {k}")] * 5)))
            for k in range(threads + 2)
        ]
        await asyncio.sleep(0.05)
        quick = asyncio.create_task(workers.run(short(lambda: "quick")))
        if threads == 1:  # At most one step runs before it.
            await asyncio.sleep(0.05)
            go.release()
        assert await asyncio.wait_for(quick, 20) == "quick"
        assert len(order) == (threads == 1)
        for _ in range(5 * len(tasks)):
            go.release()
        await asyncio.gather(*tasks)
        workers.close()

    run_loop(play())


def test_long_requests_take_turns(run_loop: RunLoop) -> None:
    order: list[str] = []

    async def play() -> None:
        workers = Workers(threads=2, queue=64)
        await asyncio.gather(*(workers.run(long([lambda k=k: order.append(k)] * 4)) for k in "abc"))
        workers.close()

    run_loop(play())
    assert [sorted(order[start : start + 3]) for start in range(0, 12, 3)] == [list("abc")] * 4


def test_no_more_long_work_waits_than_a_minute_of_it(run_loop: RunLoop) -> None:
    go = threading.Event()

    async def play() -> None:
        workers = Workers(threads=2, queue=64)
        huge = asyncio.create_task(workers.run(long([lambda: go.wait(30)], 1000.0)))
        await asyncio.sleep(0.05)
        with pytest.raises(Refusal, match="about 1000 seconds") as refused:
            await workers.run(long([int]))
        assert refused.value.status == 503
        assert await workers.run(short(int)) == 0
        go.set()
        assert await huge == [True]
        assert await asyncio.gather(*(workers.run(long([int] * 29)) for _ in "ab"))
        workers.close()

    run_loop(play())


def test_an_error_comes_back(run_loop: RunLoop) -> None:
    async def play() -> None:
        workers = Workers(threads=1, queue=0)
        for work in (short(lambda: int("x")), long([int, lambda: int("x")])):
            with pytest.raises(ValueError, match="invalid literal"):
                await workers.run(work)
        assert await workers.run(short(int)) == 0
        workers.close()

    run_loop(play())
