"""Dry run: everything but the effect, marked in the exact bytes; what is approved so never leaves, nor the reverse."""

import json
from dataclasses import replace

import pytest

from api.acting import _dry_ways
from approvals.canonical import Way
from approvals.testing import Fault
from support_agents.domain.approval import ExecutionStatus
from support_agents.domain.errors import SupportError
from tests.fixtures.approvals import REPLY, Shop, refund

EVERYTHING = frozenset(Way)
STATES = REPLY.model_copy(update={"text": "We have refunded €49.90.", "after": "refund"})


async def test_a_dry_run_does_everything_but_the_effect(shop: Shop) -> None:
    shop.dry = EVERYTHING
    first, second = await shop.proposed(refund(), STATES)
    for request in (first, second):
        told = json.loads((await shop.request(request)).canonical)
        assert (told["dry_run"], told["live"]) == (True, False)
    ben = await shop.person("ben")
    execution = await shop.approve(first, ben)
    assert execution is not None
    assert await shop.approve(second, ben) is None
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    assert (await shop.execution(execution)).receipt == f"dry run {(await shop.request(first)).action_id}.1"
    async with shop.database.read() as uow:
        follow = await uow.executions.by_request(second)
        assert await uow.money_claims.of(first) == ()
    assert follow is not None
    assert await shop.executions.carry_out(follow.id) is ExecutionStatus.SUCCEEDED
    assert (shop.payments.booked, shop.mail.sent) == ({}, [])


async def test_the_world_is_looked_at_as_ever(shop: Shop) -> None:
    shop.dry = EVERYTHING
    execution = await shop.approved(refund())
    shop.orders.orders = {}
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUPERSEDED


async def test_what_was_approved_in_a_dry_run_never_leaves_for_real(shop: Shop) -> None:
    dry = replace(shop, dry=EVERYTHING)
    execution = await dry.approved(refund())
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUPERSEDED
    assert shop.payments.booked == {}
    assert "approved as a dry run" in (await shop.execution(execution)).reason


async def test_what_was_approved_for_real_is_not_taken_for_done_by_a_dry_run(shop: Shop) -> None:
    execution = await shop.approved(refund())
    dry = replace(shop, dry=EVERYTHING)
    assert await dry.executions.carry_out(execution) is ExecutionStatus.SUPERSEDED
    assert "this is a dry run" in (await shop.execution(execution)).reason


async def test_real_doubt_is_resolved_by_the_real_provider_even_in_a_dry_run(shop: Shop) -> None:
    execution = await shop.approved(refund())
    shop.payments.faults.coming = [Fault.TIME_OUT_AFTER]
    assert await shop.executions.carry_out(execution) is ExecutionStatus.IN_DOUBT
    await shop.lapse(execution)
    dry = replace(shop, dry=EVERYTHING)
    assert await dry.executions.reconcile(execution) is ExecutionStatus.SUCCEEDED
    assert len(shop.payments.booked) == 1


async def test_a_real_reply_never_states_a_refund_that_was_a_dry_run(shop: Shop) -> None:
    shop.dry = frozenset({Way.PAYMENT})
    first, second = await shop.proposed(refund(), STATES)
    ben = await shop.person("ben")
    execution = await shop.approve(first, ben)
    assert execution is not None
    await shop.approve(second, ben)
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    async with shop.database.read() as uow:
        follow = await uow.executions.by_request(second)
    assert follow is not None
    assert await shop.executions.carry_out(follow.id) is ExecutionStatus.SUPERSEDED
    assert shop.mail.sent == []


async def test_a_dry_refund_leaves_the_order_as_it_was(shop: Shop) -> None:
    dry = replace(shop, dry=EVERYTHING)
    assert await dry.executions.carry_out(await dry.approved(refund())) is ExecutionStatus.SUCCEEDED
    (again,) = await shop.proposed(refund(), key="m-1", minute=1)
    execution = await shop.approve(again, await shop.person("eva"))
    assert execution is not None
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    assert len(shop.payments.booked) == 1


def test_the_setting_names_ways_or_all() -> None:
    assert _dry_ways(("all",)) == EVERYTHING
    assert _dry_ways(("email", "payment")) == {Way.EMAIL, Way.PAYMENT}
    with pytest.raises(SupportError, match="pigeon"):
        _dry_ways(("pigeon",))
