"""Calls gathered into rounds."""

import asyncio
from collections.abc import Sequence

import pytest

from db.together import LARGEST, Together
from support_agents.domain.errors import SupportError


class Recorder:
    def __init__(self) -> None:
        self.rounds: list[list[int]] = []

    async def work(self, items: Sequence[int]) -> list[int]:
        self.rounds.append(list(items))
        await asyncio.sleep(0)
        if 7 in items:
            raise SupportError("busy", "later", retryable=True)
        if 13 in items:
            raise ValueError("thirteen")
        return [item * 2 for item in items]


async def test_those_who_arrive_during_a_round_share_the_next() -> None:
    recorder = Recorder()
    together = Together(recorder.work)
    first = asyncio.create_task(together.do(0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    rest = await asyncio.gather(*(together.do(item) for item in range(1, 6)))
    assert await first == 0
    assert rest == [2, 4, 6, 8, 10]
    assert recorder.rounds == [[0], [1, 2, 3, 4, 5]]


async def test_a_bad_item_fails_alone() -> None:
    together = Together(Recorder().work)
    results = await asyncio.gather(*(together.do(item) for item in (1, 13, 2)), return_exceptions=True)
    assert results[0] == 2
    assert isinstance(results[1], ValueError)
    assert results[2] == 4


async def test_when_no_item_is_to_blame_all_fail_at_once() -> None:
    recorder = Recorder()
    together = Together(recorder.work)
    results = await asyncio.gather(*(together.do(item) for item in (6, 7, 8)), return_exceptions=True)
    assert all(isinstance(result, SupportError) for result in results)
    assert recorder.rounds == [[6, 7, 8]]


async def test_a_caller_who_leaves_does_not_hold_up_the_others() -> None:
    together = Together(Recorder().work)
    leaving = asyncio.create_task(together.do(1))
    staying = asyncio.create_task(together.do(2))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 4
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert await together.do(3) == 6


async def test_work_that_was_cancelled_ends_its_own_callers_alone() -> None:
    async def work(items: Sequence[int]) -> Sequence[int]:
        if 13 in items:
            raise asyncio.CancelledError
        return items

    together = Together(work)
    with pytest.raises(asyncio.CancelledError):
        await together.do(13)
    assert await together.do(3) == 3


async def test_rounds_are_bounded() -> None:
    recorder = Recorder()
    together = Together(recorder.work)
    await asyncio.gather(*(together.do(100 + item) for item in range(LARGEST * 2 + 1)))
    assert max(len(items) for items in recorder.rounds) == LARGEST
