"""The memory budget: counted, bounded, and given to fast clients first."""

import asyncio
from collections.abc import Callable
from typing import Any

from clearcnn.web.memory_budget import MemoryBudget


def test_the_oldest_transfers_make_room_and_no_younger_ones(
    run_loop: Callable[..., Any],
) -> None:
    async def play() -> None:
        budget, ended = MemoryBudget(100), []

        async def be_slow(number: int) -> None:
            with budget.share() as share:
                try:
                    async with budget.transfer(share, 60):
                        assert budget.take(share, 40)
                        await asyncio.Event().wait()
                except TimeoutError:
                    ended.append((number, share.gave_way))

        slow = [asyncio.create_task(be_slow(number)) for number in range(2)]
        await asyncio.sleep(0)
        with budget.share() as share:
            async with budget.transfer(share, 60):
                assert budget.take(share, 20)
                assert not ended
                assert budget.take(share, 1)
                await asyncio.wait(slow[:1])
                assert ended == [(0, True)]
                # A request larger than the budget ends no transfer.
                assert not budget.take(share, 101)
            slow[1].cancel()
            await asyncio.wait(slow)
            assert share.held == 21
        with budget.share() as share:
            assert budget.take(share, 100), "released bytes are free again"

    run_loop(play())


def test_who_holds_nothing_is_left_in_peace(run_loop: Callable[..., Any]) -> None:
    async def play() -> None:
        budget = MemoryBudget(100)
        with budget.share() as idle, budget.share() as full, budget.share() as new:
            async with budget.transfer(idle, 60):
                try:
                    async with budget.transfer(full, 60), budget.transfer(new, 60):
                        assert budget.take(full, 100)
                        assert budget.take(new, 1)
                        await asyncio.sleep(1)
                except TimeoutError:
                    pass
                assert (idle.gave_way, full.gave_way, new.gave_way) == (False, True, False)
                await asyncio.sleep(0)

    run_loop(play())


def test_a_transfer_ends_no_other_for_itself_when_it_is_the_oldest(
    run_loop: Callable[..., Any],
) -> None:
    async def play() -> None:
        budget = MemoryBudget(100)
        with budget.share() as old, budget.share() as young:
            async with budget.transfer(old, 60), budget.transfer(young, 60):
                assert budget.take(old, 50)
                assert budget.take(young, 50)
                assert not budget.take(old, 1)
                assert not young.gave_way
            # Completed transfers keep their bytes.
            with budget.share() as new:
                assert not budget.take(new, 1)

    run_loop(play())
