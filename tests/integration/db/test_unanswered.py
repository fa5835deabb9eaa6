"""Runs after which people had to find the words, from the record of both databases to a masked question."""

from datetime import timedelta

import pytest

from api.cli.knowledge_gaps import question_of
from db.interaction_log import InteractionLog, Stored
from db.read_models.unanswered import Unanswered, unanswered
from db.uow import UnitOfWork
from support_agents.domain.action import SendReply
from support_agents.domain.ids import DEFAULT_WORKSPACE, RequestId, WorkspaceId, new_id
from support_agents.domain.intent import Ask, IntentScore
from support_agents.domain.knowledge import RetrievedPassage
from support_agents.domain.runs import Outcome, Rechecked, Sections
from support_agents.domain.sections import (
    ComplianceSection,
    IntentSection,
    RetrievalSection,
    ScreeningSection,
    Sentence,
    Verdict,
)
from support_agents.knowledge.gaps import Why
from tests.fixtures.approvals import REPLY, Shop, record_of
from tests.fixtures.drafting import passage

ASKED = "Anna here, do you engrave knives? Write to anna.private@example.net"
UNKNOWN = IntentScore(name="unknown", probability=0.9)
ASK = Ask(text="do you engrave knives?", start=11, end=33, intent=UNKNOWN)
FOUND = passage("Knives are sharpened on Sundays.")


def sections(*found: RetrievedPassage, asks: tuple[Ask, ...] = (ASK,)) -> Sections:
    return Sections(
        screening=ScreeningSection(language="en", language_confidence=1, clean_text=ASKED),
        intent=IntentSection(intents=(UNKNOWN,), asks=asks, entities=(), model_version="m"),
        retrieval=RetrievalSection(query=ASKED, passages=found, floor=0.4, index_version="i"),
    )


async def ran(shop: Shop, key: str, outcome: Outcome, seen: Sections, *actions: SendReply) -> tuple[RequestId, ...]:
    begun, _ = await shop.begin(await shop.write(key, source=key))
    made = record_of(begun, *actions)
    merged = made.sections.model_copy(
        update={name: getattr(seen, name) for name in ("screening", "intent", "retrieval")}
    )
    record = made.model_copy(update={"outcome": outcome, "sections": merged})
    async with shop.database.write("card_ready") as uow:
        assert await InteractionLog().store(uow, record, attempt=begun.attempt) is Stored.OK
        return await shop.queue.submit(uow, record, begun.ticket)


async def edit(shop: Shop, request: RequestId, text: str, by: str = "ben") -> RequestId:
    rechecked = Rechecked(
        text=text, sentences=(Sentence(text=text),), compliance=ComplianceSection(verdict=Verdict.PASS, checks=())
    )
    digest = (await shop.request(request)).digest
    return await shop.queue.replace(request, digest=digest, rechecked=rechecked, person=await shop.person(by))


async def read(uow: UnitOfWork, workspace: WorkspaceId = DEFAULT_WORKSPACE, days: int = 1) -> tuple[Unanswered, ...]:
    return await unanswered(uow, workspace, since=await uow.now() - timedelta(days=days), limit=50)


@pytest.mark.parametrize("outcome", [Outcome.HANDED_OFF, Outcome.EVIDENCE])
async def test_a_message_for_which_nothing_was_found_is_a_masked_question(shop: Shop, outcome: Outcome) -> None:
    await ran(shop, "standard", outcome, sections())
    async with shop.database.read() as uow:
        (one,) = await read(uow)
    question = question_of(one)
    assert question is not None
    assert (question.why, question.ask) == (Why.NOTHING_FOUND, "do you engrave knives?")
    assert question.text == "[NAME] here, do you engrave knives? Write to [EMAIL]"


async def test_found_evidence_overtaken_runs_thanks_and_other_workspaces_are_no_gap(shop: Shop) -> None:
    await ran(shop, "standard", Outcome.EVIDENCE, sections(FOUND))
    await ran(shop, "zendesk", Outcome.HANDED_OFF, sections(asks=()))
    async with shop.database.read() as uow:
        assert [question_of(one) for one in await read(uow)] == [None, None]
        assert await read(uow, WorkspaceId(new_id())) == ()


@pytest.mark.parametrize(
    ("left", "why"),
    [
        ("Dear Anna,\n\nyour parcel left on Tuesday.", None),
        ("Sorry: knives can be engraved in our store in Ghent only.", Why.REWRITTEN),
    ],
)
async def test_a_draft_counts_once_people_wrote_it_anew(shop: Shop, left: str, why: Why | None) -> None:
    (request,) = await ran(shop, "standard", Outcome.MACRO, sections(FOUND), REPLY)
    async with shop.database.read() as uow:
        assert await read(uow) == ()
    first = await edit(shop, request, "Dear Anna,\n\nyour parcel left on Monday, I think.")
    await edit(shop, first, left, by="mia")
    async with shop.database.read() as uow:
        (one,) = await read(uow)
    question = question_of(one)
    assert (question.why if question else None) is why
