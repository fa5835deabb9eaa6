"""Outcomes that nobody knows for certain: never repeated blindly, always visible."""

import asyncio
from datetime import timedelta

import pytest

from approvals.executors.protocol import World
from approvals.ports import Person
from approvals.testing import Fault
from support_agents.domain.approval import ExecutionStatus, Role
from support_agents.domain.errors import Failed, SupportError
from support_agents.domain.ids import ExecutionId
from tests.fixtures.approvals import ORDER, REPLY, Shop, refund

BRIEF = timedelta(milliseconds=150)


async def test_a_call_that_nobody_answers_ends_at_its_limit(shop: Shop) -> None:
    execution = await shop.approved(refund())
    shop.call_limit, shop.payments.faults.coming = BRIEF, [Fault.STALL]
    assert await shop.executions.carry_out(execution) is ExecutionStatus.IN_DOUBT
    assert shop.payments.faults.reached.is_set()
    assert shop.payments.booked == {}


async def test_a_provider_that_times_out_after_booking_is_asked_and_not_repeated(shop: Shop) -> None:
    execution = await shop.approved(refund())
    shop.payments.faults.coming = [Fault.TIME_OUT_AFTER]
    assert await shop.executions.carry_out(execution) is ExecutionStatus.IN_DOUBT
    assert await shop.executions.carry_out(execution) is ExecutionStatus.IN_DOUBT
    assert await shop.executions.reconcile(execution) is ExecutionStatus.IN_DOUBT  # too early to ask
    await shop.lapse(execution)
    assert await shop.executions.due_for_reconcile(10) == (execution,)
    assert await shop.executions.reconcile(execution) is ExecutionStatus.SUCCEEDED
    assert len(shop.payments.booked) == 1


async def test_proved_absent_is_scheduled_again_under_the_next_generation(shop: Shop) -> None:
    execution = await shop.approved(refund())
    shop.payments.faults.coming = [Fault.FAIL]
    assert await shop.executions.carry_out(execution) is ExecutionStatus.IN_DOUBT
    await shop.lapse(execution)
    assert await shop.executions.reconcile(execution) is ExecutionStatus.SCHEDULED
    assert (await shop.execution(execution)).generation == 2
    await due_now(shop, execution)
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    (key,) = shop.payments.booked
    assert key.endswith(".2")


async def test_a_provider_that_cannot_be_reached_leaves_it_in_doubt(shop: Shop) -> None:
    execution = await shop.approved(refund())
    shop.payments.faults.coming, shop.payments.answers = [Fault.FAIL], False
    await shop.executions.carry_out(execution)
    for _ in range(8):
        await shop.lapse(execution)
        assert await shop.executions.reconcile(execution) is ExecutionStatus.IN_DOUBT
    assert (await shop.execution(execution)).next_check_at is not None
    assert "in doubt" in (await shop.needs_person((await shop.execution(execution)).ticket_id) or "")


async def test_a_newer_runs_answer_takes_no_doubt_off_peoples_list(shop: Shop) -> None:
    execution = await shop.approved(refund())
    shop.payments.faults.coming, shop.payments.answers = [Fault.FAIL], False
    await shop.executions.carry_out(execution)
    for _ in range(shop.timing.generations):
        await shop.lapse(execution)
        await shop.executions.reconcile(execution)
    ticket = (await shop.execution(execution)).ticket_id
    doubt = await shop.needs_person(ticket) or ""
    assert doubt.startswith("in doubt")
    (request,) = await shop.proposed(REPLY, key="m-newer", minute=5)
    assert await shop.needs_person(ticket) == doubt
    await shop.reject(request, await shop.person("eva"))
    assert await shop.needs_person(ticket) == f"{doubt}; rejected: no"
    shop.payments.answers = True
    await shop.lapse(execution)
    await shop.executions.reconcile(execution)
    assert await shop.status(execution) is not ExecutionStatus.IN_DOUBT
    await shop.proposed(REPLY, key="m-newest", minute=9)
    assert await shop.needs_person(ticket) is None


async def test_what_fails_again_and_again_ends_with_a_person(shop: Shop) -> None:
    execution = await shop.approved(refund())
    for _ in range(shop.timing.generations):
        shop.payments.faults.coming = [Fault.FAIL]
        await due_now(shop, execution)
        assert await shop.executions.carry_out(execution) is ExecutionStatus.IN_DOUBT
        await shop.lapse(execution)
        await shop.executions.reconcile(execution)
    assert await shop.status(execution) is ExecutionStatus.IN_DOUBT
    assert (await shop.execution(execution)).next_check_at is None


