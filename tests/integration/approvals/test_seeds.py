"""Checks of attention: planted by a manager, decided like any reply, never carried out; the database sees to it."""

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError

from approvals.item_lines import flags_of
from approvals.ports import Person
from approvals.queue import CHECKED
from approvals.seed_cover import covered
from approvals.seeds import Seeds
from approvals.verdict_line import verdict_line
from approvals.wording import Tone
from db.base import Base
from db.interaction_log import InteractionLog, Stored
from db.read_models.approvers import approver_figures
from db.read_models.notices import tally
from db.read_models.queue import QueueItem, queue_item
from db.repositories.approvals import ApprovalRequest
from support_agents.domain.approval import RequestStatus, Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, RequestId, RunId, new_id
from support_agents.domain.money import Money
from support_agents.domain.runs import Outcome, Rechecked
from support_agents.domain.sections import Check, CheckResult, ComplianceSection, DraftSection, Rung, Sentence, Verdict
from tests.fixtures.approvals import ORDER, REPLY, Shop, record_of, refund, set_column
from tests.fixtures.inbound import ANNA

BAD = "Your neighbour Grace Whitfield has paid with the card ending in 4242."


def seeds(shop: Shop, *, allowed: bool = True) -> Seeds:
    return Seeds(shop.database, shop.queue.submission, allowed=allowed)


async def blocked(
    shop: Shop, key: str = "m-0", *, verdict: Verdict = Verdict.BLOCKED, source: str = "standard"
) -> RunId:
    """A finished run whose draft was blocked; nothing was put to people."""
    begun, _ = await shop.begin(await shop.write(key, source=source))
    plain = record_of(begun)
    check = Check(name="privacy", result=CheckResult.FAILED, reason="tells of another person")
    sections = plain.sections.model_copy(
        update={
            "draft": DraftSection(
                rung=Rung.EXTRACTIVE, sentences=(Sentence(text=BAD),), text=BAD, model="m", prompt_version="1"
            ),
            "compliance": ComplianceSection(verdict=verdict, checks=(check,)),
        }
    )
    record = plain.model_copy(update={"sections": sections})
    async with shop.database.write("card_ready") as uow:
        assert await InteractionLog().store(uow, record, attempt=begun.attempt) is Stored.OK
    return record.run_id


async def planted(shop: Shop) -> RequestId:
    return await seeds(shop).plant(await shop.person("mia", Role.MANAGER), await blocked(shop))


async def status(shop: Shop, request: RequestId) -> RequestStatus:
    return (await shop.request(request)).status


async def test_while_it_waits_a_seed_looks_like_any_other_and_then_tells(shop: Shop) -> None:
    request, ben = await planted(shop), await shop.person("ben")

    async def item() -> QueueItem:
        async with shop.database.read() as uow:
            found = await queue_item(uow, request)
        assert found is not None
        return found

    seen = covered(await item())
    line = verdict_line(seen.run.sections.compliance)
    assert (line.tone, line.problems) == (Tone.GOOD, ())
    assert seen.run.outcome is Outcome.EXTRACTIVE
    assert flags_of(seen) == ()
    assert seen.run.sections.draft is not None
    assert seen.run.sections.draft.text == BAD
    await shop.reject(request, ben)
    told = verdict_line(covered(await item()).run.sections.compliance)
    assert (told.tone, told.problems) == (Tone.BAD, ("privacy: tells of another person",))


async def test_a_seed_that_is_approved_goes_nowhere_and_is_counted_as_missed(shop: Shop) -> None:
    request = await planted(shop)
    found = await shop.request(request)
    assert BAD.encode() in found.canonical
    before = await shop.needs_person(found.ticket_id)
    assert await shop.approve(request, await shop.person("ben")) is None
    assert await status(shop, request) is RequestStatus.SUPERSEDED
    assert (await shop.request(request)).closed_reason == CHECKED
    assert await shop.needs_person(found.ticket_id) == before
    async with shop.database.read() as uow:
        assert await uow.executions.by_request(request) is None
        figures = await approver_figures(uow, DEFAULT_WORKSPACE, since=found.created_at)
        events = [entry.event for entry in await uow.audit.of(request)]
        hour = await tally(uow, DEFAULT_WORKSPACE, since=found.created_at)
    assert (figures.seeded.caught, figures.seeded.missed, figures.seeded.open) == (0, 1, 0)
    assert hour.missed == 1
    assert {"request.submitted", "seed.planted", "seed.missed", "decision.approve"} <= set(events)


