"""What becomes of proposals: by mode, by where the message came from, by what may be approved at all."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from api.worker.handlers import InsideStepDueHandler
from approvals.inside_steps import InsideSteps
from approvals.testing import Fault
from db.base import table_of
from db.models.inside_steps import InsideStepStatus
from db.models.tickets import TicketRow
from db.read_models.activity import activity
from db.repositories.inside_steps import InsideStep
from support_agents.domain.approval import ExecutionStatus, Mode, RequestStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.events import EventName, OutboxEvent
from support_agents.domain.ids import DEFAULT_WORKSPACE, OutboxId, TicketId, new_id
from support_agents.domain.money import Money
from tests.fixtures.approvals import ORDER, REPLY, Shop, refund
from tests.fixtures.inbound import ANNA

STATES = REPLY.model_copy(update={"after": "refund"})


async def ticket_of(shop: Shop) -> TicketId:
    """The only ticket there is."""
    async with shop.database.read() as uow:
        return TicketId((await uow.session.execute(select(table_of(TicketRow).c.id))).scalar_one())


async def test_observe_only_records(shop: Shop) -> None:
    await shop.mode(Mode.OBSERVE)
    assert await shop.proposed(refund(), REPLY, source="zendesk") == ()
    async with shop.database.read() as uow:
        assert await uow.inside_steps.on(await ticket_of(shop)) == ()


async def test_note_writes_an_internal_note_and_asks_for_nothing(shop: Shop) -> None:
    await shop.mode(Mode.NOTE)
    assert await shop.proposed(refund(), REPLY, source="zendesk") == ()
    async with shop.database.read() as uow:
        (step,) = await uow.inside_steps.on(await ticket_of(shop))
    steps = InsideSteps(shop.database, {"zendesk": shop.helpdesk})
    event = OutboxEvent(
        id=OutboxId(new_id()), workspace=step.workspace_id, name=EventName.INSIDE_STEP_DUE, subject=step.id, attempts=1
    )
    shop.helpdesk.faults.coming = [Fault.FAIL]
    with pytest.raises(SupportError) as caught:
        await steps.carry_out(event)
    assert caught.value.retryable
    for _ in range(3):
        await steps.carry_out(event)
    (note,) = shop.helpdesk.tickets["77"].comments
    assert (note.public, REPLY.text in note.text) == (False, True)
    async with shop.database.read() as uow:
        (done,) = await uow.inside_steps.on(await ticket_of(shop))
    assert done.status is InsideStepStatus.DONE


async def noted(shop: Shop) -> tuple[InsideSteps, InsideStep, OutboxEvent]:
    """A note that is due, and its event as the relay claims it."""
    await shop.mode(Mode.NOTE)
    await shop.proposed(refund(), REPLY, source="zendesk")
    async with shop.database.read() as uow:
        (step,) = await uow.inside_steps.on(await ticket_of(shop))
    async with shop.database.write("claim") as uow:
        claimed = await uow.outbox.claim(limit=20, lease=timedelta(seconds=30))
    (event,) = [each for each in claimed if each.name is EventName.INSIDE_STEP_DUE]
    return InsideSteps(shop.database, {"zendesk": shop.helpdesk}), step, event


async def step_of(shop: Shop, step: InsideStep) -> tuple[InsideStepStatus, str | None]:
    async with shop.database.read() as uow:
        found = await uow.inside_steps.get(step.id)
    assert found is not None
    return found.status, found.error


async def test_a_note_whose_event_was_buried_comes_before_a_person(shop: Shop) -> None:
    steps, step, event = await noted(shop)
    for _ in range(2):  # a relay that was killed in between
        await InsideStepDueHandler(steps).give_up(event, "process_lost")
    assert await step_of(shop, step) == (InsideStepStatus.FAILED, "given up: process_lost")
    assert "write it by hand" in (await shop.needs_person(step.ticket_id) or "")
    async with shop.database.read() as uow:
        since = await uow.now() - timedelta(hours=1)
        (shown,) = (await activity(uow, DEFAULT_WORKSPACE, since=since)).buried_events
        assert [each.event for each in await uow.audit.of(step.id)] == ["event_buried"] * 2
    assert (shown.name, shown.error) == (EventName.INSIDE_STEP_DUE, "process_lost")
    await steps.carry_out(event)  # late: nothing is written after it was given to a person
    assert not shop.helpdesk.tickets["77"].comments


async def test_a_note_that_cannot_be_written_is_a_persons_work(shop: Shop) -> None:
    _, step, event = await noted(shop)
    await InsideSteps(shop.database, {}).carry_out(event)
    assert await step_of(shop, step) == (InsideStepStatus.FAILED, "there is no helpdesk for this step")
    assert "there is no helpdesk" in (await shop.needs_person(step.ticket_id) or "")


async def test_a_note_on_a_ticket_that_has_moved_on_is_nobodys_work(shop: Shop) -> None:
    steps, step, event = await noted(shop)
    async with shop.database.write("moved_on") as uow:
        await uow.session.execute(update(table_of(TicketRow)).values(revision=step.ticket_revision + 1))
    before = await shop.needs_person(step.ticket_id)
    await steps.give_up(event, "unavailable")
    assert (await step_of(shop, step))[0] is InsideStepStatus.FAILED
    assert await shop.needs_person(step.ticket_id) == before


async def test_a_ticket_without_a_way_back_keeps_its_refund_and_says_copy_by_hand(shop: Shop) -> None:
    requests = await shop.proposed(refund(), REPLY, source="chat")
    assert len(requests) == 1
    assert "by hand" in (await shop.needs_person(await ticket_of(shop)) or "")


async def test_a_reply_to_anybody_else_is_not_put_up(shop: Shop) -> None:
    assert await shop.proposed(REPLY.model_copy(update={"to": "eve@example.com"})) == ()
    assert await shop.needs_person(await ticket_of(shop))


async def test_a_refund_that_the_order_system_does_not_bear_out_is_not_put_up(shop: Shop) -> None:
    changes: tuple[dict[str, object], ...] = (
        {"amount": Money(minor=4_991, currency="EUR")},
        {"amount": Money(minor=4_990, currency="USD")},
        {"amount": Money(minor=0, currency="EUR")},
        {"amount": Money(minor=-1, currency="EUR")},
        {"order_id": "A-9"},
        {"order_version": "v9"},
        {"payment_ref": "pay-9"},
    )
    for minute, change in enumerate(changes):
        proposed = refund().model_copy(update=change)
        assert await shop.proposed(proposed, STATES, key=f"m-{minute}", minute=minute) == ()
        assert await shop.needs_person(await ticket_of(shop))


async def test_the_same_thing_proposed_twice_is_put_up_once(shop: Shop) -> None:
    assert len(await shop.proposed(refund(minor=1_000), refund(minor=2_000), REPLY, REPLY)) == 2


async def test_what_nobody_may_approve_goes_to_a_person_with_the_reply_that_states_it(shop: Shop) -> None:
    order = ORDER.model_copy(update={"total": Money(minor=100_001, currency="EUR")})
    assert await shop.proposed(refund(order), STATES, order=order) == ()
    assert "nobody" in (await shop.needs_person(await ticket_of(shop)) or "")


async def test_an_order_already_refunded_is_not_put_up_again(shop: Shop) -> None:
    execution = await shop.approved(refund())
    await shop.executions.carry_out(execution)
    assert await shop.proposed(refund(), key="m-1", minute=1) == ()


async def test_an_unverified_requester_gets_no_refund(shop: Shop) -> None:
    ticket = await shop.write()
    begun, _ = await shop.begin(ticket)
    unverified = begun.ticket.model_copy(update={"requester": ANNA.model_copy(update={"verified": False})})
    assert await shop.finish(type(begun)(begun.run_id, 1, resumed=False, ticket=unverified), refund()) == ()


async def test_a_helpdesk_ticket_that_somebody_wrote_on_is_not_answered(shop: Shop) -> None:
    execution = await shop.approved(REPLY, source="zendesk")
    ticket = shop.helpdesk.tickets["77"]
    assert ticket.last_foreign_comment_at is not None
    ticket.last_foreign_comment_at = ticket.last_foreign_comment_at.replace(year=2027)
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUPERSEDED
    assert ticket.comments == []


async def test_what_was_approved_for_test_does_not_leave_live(shop: Shop) -> None:
    execution = await shop.approved(REPLY)
    shop.mail.live = True
    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUPERSEDED
    assert shop.mail.sent == []


async def test_a_newer_run_supersedes_older_requests(shop: Shop) -> None:
    (first,) = await shop.proposed(REPLY)
    (second,) = await shop.proposed(REPLY, key="m-1", minute=1)
    assert (await shop.request(first)).status is RequestStatus.SUPERSEDED
    assert (await shop.request(second)).status is RequestStatus.PENDING
