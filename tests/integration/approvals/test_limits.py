"""Limits per person, customer, order and card: under races, at midnight, and when the table is tightened in between."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from approvals.authority import BUILT_IN, Authority, Cap, DailyLimit, Nobody, Per, Rule
from approvals.ports import Person
from db.base import Base
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import ExecutionStatus, RequestStatus, Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, ExecutionId, RequestId
from support_agents.domain.money import Money
from support_agents.domain.orders import OrderFacts
from tests.fixtures.approvals import ORDER, Shop, refund
from tests.fixtures.inbound import ANNA

MONTH = timedelta(days=30)


def capped(per: Per, minor: int, within: timedelta | None = MONTH, **changes: object) -> Authority:
    cap = Cap(name="cap", per=per, currency="EUR", minor=minor, within=within)
    return BUILT_IN.model_copy(update={"caps": (cap,)} | changes)


def order(number: int, card: str = "") -> OrderFacts:
    values = {"order_id": f"B-{number}", "total": Money(minor=4_000, currency="EUR"), "payment_ref": f"pay-b{number}"}
    return ORDER.model_copy(update=values | {"instrument": card})


async def asked(shop: Shop, *orders: OrderFacts) -> list[RequestId]:
    """One pending refund for each order, each on a ticket of its own."""
    shop.orders.orders = {ANNA.email: orders}
    shop.payments.payments |= {each.payment_ref: each.total for each in orders}
    found = []
    for number, each in enumerate(orders):
        source = ("standard", "zendesk")[number]
        (request,) = await shop.proposed(refund(each), source=source, order=each)
        found.append(request)
    return found


async def outcome(shop: Shop, request: RequestId, person: Person) -> str:
    """`approved`, or why not."""
    try:
        return "approved" if await shop.approve(request, person) else "counted"
    except SupportError as error:
        return f"{error.code}: {error.message}"


@pytest.mark.parametrize("per", list(Per))
async def test_over_the_limit_split_into_two_by_two_people_at_once(shop: Shop, per: Per) -> None:
    shop.authority = capped(per, 7_999)
    card = "card-1" if per is Per.INSTRUMENT else ""
    one, two = order(1, card), order(2 if per is not Per.ORDER else 1, card)
    first, second = await asked(shop, one, two)
    ben, eva = await shop.person("ben"), await shop.person("eva")
    done = await asyncio.gather(outcome(shop, first, ben), outcome(shop, second, eva))
    assert sorted(each.partition(":")[0] for each in done) == ["approved", "not_allowed"]
    assert any(f"what one {per} may get back within 30 days: €79.99" in each for each in done)
    assert sorted([(await shop.request(r)).status for r in (first, second)]) == ["approved", "pending"]


async def test_what_fits_twice_is_approved_twice(shop: Shop) -> None:
    shop.authority = capped(Per.CUSTOMER, 8_000)
    first, second = await asked(shop, order(1), order(2))
    ben, eva = await shop.person("ben"), await shop.person("eva")
    assert list(await asyncio.gather(outcome(shop, first, ben), outcome(shop, second, eva))) == ["approved"] * 2


async def test_two_tickets_one_order_never_pass_the_cap_whoever_is_first(shop: Shop) -> None:
    shop.authority = capped(Per.ORDER, 5_000)
    first, second = await asked(shop, order(1), order(1))
    ben = await shop.person("ben")
    assert await outcome(shop, first, ben) == "approved"
    assert (await outcome(shop, second, ben)).startswith("not_allowed")
    execution = await execution_of(shop, first)
    await shop.executions.cancel(execution, workspace=DEFAULT_WORKSPACE, actor="test")
    assert await outcome(shop, second, ben) == "approved"


async def test_one_persons_day_is_not_passed_by_two_clicks_at_once(shop: Shop) -> None:
    limits = (DailyLimit(role=Role.APPROVER, currency="EUR", minor=7_999),)
    shop.authority = BUILT_IN.model_copy(update={"daily_limits": limits})
    requests = await asked(shop, order(1), order(2))
    ben = await shop.person("ben")
    done = await asyncio.gather(*(outcome(shop, request, ben) for request in requests))
    assert sorted(each.partition(":")[0] for each in done) == ["approved", "not_allowed"]


async def yesterday(shop: Shop) -> None:
    """Let all that was decided so far have been decided a day ago."""
    async with shop.database.write("time") as uow:
        now = await uow.now()
        day, before = shop.consequences.hours.day(now), timedelta(days=1)
        for table, values in (
            ("decisions", {"created_at": now - before}),
            ("operator_money", {"day": day - before}),
            ("money_claims", {"day": day - before, "claimed_at": now - before}),
        ):
            await uow.session.execute(Base.metadata.tables[table].update().values(**values))


async def test_at_midnight_a_day_begins_and_a_rolling_time_goes_on(shop: Shop) -> None:
    limits = (DailyLimit(role=Role.APPROVER, currency="EUR", minor=4_000),)
    day = Cap(name="day", per=Per.CUSTOMER, currency="EUR", minor=4_000)
    shop.authority = BUILT_IN.model_copy(update={"daily_limits": limits, "caps": (day,)})
    first, second = await asked(shop, order(1), order(2))
    ben = await shop.person("ben")
    assert await outcome(shop, first, ben) == "approved"
    assert (await outcome(shop, second, await shop.person("eva"))).startswith("not_allowed")
    await yesterday(shop)
    rolling = replace(shop, authority=capped(Per.CUSTOMER, 7_999, timedelta(hours=48), daily_limits=limits))
    assert (await outcome(rolling, second, ben)).startswith("not_allowed")
    assert await outcome(shop, second, ben) == "approved"


async def test_what_is_given_back_after_midnight_goes_to_the_day_it_was_taken_from(shop: Shop) -> None:
    limits = (DailyLimit(role=Role.APPROVER, currency="EUR", minor=4_000),)
    shop.authority = BUILT_IN.model_copy(update={"daily_limits": limits})
    first, second = await asked(shop, order(1), order(2))
    ben = await shop.person("ben")
    await shop.approve(first, ben)
    await yesterday(shop)
    await shop.approve(second, ben)
    await shop.executions.cancel(await execution_of(shop, first), workspace=DEFAULT_WORKSPACE, actor="test")
    async with shop.database.read() as uow:
        rows = await uow.session.execute(text("SELECT day, reserved_minor FROM operator_money ORDER BY day"))
        assert [row.reserved_minor for row in rows] == [0, 4_000]


async def test_money_in_doubt_and_money_booked_count_and_money_refused_does_not(shop: Shop) -> None:
    shop.authority = capped(Per.CUSTOMER, 4_000)
    first, second = await asked(shop, order(1), order(2))
    ben = await shop.person("ben")
    assert await outcome(shop, first, ben) == "approved"
    assert await shop.executions.carry_out(await execution_of(shop, first)) is ExecutionStatus.SUCCEEDED
    assert (await outcome(shop, second, ben)).startswith("not_allowed")
    async with shop.database.read() as uow:
        held = await uow.money_claims.of(first)
    assert sorted(claim.per for claim in held) == ["customer", "instrument", "order"]


async def execution_of(shop: Shop, request: RequestId) -> ExecutionId:
    async with shop.database.read() as uow:
        found = await uow.executions.by_request(request)
    assert found is not None
    return found.id


TIGHTER: dict[str, dict[str, object]] = {
    "nobody may any more": {"rules": ()},
    "more people are needed": {
        "rules": (Rule(kind=ActionKind.ISSUE_REFUND, currency="EUR", up_to_minor=100_000, approvals=2),)
    },
    "a manager is needed": {
        "rules": (Rule(kind=ActionKind.ISSUE_REFUND, currency="EUR", up_to_minor=100_000, managers=1),)
    },
    "only managers may": {
        "rules": (Rule(kind=ActionKind.ISSUE_REFUND, currency="EUR", up_to_minor=100_000, approver=Role.MANAGER),)
    },
    "the limit is lower": {
        "rules": (Rule(kind=ActionKind.ISSUE_REFUND, currency="EUR", up_to_minor=3_999),)
    },
    "less in one day": {"daily_limits": (DailyLimit(role=Role.APPROVER, currency="EUR", minor=3_999),)},
    "less for one customer": {"caps": (Cap(per=Per.CUSTOMER, currency="EUR", minor=3_999, within=MONTH),)},
    "less for one order": {"caps": (Cap(per=Per.ORDER, currency="EUR", minor=3_999),)},
}  # fmt: skip


@pytest.mark.parametrize("how", TIGHTER)
async def test_a_table_tightened_between_approval_and_dispatch_stops_it(shop: Shop, how: str) -> None:
    first, second = await asked(shop, order(1), order(2))
    assert await outcome(shop, first, await shop.person("ben")) == "approved"
    execution = await execution_of(shop, first)
    tighter = replace(shop, authority=BUILT_IN.model_copy(update=TIGHTER[how]))
    assert await tighter.executions.carry_out(execution) is ExecutionStatus.SUPERSEDED
    assert shop.payments.booked == {}
    assert (await shop.request(first)).status is RequestStatus.SUPERSEDED
    assert "was not carried out" in (await shop.needs_person((await shop.request(first)).ticket_id) or "")
    async with shop.database.read() as uow:
        assert await uow.money_claims.of(first) == ()
        left = await uow.session.scalar(text("SELECT sum(reserved_minor) FROM operator_money"))
    assert left == 0
    assert (await shop.request(second)).status is RequestStatus.PENDING


async def test_a_table_that_only_changed_elsewhere_stops_nothing(shop: Shop) -> None:
    first, _ = await asked(shop, order(1), order(2))
    assert await outcome(shop, first, await shop.person("ben")) == "approved"
    roomier = replace(shop, authority=capped(Per.CUSTOMER, 4_000))
    assert roomier.authority.version != shop.authority.version
    assert await roomier.executions.carry_out(await execution_of(shop, first)) is ExecutionStatus.SUCCEEDED


async def test_a_cap_that_came_later_lets_the_earlier_claim_through_and_stops_the_later(shop: Shop) -> None:
    first, second = await asked(shop, order(1), order(2))
    ben = await shop.person("ben")
    assert [await outcome(shop, each, ben) for each in (first, second)] == ["approved"] * 2
    tighter = replace(shop, authority=capped(Per.CUSTOMER, 7_999))
    done = [await tighter.executions.carry_out(await execution_of(shop, each)) for each in (second, first)]
    assert done == [ExecutionStatus.SUPERSEDED, ExecutionStatus.SUCCEEDED]


async def test_a_table_tightened_before_the_decision_asks_for_more_people(shop: Shop) -> None:
    first, _ = await asked(shop, order(1), order(2))
    rules = (Rule(kind=ActionKind.ISSUE_REFUND, currency="EUR", up_to_minor=100_000, approvals=2, managers=1),)
    tighter = replace(shop, authority=BUILT_IN.model_copy(update={"rules": rules}))
    assert isinstance(tighter.authority.needed(ActionKind.SEND_REPLY, None), Nobody)
    assert await outcome(tighter, first, await shop.person("ben")) == "counted"
    assert await outcome(tighter, first, await shop.person("eva")) == "counted"
    assert await outcome(tighter, first, await shop.person("mia", Role.MANAGER)) == "approved"


async def test_an_approver_who_lost_their_place_in_the_undo_window_counts_no_more(shop: Shop) -> None:
    first, second = await asked(shop, order(1), order(2))
    ben, eva = await shop.person("ben"), await shop.person("eva")
    assert [await outcome(shop, first, ben), await outcome(shop, second, eva)] == ["approved"] * 2
    async with shop.database.write("people") as uow:
        await uow.operators.disable(ben.operator_id)
        await uow.operators.set_role(eva.operator_id, Role.VIEWER)
    for request in (first, second):
        assert await shop.executions.carry_out(await execution_of(shop, request)) is ExecutionStatus.SUPERSEDED
    assert shop.payments.booked == {}


async def test_a_rule_says_how_long_it_can_be_taken_back_and_who_only_may(shop: Shop) -> None:
    rules = (
        Rule(
            name="slow", kind=ActionKind.ISSUE_REFUND, currency="EUR", up_to_minor=100_000, approver=Role.MANAGER,
            undo=timedelta(minutes=30), time_limit=timedelta(hours=2),
        ),
    )  # fmt: skip
    shop.authority = BUILT_IN.model_copy(update={"rules": rules})
    first, _ = await asked(shop, order(1), order(2))
    found = await shop.request(first)
    assert (found.authority_version, found.authority_rule) == (shop.authority.version, "slow")
    assert shop.authority.version.encode() in found.canonical
    assert (
        await outcome(shop, first, await shop.person("ben")) == "not_allowed: this needs the role manager, not approver"
    )
    assert await outcome(shop, first, await shop.person("mia", Role.MANAGER)) == "approved"
    execution = await shop.execution(await execution_of(shop, first))
    assert timedelta(minutes=29) < execution.not_before - execution.created_at <= timedelta(minutes=30, seconds=1)
    assert found.expires_at == shop.consequences.hours.after(found.created_at, timedelta(hours=2)) or (
        abs(found.expires_at - shop.consequences.hours.after(found.created_at, timedelta(hours=2)))
        < timedelta(seconds=5)
    )
