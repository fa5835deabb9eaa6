"""The worker's small loops: index keeper and schedule."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from api.worker import index_keeper
from api.worker.index_keeper import IndexKeeper
from api.worker.schedule import Duty, Schedule


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def counting() -> tuple[list[int], Callable[[], Awaitable[None]]]:
    calls: list[int] = []

    async def work() -> None:
        calls.append(1)
        await asyncio.sleep(0.01)

    return calls, work


async def test_the_keeper_makes_a_pass_at_the_start_and_is_ready_after_it() -> None:
    calls, refresh = counting()
    keeper = IndexKeeper(refresh)
    task = asyncio.create_task(keeper.run())
    assert not keeper.ready
    await keeper.wait()
    assert (keeper.ready, keeper.settled, len(calls)) == (True, True, 1)
    await stop(task)


async def test_many_changes_during_a_pass_are_one_more_pass() -> None:
    calls, refresh = counting()
    keeper = IndexKeeper(refresh)
    task = asyncio.create_task(keeper.run())
    await asyncio.sleep(0.005)
    for _ in range(20):
        keeper.changed()
    assert not keeper.settled
    await keeper.wait()
    assert len(calls) == 2
    await stop(task)


async def test_a_pass_that_failed_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_keeper, "PAUSE_SECONDS", 0.01)
    outcomes = iter([True, False])

    async def refresh() -> None:
        if next(outcomes):
            raise OSError("disk full")

    keeper = IndexKeeper(refresh)
    task = asyncio.create_task(keeper.run())
    await asyncio.wait_for(keeper.wait(), 30)
    assert keeper.ready
    await stop(task)


async def test_duties_repeat_at_their_own_pace_and_survive_failure() -> None:
    calls, quick = counting()

    async def broken() -> None:
        raise ValueError("always")

    async def slow() -> None:
        await asyncio.sleep(10)

    duties = (Duty("broken", 0.01, broken), Duty("slow", 0.01, slow), Duty("quick", 0.01, quick))
    task = asyncio.create_task(Schedule(duties, lambda: True).run())
    async with asyncio.timeout(30):
        while len(calls) < 3:  # noqa: ASYNC110 - the schedule tells nobody
            await asyncio.sleep(0.01)
    assert not task.done()
    await stop(task)


async def test_no_duty_is_done_while_the_clock_is_not_trusted() -> None:
    calls, work = counting()
    task = asyncio.create_task(Schedule((Duty("work", 0.01, work),), lambda: False).run())
    await asyncio.sleep(0.05)
    assert calls == []
    await stop(task)