async def test_a_seed_that_is_rejected_is_caught_and_the_ticket_stays_as_it_was(shop: Shop) -> None:
    request = await planted(shop)
    found = await shop.request(request)
    await shop.reject(request, await shop.person("ben"))
    assert await status(shop, request) is RequestStatus.REJECTED
    assert "no" not in (await shop.needs_person(found.ticket_id) or "").split()
    async with shop.database.read() as uow:
        figures = await approver_figures(uow, DEFAULT_WORKSPACE, since=found.created_at)
        hour = await tally(uow, DEFAULT_WORKSPACE, since=found.created_at)
    assert (figures.seeded.caught, figures.seeded.missed) == (1, 0)
    assert hour.missed == 0
    assert figures.replies_decided == 0


async def test_the_database_refuses_to_carry_out_a_seed_whatever_its_rows_say(shop: Shop) -> None:
    request = await planted(shop)
    ben = await shop.person("ben")
    found = await shop.request(request)
    with pytest.raises(DBAPIError, match="a seeded check is never carried out"):
        await carry_out_by_force(shop, found, ben)


async def carry_out_by_force(shop: Shop, found: ApprovalRequest, ben: Person) -> None:
    """Write a decision and an execution as an attacker with the application's own connection would."""
    tables, decision = Base.metadata.tables, new_id()
    async with shop.database.write("attack") as uow:
        await uow.session.execute(
            insert(tables["decisions"]).values(
                id=decision, workspace_id=DEFAULT_WORKSPACE, request_id=found.id, digest=found.digest,
                operator_id=ben.operator_id, session_id=ben.session_id, role=ben.role, verdict="approve", reason="",
            )
        )  # fmt: skip
        await set_column(uow, "approval_requests", "status", RequestStatus.APPROVED, found.id)
        await uow.session.execute(
            insert(tables["executions"]).values(
                id=new_id(), workspace_id=DEFAULT_WORKSPACE, request_id=found.id, decision_id=decision,
                digest=found.digest, verdict="approve", action_id=found.action_id, ticket_id=found.ticket_id,
                kind=found.kind, way=found.way, status="scheduled", not_before=await uow.now(),
            )
        )  # fmt: skip


@pytest.mark.parametrize(
    "column", ["seeded_by", "authority_version", "authority_rule", "customer_tier", "undo_seconds"]
)
async def test_nothing_that_a_request_was_put_under_can_be_changed(shop: Shop, column: str) -> None:
    request = await planted(shop)
    value: object = {"seeded_by": None, "undo_seconds": 0}.get(column, "other")
    with pytest.raises(DBAPIError, match="never changes"):
        async with shop.database.write("attack") as uow:
            await set_column(uow, "approval_requests", column, value, request)


async def test_an_edit_of_a_seed_is_a_seed(shop: Shop) -> None:
    request = await planted(shop)
    ben = await shop.person("ben")
    passed = ComplianceSection(verdict=Verdict.PASS, checks=())
    sentences = (Sentence(text="Your parcel left on Monday."),)
    rechecked = Rechecked(text=sentences[0].text, sentences=sentences, compliance=passed)
    digest = (await shop.request(request)).digest
    edited = await shop.queue.replace(request, digest=digest, rechecked=rechecked, person=ben)
    assert (await shop.request(edited)).seeded_by == (await shop.request(request)).seeded_by
    assert await shop.approve(edited, ben) is None
    async with shop.database.read() as uow:
        assert await uow.executions.by_request(edited) is None


async def test_whoever_planted_it_does_not_decide_it(shop: Shop) -> None:
    mia = await shop.person("mia", Role.MANAGER)
    request = await seeds(shop).plant(mia, await blocked(shop))
    with pytest.raises(SupportError, match="yourself"):
        await shop.approve(request, mia)


