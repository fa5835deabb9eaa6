"""Money asks for a second factor in the deciding transaction itself; words and rejections do not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from approvals.authority import BUILT_IN, SecondFactor
from approvals.ports import Person, Surface
from support_agents.domain.approval import ExecutionStatus, RequestStatus, Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.fixtures.approvals import REPLY, Shop, refund, set_column

STRICT = BUILT_IN.model_copy(update={"second_factor": SecondFactor.MONEY})


async def give_factor(shop: Shop, person: Person, *, proved_ago: timedelta | None) -> None:
    """A confirmed factor, proved in the person's session so long ago, or never."""
    async with shop.database.write("factor") as uow:
        await uow.second_factors.begin(DEFAULT_WORKSPACE, person.operator_id, b"sealed")
        factor = await uow.second_factors.get(person.operator_id)
        assert factor is not None
        await uow.second_factors.confirm(factor.id)
        proved = None if proved_ago is None else await uow.now() - proved_ago
        await set_column(uow, "sessions", "factor_proved_at", proved, person.session_id)


async def code(shop: Shop, person: Person) -> str:
    """What an approval of a pending refund comes to."""
    (request,) = await shop.proposed(refund())
    try:
        await shop.approve(request, person)
    except SupportError as error:
        assert (await shop.request(request)).status is RequestStatus.PENDING
        return error.code
    return ""


@pytest.mark.parametrize("surface", [Surface.CONSOLE, Surface.REST])
async def test_without_a_factor_no_money_is_decided(shop: Shop, surface: Surface) -> None:
    shop.authority = STRICT
    assert await code(shop, replace(await shop.person("ben"), surface=surface)) == "factor_needed"


@pytest.mark.parametrize(
    ("ago", "told"),
    [
        (None, "factor_needed"),
        (timedelta(minutes=10, seconds=5), "factor_needed"),
        (timedelta(minutes=-5), "factor_needed"),
        (timedelta(minutes=9), ""),
    ],
)
async def test_it_must_have_been_proved_minutes_ago(shop: Shop, ago: timedelta | None, told: str) -> None:
    shop.authority = STRICT
    ben = await shop.person("ben")
    await give_factor(shop, ben, proved_ago=ago)
    assert await code(shop, ben) == told


async def test_the_built_in_table_asks_only_those_who_have_one(shop: Shop) -> None:
    ben, eva = await shop.person("ben"), await shop.person("eva")
    await give_factor(shop, eva, proved_ago=None)
    assert await code(shop, eva) == "factor_needed"
    (request,) = await shop.proposed(refund(), key="m-1", minute=1)
    assert await shop.approve(request, ben) is not None


async def test_words_and_rejections_need_none(shop: Shop) -> None:
    shop.authority = STRICT
    ben = await shop.person("ben")
    first, second = await shop.proposed(refund(), REPLY)
    assert await shop.approve(second, ben) is not None
    await shop.reject(first, ben)


async def test_settling_money_in_doubt_needs_it_too(shop: Shop) -> None:
    execution = await shop.approved(refund())
    shop.authority = STRICT
    mia = await shop.person("mia", Role.MANAGER)
    async with shop.database.write("doubt") as uow:
        await set_column(uow, "executions", "status", ExecutionStatus.IN_DOUBT, execution)
    with pytest.raises(SupportError) as caught:
        await shop.executions.resolve(execution, person=mia, status=ExecutionStatus.FAILED, note="looked")
    assert caught.value.code == "factor_needed"
    await give_factor(shop, mia, proved_ago=timedelta(minutes=1))
    await shop.executions.resolve(execution, person=mia, status=ExecutionStatus.FAILED, note="looked")
    assert await shop.status(execution) is ExecutionStatus.FAILED
