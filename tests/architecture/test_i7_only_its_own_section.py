"""I7: an agent sees only its own input and writes only its own section – by type, by import rule, by constraint."""

import ast
from collections.abc import Iterator
from dataclasses import is_dataclass
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import grimp
import pytest
from pydantic import BaseModel, ValidationError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from db.engine import Database
from db.interaction_log import InteractionLog
from db.repositories.subjects import IdentifierHash
from db.ticket_store import TicketStore
from support_agents.agents.intent import IntentGiven
from support_agents.agents.retrieval import RetrievalGiven
from support_agents.domain.errors import SupportError
from support_agents.domain.runs import RunRecord, Sections
from support_agents.domain.sections import (
    OWNERS,
    ComplianceGiven,
    ComplianceSection,
    DraftingGiven,
    DraftSection,
    IntentSection,
    PlanSection,
    RetrievalSection,
    Rung,
    ScreeningSection,
    Section,
    SectionName,
    Verdict,
    Writer,
)
from support_agents.domain.ticket import InboundMessage, Message, TicketSnapshot
from support_agents.state import PipelineState
from tests.fixtures.inbound import event
from tests.fixtures.records import record_of

ROOT = Path(__file__).parents[2]
AGENTS = ("intent", "retrieval", "drafting", "compliance", "interaction_log")
GIVEN = (IntentGiven, RetrievalGiven, DraftingGiven, ComplianceGiven)
SECTIONS: dict[SectionName, Section] = {
    SectionName.SCREENING: ScreeningSection(language="en", language_confidence=1, clean_text="x"),
    SectionName.INTENT: IntentSection(intents=(), asks=(), entities=(), model_version="1"),
    SectionName.RETRIEVAL: RetrievalSection(query="x", passages=(), floor=0.3, index_version="1"),
    SectionName.PLAN: PlanSection(),
    SectionName.DRAFT: DraftSection(rung=Rung.DRAFTED, sentences=(), text="x", model="m", prompt_version="1"),
    SectionName.COMPLIANCE: ComplianceSection(verdict=Verdict.PASS, checks=()),
}
# What would let an agent act, remember or call out by itself.
OUT_OF_REACH = frozenset(
    ("sqlalchemy", "aiosqlite", "sqlite3", "psycopg", "httpx", "socket", "ssl", "smtplib", "aiosmtplib", "subprocess")
) | frozenset(("openai", "anthropic", "onnxruntime", "qdrant_edge", "urllib", "http", "requests"))


def test_i7_every_section_has_one_owner_and_a_place_in_the_record() -> None:
    assert OWNERS.keys() == SECTIONS.keys() == set(SectionName)
    assert set(Sections.model_fields) == {name.value for name in SectionName}


@pytest.mark.parametrize(("name", "writer"), list(product(SectionName, Writer)))
def test_i7_only_the_owner_may_write_a_section(name: SectionName, writer: Writer) -> None:
    state = PipelineState()
    if writer is OWNERS[name]:
        state.put(SECTIONS[name], by=writer)
        assert getattr(state.sections(), name) == SECTIONS[name]
    else:
        with pytest.raises(SupportError) as refused:
            state.put(SECTIONS[name], by=writer)
        assert refused.value.code == "not_owner"
        assert getattr(state.sections(), name) is None


@pytest.mark.parametrize("name", SectionName)
def test_i7_a_section_is_written_once(name: SectionName) -> None:
    state = PipelineState()
    state.put(SECTIONS[name], by=OWNERS[name])
    with pytest.raises(SupportError) as refused:
        state.put(SECTIONS[name].model_copy(), by=OWNERS[name])
    assert refused.value.code == "already_written"


def test_i7_what_is_not_a_section_cannot_be_written() -> None:
    class Smuggled(PlanSection):
        """Looks like a plan."""

    for writer in Writer:
        with pytest.raises(SupportError) as refused:
            PipelineState().put(Smuggled(), by=writer)
        assert refused.value.code == "unknown_section"


@pytest.mark.parametrize("name", SectionName)
def test_i7_a_written_section_cannot_be_changed(name: SectionName) -> None:
    state = PipelineState()
    state.put(SECTIONS[name], by=OWNERS[name])
    seen = getattr(state.sections(), name)
    for field in type(seen).model_fields:
        with pytest.raises(ValidationError):
            setattr(seen, field, None)


@pytest.mark.parametrize("given", GIVEN)
def test_i7_what_an_agent_is_given_is_frozen_and_never_the_whole_ticket(given: type) -> None:
    frozen = given.model_config.get("frozen") if issubclass(given, BaseModel) else _is_frozen(given)
    assert frozen is True
    types = set(_types(given))
    assert not types & {TicketSnapshot, Message, InboundMessage, Sections, RunRecord, PipelineState}