async def test_planting_is_opt_in_a_managers_and_of_blocked_drafts_only(shop: Shop) -> None:
    run = await blocked(shop)
    mia, ben = await shop.person("mia", Role.MANAGER), await shop.person("ben")
    assert [record.run_id for record in await seeds(shop).candidates(DEFAULT_WORKSPACE)] == [run]
    assert await seeds(shop, allowed=False).candidates(DEFAULT_WORKSPACE) == ()
    sound = await blocked(shop, "m-9", verdict=Verdict.PASS, source="zendesk")
    for who, given, allowed in ((mia, run, False), (ben, run, True), (mia, sound, True), (mia, RunId(new_id()), True)):
        with pytest.raises(SupportError):
            await seeds(shop, allowed=allowed).plant(who, given)
    await seeds(shop).plant(mia, run)
    with pytest.raises(SupportError, match="being decided"):
        await seeds(shop).plant(mia, run)
    assert await seeds(shop).candidates(DEFAULT_WORKSPACE) == ()


async def test_a_customers_next_message_ends_a_seed_unjudged(shop: Shop) -> None:
    request = await planted(shop)
    await shop.proposed(REPLY, key="m-1", minute=1)
    assert await status(shop, request) is RequestStatus.SUPERSEDED
    async with shop.database.read() as uow:
        figures = await approver_figures(uow, DEFAULT_WORKSPACE, since=(await shop.request(request)).created_at)
    assert (figures.seeded.caught, figures.seeded.missed) == (0, 0)


async def test_whose_refunds_one_person_approves_with_whom(shop: Shop) -> None:
    ben, mia = await shop.person("ben"), await shop.person("mia", Role.MANAGER)
    orders = [
        ORDER.model_copy(update={"order_id": f"B-{n}", "total": Money(minor=20_000, currency="EUR")}) for n in range(2)
    ]
    shop.orders.orders = {ANNA.email: tuple(orders)}
    made = []
    for source, order in zip(("standard", "zendesk"), orders, strict=True):
        (request,) = await shop.proposed(refund(order), source=source, order=order)
        made.append(request)
        assert await shop.approve(request, ben) is None
        assert await shop.approve(request, mia) is not None
    async with shop.database.read() as uow:
        figures = await approver_figures(uow, DEFAULT_WORKSPACE, since=(await shop.request(made[0])).created_at)
        later = await approver_figures(uow, DEFAULT_WORKSPACE, since=await uow.now())
    assert figures.refunds_approved == 2
    assert [(pair.together, pair.of, pair.share) for pair in figures.with_approvers] == [(2, 2, 1.0)] * 2
    assert {(pair.operator, pair.other) for pair in figures.with_approvers} == {
        (ben.operator_id, mia.operator_id), (mia.operator_id, ben.operator_id),
    }  # fmt: skip
    assert [(pair.together, pair.of) for pair in figures.with_customers] == [(2, 2)] * 2
    assert (later.refunds_approved, later.with_customers) == (0, ())


async def test_edits_are_counted_once_and_from_the_first_proposal(shop: Shop) -> None:
    ben = await shop.person("ben")
    first, second = await shop.proposed(REPLY), await shop.proposed(REPLY, source="zendesk")
    since = (await shop.request(first[0])).created_at
    sentences = (Sentence(text="Your parcel left on Tuesday."),)
    rechecked = Rechecked(
        text=sentences[0].text, sentences=sentences, compliance=ComplianceSection(verdict=Verdict.PASS, checks=())
    )
    digest = (await shop.request(first[0])).digest
    edited = await shop.queue.replace(first[0], digest=digest, rechecked=rechecked, person=ben)
    await shop.approve(edited, ben)
    await shop.approve(second[0], ben)
    async with shop.database.read() as uow:
        figures = await approver_figures(uow, DEFAULT_WORKSPACE, since=since)
    assert (figures.replies_decided, figures.replies_edited) == (2, 1)
