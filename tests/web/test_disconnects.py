"""Work for clients that disconnect."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from clearcnn.web import disconnects
from clearcnn.web.disconnects import ClientGoneError, while_client_waits

RunLoop = Callable[[Coroutine[Any, Any, Any]], Any]


def test_it_is_cancelled_when_the_client_goes(
    run_loop: RunLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disconnects, "_FIRST_CHECK_SECONDS", 0)

    async def play() -> None:
        gone, complaints = asyncio.Event(), list[object]()
        asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(said))

        async def receive() -> dict[str, Any]:
            await gone.wait()
            return {"type": "http.disconnect"}

        asyncio.get_running_loop().call_later(0.05, gone.set)
        with pytest.raises(ClientGoneError):
            async with while_client_waits(receive):
                await asyncio.sleep(60)
        # Disconnecting after the work is done has no effect.
        async with while_client_waits(receive):
            pass
        # Nor has disconnecting at the same moment.
        gone.clear()
        async with while_client_waits(receive):
            await asyncio.sleep(0.05)
            gone.set()
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        assert len(asyncio.all_tasks()) == 1
        assert not complaints

    run_loop(play())


def test_another_timeout_is_not_taken_for_the_client(run_loop: RunLoop) -> None:
    async def play() -> None:
        async def receive() -> dict[str, Any]:
            await asyncio.Event().wait()
            return {}

        with pytest.raises(TimeoutError):
            async with while_client_waits(receive), asyncio.timeout(0.01):
                await asyncio.sleep(60)

    run_loop(play())