async def test_a_worker_that_comes_back_after_its_lease_cannot_decide(shop: Shop) -> None:
    execution = await shop.approved(refund())
    shop.payments.faults.coming = [Fault.STALL]
    worker = asyncio.create_task(shop.executions.carry_out(execution))
    await shop.payments.faults.reached.wait()
    await shop.lapse(execution)
    shop.payments.faults.release.set()
    assert await worker is ExecutionStatus.IN_DOUBT
    assert await shop.executions.reconcile(execution) is ExecutionStatus.SUCCEEDED
    assert len(shop.payments.booked) == 1


async def test_a_worker_overtaken_by_the_reconciler_cannot_decide(shop: Shop) -> None:
    execution = await shop.approved(refund())
    shop.payments.faults.coming, shop.payments.answers = [Fault.STALL], False
    worker = asyncio.create_task(shop.executions.carry_out(execution))
    await shop.payments.faults.reached.wait()
    await shop.lapse(execution)
    assert await shop.executions.reconcile(execution) is ExecutionStatus.IN_DOUBT
    shop.payments.faults.release.set()
    assert await worker is ExecutionStatus.IN_DOUBT
    await shop.lapse(execution)
    # Its late receipt is evidence, even while the provider does not answer.
    assert await shop.executions.reconcile(execution) is ExecutionStatus.SUCCEEDED
    assert len(shop.payments.booked) == 1


async def test_late_evidence_stops_the_next_generation_from_calling(shop: Shop) -> None:
    execution = await shop.approved(refund())
    shop.payments.faults.coming = [Fault.STALL]
    worker = asyncio.create_task(shop.executions.carry_out(execution))
    await shop.payments.faults.reached.wait()
    await shop.lapse(execution)
    assert await shop.executions.reconcile(execution) is ExecutionStatus.SCHEDULED  # nothing booked so far
    shop.payments.faults.release.set()
    await worker
    await due_now(shop, execution)
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    assert len(shop.payments.booked) == 1


async def test_a_worker_that_slept_before_its_call_calls_nobody(shop: Shop) -> None:
    execution = await shop.approved(refund())
    executions = shop.executions
    ticks = iter((0.0, 1_000.0))
    slept = type(executions)(
        executions.database,
        executions.executors,
        executions.consequences,
        executions.timing,
        lambda: next(ticks),
        seal=executions.seal,
    )
    assert await slept.carry_out(execution) is ExecutionStatus.IN_DOUBT
    assert shop.payments.booked == {}


async def test_a_worker_that_died_after_the_intent_is_found_out(shop: Shop) -> None:
    execution = await shop.approved(refund())
    await intent_only(shop, execution)
    assert await shop.executions.due_for_reconcile(10) == ()
    await shop.lapse(execution)
    assert await shop.executions.reconcile_due() == 1
    assert await shop.status(execution) is ExecutionStatus.SCHEDULED
    await due_now(shop, execution)
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    assert len(shop.payments.booked) == 1


async def test_mail_whose_answer_was_lost_is_never_sent_again(shop: Shop) -> None:
    execution = await shop.approved(REPLY)
    shop.mail.faults.coming = [Fault.TIME_OUT_AFTER]
    assert await shop.executions.carry_out(execution) is ExecutionStatus.IN_DOUBT
    await shop.lapse(execution)
    assert await shop.executions.reconcile(execution) is ExecutionStatus.IN_DOUBT
    assert "in doubt" in (await shop.needs_person((await shop.execution(execution)).ticket_id) or "")
    assert await shop.executions.due_for_reconcile(10) == ()
    assert len(shop.mail.sent) == 1


async def test_mail_that_never_reached_data_is_sent_later(shop: Shop) -> None:
    execution = await shop.approved(REPLY)
    shop.mail.faults.coming = [Fault.FAIL]
    assert await shop.executions.carry_out(execution) is ExecutionStatus.IN_DOUBT
    await shop.lapse(execution)
    assert await shop.executions.reconcile(execution) is ExecutionStatus.SCHEDULED
    await due_now(shop, execution)
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    assert len(shop.mail.sent) == 1


async def test_a_mailer_that_slept_before_its_marker_sends_nothing(shop: Shop) -> None:
    execution = await shop.approved(REPLY)
    shop.mail.faults.coming = [Fault.STALL]
    worker = asyncio.create_task(shop.executions.carry_out(execution))
    await shop.mail.faults.reached.wait()
    await shop.lapse(execution)
    assert await shop.executions.reconcile(execution) is ExecutionStatus.SCHEDULED
    await due_now(shop, execution)
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    shop.mail.faults.release.set()
    await worker
    assert len(shop.mail.sent) == 1


