"""The bounded queue."""

import asyncio
import threading

import pytest

from clearcnn.web.refusals import Refusal
from clearcnn.web.workers import Workers


def test_what_does_not_fit_is_503_and_the_rest_is_finished(run_loop) -> None:
    go = threading.Event()

    async def play() -> None:
        workers = Workers(threads=1, queue=2)
        taken = [asyncio.create_task(workers.run(lambda k=k: go.wait(30) and k)) for k in range(3)]
        await asyncio.sleep(0)
        assert workers.waiting == 2
        with pytest.raises(Refusal) as refused:
            await workers.run(int)
        assert refused.value.status == 503
        assert int(refused.value.headers["Retry-After"]) >= 1
        go.set()
        assert await asyncio.gather(*taken) == [0, 1, 2]
        assert workers.waiting == 0
        assert await workers.run(int) == 0
        workers.close()

    run_loop(play())


def test_a_cancelled_request_keeps_its_place_until_its_thread_is_free(run_loop) -> None:
    go = threading.Event()

    async def play() -> None:
        workers = Workers(threads=1, queue=0)
        task = asyncio.create_task(workers.run(lambda: go.wait(30)))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.sleep(0)
        with pytest.raises(Refusal):
            await workers.run(int)
        go.set()
        for _ in range(200):
            await asyncio.sleep(0.01)
            try:
                assert await workers.run(int) == 0
                break
            except Refusal:
                continue
        else:
            pytest.fail("the place was never free again")
        workers.close()

    run_loop(play())


def test_an_error_comes_back(run_loop) -> None:
    async def play() -> None:
        workers = Workers(threads=1, queue=0)
        with pytest.raises(ValueError, match="invalid literal"):
            await workers.run(lambda: int("x"))
        assert await workers.run(int) == 0
        workers.close()

    run_loop(play())
