"""What pages show, on both databases."""

from datetime import timedelta
from uuid import UUID

import pytest

from db.read_models.activity import activity
from db.read_models.pages import Place
from db.read_models.queue import queue, queue_item
from db.read_models.ticket_timeline import ticket_timeline
from db.read_models.tickets import tickets
from support_agents.domain.approval import ExecutionStatus, RequestStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, RequestId, TicketId, new_id
from support_agents.domain.runs import Outcome
from support_agents.domain.ticket import EventKind
from tests.fixtures.approvals import REPLY, Shop, refund
from tests.fixtures.inbound import START, event, facts


async def test_the_queue_shows_all_that_a_card_needs(shop: Shop) -> None:
    reply, money = await shop.proposed(REPLY, refund())
    async with shop.database.read() as uow:
        page = await queue(uow, DEFAULT_WORKSPACE)

    assert [item.request.id for item in page.items] == [reply, money]
    assert page.next is None
    first = page.items[0]
    assert first.customer_message is not None
    assert first.customer_message.text == "Where is my order?"
    assert (first.ticket.revision, first.superseded, first.answers, first.execution) == (1, False, (), None)
    assert first.run.run_id == first.request.run_id
    assert first.run.sections.plan is not None


async def test_the_queue_turns_pages_without_loss(shop: Shop) -> None:
    asked = await shop.proposed(REPLY, refund())
    seen: list[RequestId] = []
    cursor = None
    for _ in range(3):
        async with shop.database.read() as uow:
            page = await queue(uow, DEFAULT_WORKSPACE, limit=1, cursor=cursor)
        seen += [item.request.id for item in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert seen == list(asked)


async def test_a_decided_request_shows_who_answered_and_what_follows(shop: Shop) -> None:
    (request,) = await shop.proposed(REPLY)
    await shop.approve(request, await shop.person("ben"))
    async with shop.database.read() as uow:
        assert (await queue(uow, DEFAULT_WORKSPACE)).items == ()
        (item,) = (await queue(uow, DEFAULT_WORKSPACE, status=RequestStatus.APPROVED)).items
        assert await queue_item(uow, request) == item
        assert await queue_item(uow, RequestId(new_id())) is None

    assert [(answer.name, answer.email) for answer in item.answers] == [("ben", "ben@shop.example")]
    assert item.execution is not None
    assert item.execution.status is ExecutionStatus.SCHEDULED


async def test_a_request_is_seen_to_be_superseded_at_once(shop: Shop) -> None:
    (request,) = await shop.proposed(REPLY)
    await shop.write("m-1", minute=1)
    async with shop.database.read() as uow:
        item = await queue_item(uow, request)
    assert item is not None
    assert item.superseded


async def test_the_timeline_holds_everything_of_a_ticket(shop: Shop) -> None:
    (request,) = await shop.proposed(REPLY)
    execution = await shop.approve(request, await shop.person("ben"))
    ticket = (await shop.request(request)).ticket_id
    ended = facts().model_copy(update={"external_id": "77"})
    await shop.store.receive(event("end", EventKind.TICKET_SOLVED, ticket=ended, minute=5), b"{}")
    async with shop.database.read() as uow:
        timeline = await ticket_timeline(uow, ticket)

    assert [stored.message.text for stored in timeline.messages] == ["Where is my order?"]
    assert [(each.kind, each.received_at) for each in timeline.events] == [
        (EventKind.TICKET_SOLVED, START + timedelta(minutes=5))
    ]
    assert [run.ticket_id for run in timeline.runs] == [ticket]
    assert [each.id for each in timeline.requests] == [request]
    assert [answer.name for answer in timeline.answers[request]] == ["ben"]
    assert [each.id for each in timeline.executions] == [execution]
    assert (timeline.open_run, timeline.attempts, timeline.inside_steps) == (None, (), ())


async def test_an_unknown_ticket_has_no_timeline(shop: Shop) -> None:
    async with shop.database.read() as uow:
        with pytest.raises(SupportError, match="no ticket"):
            await ticket_timeline(uow, TicketId(new_id()))


async def test_tickets_are_listed_newest_first_page_by_page(shop: Shop) -> None:
    for number in range(5):
        await shop.store.receive(event(f"k{number}", ticket=facts(f"T-{number}"), minute=number), b"{}")
    seen: list[str] = []
    cursor = None
    while True:
        async with shop.database.read() as uow:
            page = await tickets(uow, DEFAULT_WORKSPACE, limit=2, cursor=cursor)
        seen += [line.ticket.external_id for line in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert seen == ["T-4", "T-3", "T-2", "T-1", "T-0"]


async def test_activity_counts_and_shows_what_is_stuck(shop: Shop) -> None:
    (request,) = await shop.proposed(REPLY)
    ticket = (await shop.request(request)).ticket_id
    await shop.store.bury(
        workspace=DEFAULT_WORKSPACE, source="standard", raw=b"{", reason="not_json", received_at=START
    )
    async with shop.database.write("stick") as uow:
        (due, *_) = await uow.outbox.claim(limit=5, lease=timedelta(0)) or (None,)
        if due is not None:
            await uow.outbox.bury(due.id, "timeout")
        await uow.tickets.needs_person(ticket, "expired")
        since = await uow.now() - timedelta(hours=1)
    async with shop.database.read() as uow:
        seen = await activity(uow, DEFAULT_WORKSPACE, since=since)
        later = await activity(uow, DEFAULT_WORKSPACE, since=since + timedelta(hours=2))

    assert sum(seen.outcomes.values()) == 1
    assert set(seen.outcomes) <= set(Outcome)
    assert seen.requests == {RequestStatus.PENDING: 1}
    assert [each.reason for each in seen.buried_inbox] == ["not_json"]
    assert [each.error for each in seen.buried_events] == (["timeout"] if due is not None else [])
    assert [line.ticket.needs_person_reason for line in seen.needs_person] == ["expired"]
    assert (later.outcomes, later.slowest_ms) == ({}, None)


async def test_what_is_stuck_is_counted_past_what_is_shown(shop: Shop) -> None:
    for number in range(60):
        await shop.store.bury(
            workspace=DEFAULT_WORKSPACE, source="standard", raw=b"%d" % number, reason="not_json", received_at=START
        )
    async with shop.database.read() as uow:
        seen = await activity(uow, DEFAULT_WORKSPACE, since=await uow.now())
    assert len(seen.buried_inbox) == 50
    assert (seen.stuck.buried, seen.stuck.in_doubt) == (60, 0)


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", Place(START, UUID(int=7)).cursor[:-4], "MjAyNi0xMS0wMnww"])
async def test_a_cursor_that_is_none_of_ours_is_refused(shop: Shop, cursor: str) -> None:
    async with shop.database.read() as uow:
        with pytest.raises(SupportError, match="cursor"):
            await tickets(uow, DEFAULT_WORKSPACE, cursor=cursor)
