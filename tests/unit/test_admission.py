"""The lane: so many at once, earliest deadline first, and whoever cannot be in time is told at once."""

import asyncio
from dataclasses import dataclass, field

import pytest

from support_agents.admission import BUSY, Lane
from support_agents.domain.deadline import Deadline
from support_agents.domain.errors import SupportError
from tests.fixtures.still_time import seconds_now

pytestmark = pytest.mark.still_time


def due(seconds: float) -> Deadline:
    return Deadline(seconds_now() + seconds, seconds_now)


@dataclass
class Held:
    """A lane whose places are held until told otherwise; notes who was let in, in order."""

    lane: Lane
    release: asyncio.Event = field(default_factory=asyncio.Event)
    entered: list[str] = field(default_factory=list)

    async def hold(self, name: str, seconds: float = 30.0) -> None:
        async with self.lane.place(due(seconds), leaving=0.0):
            self.entered.append(name)
            await self.release.wait()


async def started(*doing: "asyncio.Task[None]") -> None:
    for _ in range(len(doing) + 2):
        await asyncio.sleep(0)


async def test_so_many_are_let_in_and_the_others_wait() -> None:
    held = Held(Lane(2))
    tasks = [asyncio.create_task(held.hold(name)) for name in "abc"]
    await started(*tasks)
    assert held.entered == ["a", "b"]
    held.release.set()
    await asyncio.gather(*tasks)
    assert held.entered == ["a", "b", "c"]


async def test_the_earliest_deadline_goes_first() -> None:
    held = Held(Lane(1))
    first = asyncio.create_task(held.hold("first"))
    await started(first)
    others = [asyncio.create_task(held.hold(name, at)) for name, at in (("late", 60), ("soon", 20), ("middle", 40))]
    await started(*others)
    held.release.set()
    await asyncio.gather(first, *others)
    assert held.entered == ["first", "soon", "middle", "late"]


async def test_a_free_place_is_given_however_late_it_is() -> None:
    async with Lane(1).place(due(-1.0), leaving=1.0):
        pass


async def test_who_cannot_be_in_time_is_refused_at_once() -> None:
    held = Held(Lane(1))
    first = asyncio.create_task(held.hold("first"))
    await started(first)
    began = seconds_now()
    with pytest.raises(SupportError) as caught:
        await held.hold("second", 0.1)
    assert caught.value.code == BUSY
    assert seconds_now() == began
    assert held.entered == ["first"]
    held.release.set()
    await first


async def test_a_wait_ends_when_too_little_would_be_left() -> None:
    held = Held(Lane(1))
    first = asyncio.create_task(held.hold("first"))
    await started(first)
    with pytest.raises(SupportError) as caught:
        await asyncio.wait_for(held.hold("second", 0.5), 10)
    assert caught.value.code == BUSY
    held.release.set()
    await first
    async with held.lane.place(due(0.0), leaving=0.0):
        pass  # the place that nobody waited for any more is free again


async def test_what_places_were_held_for_is_expected_of_the_next() -> None:
    lane = Lane(1)
    now = [0.0]
    for _ in range(40):
        async with lane.place(Deadline(100.0, lambda: now[0]), leaving=0.0):
            now[0] += 5.0
        now[0] = 0.0
    held = Held(lane)
    first = asyncio.create_task(held.hold("first"))
    await started(first)
    with pytest.raises(SupportError):
        await held.hold("second", 5.0)
    held.release.set()
    await first


async def test_a_run_that_is_cancelled_leaves_no_place_taken() -> None:
    held = Held(Lane(1))
    first = asyncio.create_task(held.hold("first"))
    waiting = asyncio.create_task(held.hold("second"))
    await started(first, waiting)
    waiting.cancel()
    await asyncio.wait({waiting})
    first.cancel()
    await asyncio.wait({first})
    async with held.lane.place(due(0.0), leaving=0.0):
        held.entered.append("third")
    assert held.entered == ["first", "third"]


async def test_nobody_is_drafted_for_at_the_price_of_those_who_are_being_begun() -> None:
    lane = Lane(3, step=0.5)
    held = Held(lane)
    with lane.beginning(seconds_now), lane.beginning(seconds_now), lane.beginning(seconds_now):
        with pytest.raises(SupportError) as caught:
            await held.hold("hasty", 1.5)
        assert caught.value.code == BUSY
        patient = asyncio.create_task(held.hold("patient", 10.0))
        await started(patient)
        assert held.entered == ["patient"], "for whom there is time all the same, a free place is given"
    last = asyncio.create_task(held.hold("last", 0.0))
    await started(last)
    assert held.entered == ["patient", "last"], "and once all have begun, nobody is owed anything"
    held.release.set()
    await asyncio.gather(patient, last)


async def test_those_who_are_being_begun_are_waited_for_as_those_ahead_are() -> None:
    lane = Lane(1, step=1.0)
    held = Held(lane)
    first = asyncio.create_task(held.hold("first"))
    await started(first)
    second = asyncio.create_task(held.hold("second", 1.0))
    await started(second)
    assert not second.done()
    with lane.beginning(seconds_now), pytest.raises(SupportError):
        await held.hold("third", 1.15)
    held.release.set()
    await asyncio.gather(first, second)


async def test_how_long_beginning_takes_is_learnt_while_several_begin_and_not_between() -> None:
    now, lane = [0.0], Lane(1, step=0.0)

    def begun(seconds: float) -> None:
        with lane.beginning(lambda: now[0]):
            now[0] += seconds

    async def is_refused() -> bool:
        with lane.beginning(lambda: now[0]):
            try:
                async with lane.place(Deadline(now[0] + 0.5, lambda: now[0]), leaving=0.0):
                    return False
            except SupportError:
                return True

    for _ in range(40):
        begun(5.0)
        now[0] += 60.0
    assert not await is_refused(), "who begins alone says nothing of a crowd"
    with lane.beginning(lambda: now[0]):
        for _ in range(40):
            begun(5.0)
    assert await is_refused()