def test_i7_who_writes_prose_never_sees_an_internal_passage_by_name() -> None:
    assert not [name for name in DraftingGiven.model_fields if "internal" in name or "email" in name]


def _is_frozen(given: type) -> bool:
    return bool(getattr(given, "__dataclass_params__").frozen)  # noqa: B009 - no other way to ask a dataclass


def _types(annotation: object, depth: int = 6) -> Iterator[object]:
    """All types that can be reached from a model's or dataclass's fields."""
    yield annotation
    has_fields = is_dataclass(annotation) or (isinstance(annotation, type) and issubclass(annotation, BaseModel))
    if depth and has_fields and get_origin(annotation) is None:
        for hint in get_type_hints(annotation).values():
            yield from _types(hint, depth - 1)
    for argument in get_args(annotation):
        yield from _types(argument, depth - 1)


def test_i7_only_the_pipeline_writes_the_state() -> None:
    """A run under way holds its state; nothing but the pipeline puts a section into it."""
    importers, writers = set(), set()
    for path in (ROOT / "support_agents").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "support_agents.state":
                importers.add(path.name)
            if isinstance(node, ast.Attribute) and ast.unparse(node).endswith("state.put"):
                writers.add(path.name)
    assert importers == {"stages.py"}
    assert writers == {"pipeline.py"}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Who imports whom, outside packages included."""
    packages = ("support_agents", "db", "approvals", "api")
    return grimp.build_graph(*packages, include_external_packages=True, cache_dir=None)


@pytest.mark.parametrize("agent", AGENTS)
def test_i7_an_agent_reaches_nothing_that_acts(graph: grimp.ImportGraph, agent: str) -> None:
    reached = graph.find_upstream_modules(f"support_agents.agents.{agent}")
    assert not {name for name in reached if name.split(".")[0] in OUT_OF_REACH}
    assert not {name for name in reached if name.split(".")[0] in {"db", "approvals", "api", "migrations"}}
    above = ("adapters", "pipeline", "runner", "attempt", "state", "planning", "edits", "testing")
    assert not {name for name in reached for room in above if name.startswith(f"support_agents.{room}")}


@pytest.mark.parametrize("agent", AGENTS)
def test_i7_an_agent_knows_no_other_agent(graph: grimp.ImportGraph, agent: str) -> None:
    reached = graph.find_upstream_modules(f"support_agents.agents.{agent}")
    assert not {name for other in AGENTS if other != agent for name in reached if name.endswith(f".agents.{other}")}


async def test_i7_the_database_refuses_a_second_row_for_a_section(database: Database) -> None:
    record = await _stored(database)
    copy = text(
        "INSERT INTO run_sections (run_id, workspace_id, section, writer, content)"
        " SELECT run_id, workspace_id, section, writer, content FROM run_sections WHERE section = 'plan'"
    )
    with pytest.raises(IntegrityError):
        async with database.write("attack") as uow:
            await uow.session.execute(copy)
    await _unchanged(database, record)


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE run_sections SET content = '{}' WHERE section = 'plan'",
        "UPDATE run_sections SET writer = 'drafting' WHERE section = 'plan'",
        "DELETE FROM run_sections",
    ],
)
async def test_i7_the_database_refuses_to_change_or_lose_a_section(database: Database, attack: str) -> None:
    record = await _stored(database)
    with pytest.raises(DBAPIError):
        async with database.write("attack") as uow:
            await uow.session.execute(text(attack))
    await _unchanged(database, record)


@pytest.mark.parametrize(("section", "writer"), [("sending", "intent"), ("intent", "customer")])
async def test_i7_the_database_knows_no_other_section_or_writer(database: Database, section: str, writer: str) -> None:
    record = await _stored(database)
    statement = text(
        "INSERT INTO run_sections (run_id, workspace_id, section, writer, content)"
        " SELECT id, workspace_id, :section, :writer, '{}' FROM runs"
    )
    with pytest.raises(DBAPIError):
        async with database.write("attack") as uow:
            await uow.session.execute(statement, {"section": section, "writer": writer})
    await _unchanged(database, record)


async def _stored(database: Database) -> RunRecord:
    store = TicketStore(database, IdentifierHash(b"key"))
    await store.receive(event(), b"{}")
    async with database.write("claim") as uow:
        (due,) = await uow.outbox.claim(limit=1, lease=timedelta(seconds=30))
    begun = await store.begin_run(due)
    assert begun is not None
    record = record_of(begun)
    async with database.write("card_ready") as uow:
        await InteractionLog().store(uow, record, attempt=1)
    async with database.read() as uow:
        return await uow.runs.load(record.run_id)


async def _unchanged(database: Database, record: RunRecord) -> None:
    async with database.read() as uow:
        assert await uow.runs.load(record.run_id) == record