async def test_a_helpdesk_conflict_supersedes_and_returns_the_ticket(shop: Shop) -> None:
    execution = await shop.approved(REPLY, source="zendesk")
    shop.helpdesk.faults.coming = [Fault.STALL]
    worker = asyncio.create_task(shop.executions.carry_out(execution))
    await shop.helpdesk.faults.reached.wait()
    shop.helpdesk.tickets["77"].version += 1
    shop.helpdesk.faults.release.set()
    assert await worker is ExecutionStatus.SUPERSEDED
    assert shop.helpdesk.tickets["77"].comments == []
    assert await shop.needs_person((await shop.execution(execution)).ticket_id)


async def test_a_helpdesk_comment_whose_answer_was_lost_is_found(shop: Shop) -> None:
    execution = await shop.approved(REPLY, source="zendesk")
    shop.helpdesk.faults.coming = [Fault.TIME_OUT_AFTER]
    assert await shop.executions.carry_out(execution) is ExecutionStatus.IN_DOUBT
    await shop.lapse(execution)
    assert await shop.executions.reconcile(execution) is ExecutionStatus.SUCCEEDED
    assert len(shop.helpdesk.tickets["77"].comments) == 1


@pytest.mark.parametrize("settled", [ExecutionStatus.SUCCEEDED, ExecutionStatus.FAILED])
async def test_a_person_settles_what_is_in_doubt(shop: Shop, settled: ExecutionStatus) -> None:
    execution = await in_doubt(shop)
    mia = await shop.person("mia")
    await shop.executions.resolve(execution, person=mia, status=settled, note="looked in the mailbox")
    assert await shop.status(execution) is settled
    with pytest.raises(SupportError, match="nothing is in doubt"):
        await shop.executions.resolve(execution, person=mia, status=settled, note="again")


async def settling(shop: Shop, execution: ExecutionId, person: Person, note: str = "looked") -> str:
    """The code that settling ends with, or nothing."""
    try:
        await shop.executions.resolve(execution, person=person, status=ExecutionStatus.FAILED, note=note)
    except SupportError as error:
        return error.code
    return ""


async def test_a_viewer_settles_nothing_and_a_note_is_needed(shop: Shop) -> None:
    execution = await in_doubt(shop)
    assert await settling(shop, execution, await shop.person("vic", Role.VIEWER)) == "not_allowed"
    assert await settling(shop, execution, await shop.person("mia"), note=" ") == "invalid"
    assert await shop.status(execution) is ExecutionStatus.IN_DOUBT


async def test_a_refund_is_settled_by_a_manager_only(shop: Shop) -> None:
    execution = await shop.approved(refund())
    shop.payments.faults.coming = [Fault.FAIL]
    await shop.executions.carry_out(execution)
    assert await settling(shop, execution, await shop.person("eva")) == "not_allowed"
    assert await settling(shop, execution, await shop.person("mia", Role.MANAGER)) == ""
    assert await shop.status(execution) is ExecutionStatus.FAILED


async def test_an_order_system_that_does_not_answer_postpones(shop: Shop) -> None:
    execution = await shop.approved(refund())
    shop.orders.failing = Failed("unavailable", "no connection", retryable=True)
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SCHEDULED
    async with shop.database.read() as uow:
        due = await uow.outbox.next_due()
        assert due is not None
        assert due > await uow.now()
    shop.orders.failing = None
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED


async def test_an_order_that_changed_supersedes(shop: Shop) -> None:
    execution = await shop.approved(refund())
    shop.orders.orders = {"anna@example.com": (ORDER.model_copy(update={"version": "v2"}),)}
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUPERSEDED
    assert shop.payments.booked == {}


async def in_doubt(shop: Shop) -> ExecutionId:
    execution = await shop.approved(REPLY)
    shop.mail.faults.coming = [Fault.TIME_OUT_AFTER]
    await shop.executions.carry_out(execution)
    return execution


async def intent_only(shop: Shop, execution: ExecutionId) -> None:
    """What a worker leaves that dies between intent and call."""
    world = World(ORDER.version, paid=ORDER.total, refunded=ORDER.refunded)
    await shop.executions.intent.commit(execution, world=world, call_limit=shop.call_limit, begin_by=0.0)


async def due_now(shop: Shop, execution: ExecutionId) -> None:
    """Let the wait before the next try be over."""
    async with shop.database.write("due") as uow:
        found = await uow.executions.get(execution)
        assert found is not None
        await uow.executions.set(found, not_before=await uow.now() - timedelta(seconds=1))
