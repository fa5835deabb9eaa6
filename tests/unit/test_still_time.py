"""The loop whose seconds pass only while nothing can be done: what the tests of deadlines rest on."""

import asyncio
import time

import pytest

from tests.fixtures.still_time import StillLoop, seconds_now

pytestmark = pytest.mark.still_time


async def test_an_hour_is_waited_for_at_once_and_to_the_second() -> None:
    began, outside = seconds_now(), time.monotonic()
    await asyncio.sleep(3_600)
    assert seconds_now() - began == pytest.approx(3_600, abs=1e-6)
    assert time.monotonic() - outside < 600


async def test_work_takes_no_time_however_long_the_machine_needs() -> None:
    began = seconds_now()
    async with asyncio.timeout(0.001):
        time.sleep(0.05)  # noqa: ASYNC251 - this is the point
        await asyncio.sleep(0)
    assert seconds_now() == began


async def test_timers_go_off_in_their_order() -> None:
    order: list[float] = []

    async def after(seconds: float) -> None:
        await asyncio.sleep(seconds)
        order.append(seconds)

    await asyncio.gather(*(after(seconds) for seconds in (30, 0.2, 10, 0.1)))
    assert order == [0.1, 0.2, 10, 30]


async def test_a_thread_is_waited_for_as_long_as_it_takes() -> None:
    async with asyncio.timeout(60):
        await asyncio.to_thread(time.sleep, 0.05)


async def test_a_machine_that_is_held_up_misses_what_was_due_meanwhile() -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, StillLoop)
    waiting = asyncio.ensure_future(asyncio.wait_for(asyncio.Event().wait(), 1))
    await asyncio.sleep(0)
    loop.hold_up(2)
    with pytest.raises(TimeoutError):
        await waiting
