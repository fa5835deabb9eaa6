"""A thousand times two people at the same instant, on one card: one decision counts, and one effect follows."""

import asyncio
import random

import pytest

from approvals.ports import Person
from support_agents.domain.approval import DecisionVerdict, ExecutionStatus, RequestStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RequestId
from tests.fixtures.approvals import REPLY, Shop

RACES = 1_000
APPROVE, REJECT = DecisionVerdict.APPROVE, DecisionVerdict.REJECT
DICE = random.Random(20_261_122)  # noqa: S311 - chance, no secret


async def answer(shop: Shop, request: RequestId, person: Person, verdict: DecisionVerdict) -> str:
    """Decide a random moment later; returns nothing, or the code of the refusal."""
    digest = (await shop.request(request)).digest
    await asyncio.sleep(DICE.random() / 500)
    try:
        await shop.queue.decide(request, digest=digest, verdict=verdict, person=person, reason="no")
    except SupportError as error:
        return error.code if "was first" in error.message else error.message
    return ""


async def race(shop: Shop, minute: int, people: tuple[Person, ...], verdicts: tuple[DecisionVerdict, ...]) -> None:
    (request,) = await shop.proposed(REPLY, key=f"m-{minute}", minute=minute)
    mails = len(shop.mail.sent)
    clicks = zip(people, verdicts, strict=True)
    codes = await asyncio.gather(*(answer(shop, request, person, verdict) for person, verdict in clicks))
    assert sorted(codes) == ["", *["already_decided"] * (len(people) - 1)]
    (winner,) = [verdict for verdict, code in zip(verdicts, codes, strict=True) if not code]
    async with shop.database.read() as uow:
        decisions, execution = await uow.approvals.decisions(request), await uow.executions.by_request(request)
    assert [decision.verdict for decision in decisions] == [winner]
    if winner is REJECT:
        assert (execution, (await shop.request(request)).status) == (None, RequestStatus.REJECTED)
        return
    assert execution is not None
    carrying = [shop.executions.carry_out(execution.id) for _ in range(2)]
    await asyncio.gather(*carrying)
    assert await shop.status(execution.id) is ExecutionStatus.SUCCEEDED
    assert len(shop.mail.sent) == mails + 1


async def run(shop: Shop, races: int) -> None:
    people = tuple([await shop.person(name) for name in ("ben", "eva", "tom")])
    for number in range(races):
        verdicts = (APPROVE, APPROVE, REJECT if number % 2 else APPROVE)[number % 2 :]
        await race(shop, number, people[: len(verdicts)], verdicts)


async def test_some_races(shop: Shop) -> None:
    await run(shop, 12)


@pytest.mark.long
async def test_a_thousand_races(shop: Shop) -> None:
    await run(shop, RACES)
