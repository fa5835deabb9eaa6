"""A fuller draft is offered beside the short one and taken by a person alone – on both databases."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from approvals.authority import BUILT_IN, Rule
from approvals.canonical import CanonicalReply, Sealed, unseal
from approvals.fuller import TAKEN, FullerDraft, FullerDrafts, fuller_of
from approvals.ports import Person
from db.interaction_log import Stored
from db.read_models.activity import activity
from db.read_models.happenings import happenings
from db.read_models.model_use import model_use
from db.read_models.queue import queue_item
from db.read_models.tickets import tickets
from db.read_models.unanswered import unanswered
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import DecisionVerdict, ExecutionStatus, RequestStatus, Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, RequestId, WorkspaceId, new_id
from support_agents.domain.runs import OUT_OF_TIME, Outcome, Rechecked
from support_agents.domain.sections import ComplianceSection, Verdict
from tests.fixtures.approvals import REPLY, Shop, refund, set_column
from tests.fixtures.fuller import WHOLE, child_of, due, kept, parent_of, written_whole
from tests.fixtures.inbound import event, facts, message

STATES_IT = REPLY.model_copy(update={"after": "refund"})


async def cut(shop: Shop, *, states_refund: bool = False) -> tuple[RequestId, ...]:
    """Requests of a run whose draft the deadline cut; the reply is the last of them."""
    begun, _ = await shop.begin(await shop.write())
    actions = (refund(), STATES_IT) if states_refund else (REPLY,)
    return await shop.finish(begun, *actions, cut=OUT_OF_TIME)


async def offered(shop: Shop, request: RequestId) -> FullerDraft | None:
    async with shop.database.read() as uow:
        item = await queue_item(uow, request)
        assert item is not None
        return await fuller_of(uow, item)


async def take(shop: Shop, request: RequestId, person: Person) -> RequestId:
    digest = (await shop.request(request)).digest
    return await FullerDrafts(shop.queue).take(person, request, digest=digest)


async def refusal(shop: Shop, request: RequestId, person: Person) -> str:
    with pytest.raises(SupportError) as caught:
        await take(shop, request, person)
    return caught.value.code


def reply_of(canonical: bytes, digest: str) -> CanonicalReply:
    action = unseal(Sealed(canonical, digest))
    assert isinstance(action, CanonicalReply)
    return action


async def test_looking_changes_nothing_and_taking_makes_a_request_with_bytes_of_its_own(shop: Shop) -> None:
    (short,) = await cut(shop)
    assert await offered(shop, short) is None, "nothing is written yet"
    child = await written_whole(shop.database, short)
    before, ben = await shop.request(short), await shop.person("ben")
    found = await offered(shop, short)
    assert found is not None
    assert found.text == WHOLE
    drafts = FullerDrafts(shop.queue)
    assert await drafts.look(ben, short, digest=before.digest) == found
    assert await shop.request(short) == before, "what a person may be reading stays as it is"

    made = await take(shop, short, ben)
    after, new = await shop.request(short), await shop.request(made)
    assert (after.status, after.closed_reason, after.canonical) == (RequestStatus.SUPERSEDED, TAKEN, before.canonical)
    assert (new.status, new.run_id, new.supersedes_id) == (RequestStatus.PENDING, child.run_id, None)
    assert new.digest != before.digest
    action = reply_of(new.canonical, new.digest)
    assert (action.text, action.run, action.to) == (WHOLE, child.run_id, reply_of(before.canonical, before.digest).to)
    assert await offered(shop, made) is None, "a child makes no child"
    async with shop.database.read() as uow:
        (taken,) = [entry for entry in await uow.audit.of(made) if entry.event == "fuller_draft.taken"]
    assert taken.data == {"run": str(child.run_id), "in_place_of": str(short)}
    assert taken.actor == str(ben.operator_id)
    assert await shop.approve(made, ben) is not None


async def test_an_approval_stays_with_the_short_draft_and_is_worth_nothing_for_the_whole_one(shop: Shop) -> None:
    shop.authority = BUILT_IN.model_copy(update={"rules": (Rule(kind=ActionKind.SEND_REPLY, approvals=2),)})
    (short,) = await cut(shop)
    await written_whole(shop.database, short)
    ann, ben = await shop.person("ann"), await shop.person("ben")
    assert await shop.approve(short, ann) is None, "one of two"
    assert await offered(shop, short) is not None, "half approved is undecided"
    made = await take(shop, short, ben)
    async with shop.database.read() as uow:
        (old,) = await uow.approvals.decisions(short)
        assert (old.operator_id, old.verdict) == (ann.operator_id, DecisionVerdict.APPROVE)
        assert await uow.approvals.decisions(made) == ()
        assert await uow.executions.by_request(made) is None


async def test_a_decided_reply_is_left_alone(shop: Shop) -> None:
    (short,) = await cut(shop)
    await written_whole(shop.database, short)
    ben = await shop.person("ben")
    assert await shop.approve(short, ben) is not None
    assert await offered(shop, short) is None
    assert await refusal(shop, short, ben) == "already_decided"
    assert (await shop.request(short)).status is RequestStatus.APPROVED


async def moved_on(shop: Shop, _request: RequestId) -> None:
    await shop.write("m-9", minute=9, text="It has come.")


async def edited(shop: Shop, request: RequestId) -> None:
    checked = Rechecked(
        text="Dear Anna,\n\nmy own words.", sentences=(),
        compliance=ComplianceSection(verdict=Verdict.PASS, checks=(), facts_stated=0),
    )  # fmt: skip
    digest = (await shop.request(request)).digest
    await shop.queue.replace(request, digest=digest, rechecked=checked, person=await shop.person("eve"))


async def expired(shop: Shop, request: RequestId) -> None:
    async with shop.database.write("late") as uow:
        await set_column(uow, "approval_requests", "expires_at", datetime.now(UTC) - timedelta(days=1), request)


@pytest.mark.parametrize(("happens", "code"), [(moved_on, "stale"), (edited, "superseded"), (expired, "expired")])
async def test_what_has_happened_since_ends_the_offer(
    shop: Shop, happens: Callable[[Shop, RequestId], Awaitable[None]], code: str
) -> None:
    (short,) = await cut(shop)
    await written_whole(shop.database, short)
    ben = await shop.person("ben")
    await happens(shop, short)
    assert await refusal(shop, short, ben) == code
    assert await offered(shop, short) is None or happens is expired


async def test_a_check_of_attention_is_offered_nothing(shop: Shop) -> None:
    (short,) = await cut(shop)
    await written_whole(shop.database, short)
    async with shop.database.read() as uow:
        item = await queue_item(uow, short)
        assert item is not None
        planted = item.request.model_copy(update={"seeded_by": new_id()})
        assert await fuller_of(uow, item) is not None
        assert await fuller_of(uow, replace(item, request=planted)) is None


async def test_over_a_persons_own_words_nothing_is_offered(shop: Shop) -> None:
    (short,) = await cut(shop)
    await written_whole(shop.database, short)
    await edited(shop, short)
    async with shop.database.read() as uow:
        (own,) = await uow.approvals.open_on((await shop.request(short)).ticket_id)
    assert own.id != short
    assert await offered(shop, own.id) is None


@pytest.mark.parametrize("outcome", [Outcome.SHORTENED, Outcome.EXTRACTIVE, Outcome.OVERTAKEN, Outcome.HANDED_OFF])
async def test_only_a_draft_that_the_model_wrote_whole_is_offered(shop: Shop, outcome: Outcome) -> None:
    (short,) = await cut(shop)
    parent = await parent_of(shop.database, short)
    child = child_of(parent).model_copy(update={"outcome": outcome})
    assert await kept(shop.database, child, await due(shop.database, parent)) is Stored.OK
    assert await offered(shop, short) is None


async def test_the_same_words_again_are_no_offer(shop: Shop) -> None:
    (short,) = await cut(shop)
    await written_whole(shop.database, short, REPLY.text)
    assert await offered(shop, short) is None


async def test_a_refund_that_the_reply_speaks_of_stays_and_is_waited_for(shop: Shop) -> None:
    money, short = await cut(shop, states_refund=True)
    await written_whole(shop.database, short)
    before = await shop.request(money)
    new = await shop.request(await take(shop, short, await shop.person("ben")))
    assert new.after_action_id == before.action_id
    assert await shop.request(money) == before, "what was approved or not of the money stays as it was"


async def test_where_the_second_look_led_to_other_steps_nothing_is_offered(shop: Shop) -> None:
    _, short = await cut(shop, states_refund=True)
    parent = await parent_of(shop.database, short)
    child = child_of(parent, steps=(refund(minor=100),))
    assert await kept(shop.database, child, await due(shop.database, parent)) is Stored.OK
    assert await offered(shop, short) is None


async def test_of_two_who_take_it_at_once_one_does(shop: Shop) -> None:
    (short,) = await cut(shop)
    await written_whole(shop.database, short)
    people = await shop.person("ann"), await shop.person("ben")
    found = await asyncio.gather(*(take(shop, short, each) for each in people), return_exceptions=True)
    made = [each for each in found if not isinstance(each, BaseException)]
    (late,) = [each for each in found if isinstance(each, BaseException)]
    assert len(made) == 1
    assert isinstance(late, SupportError)
    assert late.code == "superseded"


async def test_who_may_not_decide_may_not_take_and_nobody_takes_another_workspaces(shop: Shop) -> None:
    (short,) = await cut(shop)
    await written_whole(shop.database, short)
    assert await refusal(shop, short, await shop.person("vic", Role.VIEWER)) == "not_allowed"
    ben = await shop.person("ben")
    stranger = replace(ben, workspace=WorkspaceId(new_id()))
    assert await refusal(shop, short, stranger) == "not_found"
    with pytest.raises(SupportError, match="not the version"):
        await FullerDrafts(shop.queue).take(ben, short, digest="0" * 64)
    digest = (await shop.request(short)).digest
    for person, seen in ((stranger, digest), (ben, "0" * 64)):
        with pytest.raises(SupportError):
            await FullerDrafts(shop.queue).look(person, short, digest=seen)


async def test_a_run_has_one_child_and_an_event_is_answered_once(shop: Shop) -> None:
    (short,) = await cut(shop)
    parent = await parent_of(shop.database, short)
    event = await due(shop.database, parent)
    child = child_of(parent)
    assert await kept(shop.database, child, event) is Stored.OK
    assert await kept(shop.database, child_of(parent), event) is Stored.LOST, "a paused worker comes second"
    with pytest.raises(IntegrityError):
        await kept(shop.database, child_of(parent), await due(shop.database, parent))
    with pytest.raises(SupportError, match="parent"):
        await kept(shop.database, parent, await due(shop.database, parent))
    async with shop.database.read() as uow:
        assert await uow.runs.child_of(parent.run_id) == child
        assert await uow.runs.child_of(child.run_id) is None
        (told,) = [entry for entry in await uow.audit.of(child.run_id) if entry.event == "run_finished"]
        assert told.data["parent_run"] == str(parent.run_id)
        assert told.data["record"] == await uow.runs.commitment(child.run_id)


async def test_a_child_of_a_ticket_that_moved_on_is_kept_as_overtaken_and_calls_for_nothing(shop: Shop) -> None:
    (short,) = await cut(shop)
    parent = await parent_of(shop.database, short)
    event = await due(shop.database, parent)
    await moved_on(shop, short)
    assert await kept(shop.database, child_of(parent), event) is Stored.OVERTAKEN
    async with shop.database.read() as uow:
        child = await uow.runs.child_of(parent.run_id)
        assert child is not None
        assert child.outcome is Outcome.OVERTAKEN
        assert await uow.outbox.is_waiting(event.id) is False


async def test_figures_count_what_people_waited_for_and_costs_count_everything(shop: Shop) -> None:
    (short,) = await cut(shop)
    await written_whole(shop.database, short)
    since = datetime.now(UTC) - timedelta(hours=1)
    async with shop.database.read() as uow:
        found = await activity(uow, DEFAULT_WORKSPACE, since=since)
        (line,) = (await tickets(uow, DEFAULT_WORKSPACE)).items
        (use,) = await model_use(uow, DEFAULT_WORKSPACE, since=since)
        assert await unanswered(uow, DEFAULT_WORKSPACE, since=since, limit=5) == ()
        assert (await happenings(uow, DEFAULT_WORKSPACE, after=0, limit=50)).runs == (), "nothing is sealed yet"
    assert found.outcomes == {Outcome.SHORTENED: 1}
    assert found.slowest_ms is not None
    assert found.slowest_ms < 1_000
    assert line.outcome is Outcome.SHORTENED
    assert use.cost_micro_usd == 7


async def test_i2_a_message_that_came_late_and_was_read_by_neither_draft_still_stops_the_reply(shop: Shop) -> None:
    """What the helpdesk sends out of its order raises no revision; the helpdesk is asked before the reply goes out."""
    ticket = await shop.write(source="zendesk")
    async with shop.database.write("sender") as uow:
        await set_column(uow, "tickets", "sender_revision", 9, ticket)
    begun, _ = await shop.begin(ticket)
    (short,) = await shop.finish(begun, REPLY, cut=OUT_OF_TIME)
    await written_whole(shop.database, short)
    late = message("No, please cancel it instead!", minute=5)
    told = event("late", ticket=facts("77", revision=8), said=late, minute=6).model_copy(update={"source": "zendesk"})
    await shop.store.receive(told, b"{}")
    shop.helpdesk.tickets["77"].last_foreign_comment_at = late.created_at

    made, before = await shop.request(await take(shop, short, await shop.person("ben"))), await shop.request(short)
    assert made.ticket_revision == before.ticket_revision
    read = [reply_of(each.canonical, each.digest).seen_until for each in (before, made)]
    assert read[0] == read[1]
    execution = await shop.approve(made.id, await shop.person("ada"))
    assert execution is not None
    await shop.executions.carry_out(execution)
    assert await shop.status(execution) is ExecutionStatus.SUPERSEDED
    assert not shop.helpdesk.tickets["77"].comments
