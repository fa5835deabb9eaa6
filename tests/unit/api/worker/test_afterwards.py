"""What follows an acknowledgement: bounded, survivable, waited for at the end; what people wait for is not held up."""

import asyncio

from api.worker.afterwards import AT_ONCE, Afterwards


async def test_a_failing_piece_keeps_nothing_from_being_done() -> None:
    done: list[str] = []

    async def fail() -> None:
        raise ValueError("secret words")

    async def note() -> None:
        done.append("noted")

    afterwards = Afterwards()
    afterwards.do("work", (fail, note))
    await afterwards.drain()
    assert done == ["noted"]


async def test_a_crowd_of_slow_pieces_does_not_hold_up_what_people_wait_for() -> None:
    release, begun, now = asyncio.Event(), [], asyncio.Event()

    async def slow() -> None:
        begun.append(1)
        await release.wait()

    async def urgent() -> None:
        now.set()

    afterwards = Afterwards()
    for _ in range(AT_ONCE * 3):
        afterwards.do("slow", (slow,))
    afterwards.do_now("urgent", (urgent,))
    async with asyncio.timeout(60):
        await now.wait()
    assert len(begun) == AT_ONCE
    release.set()
    await afterwards.drain()
    assert len(begun) == AT_ONCE * 3
