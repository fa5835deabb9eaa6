"""Runs and their sections: opened once per ticket, finished once, read back whole."""

import hashlib
import json
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import JSON, Row, TextClause, bindparam, insert, select, text, update
from sqlalchemy.dialects.postgresql import JSONB

from db.base import constant, database_now, storable, table_of
from db.made import made
from db.models.runs import RunRow, RunSectionRow
from db.statements import Statements
from support_agents.domain.action import ProposedAction
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import OutboxId, RunId, TicketId, WorkspaceId
from support_agents.domain.runs import Outcome, OutlierMark, RunRecord, Sections, StageTiming
from support_agents.domain.sections import OWNERS, SectionName

RUNS = table_of(RunRow)
SECTIONS = table_of(RunSectionRow)
ACTIONS = TypeAdapter(tuple[ProposedAction, ...])
_TIMINGS = TypeAdapter(tuple[StageTiming, ...])
OPEN = RUNS.c.status == constant("open")
OPEN_OF = made(
    select(
        RUNS.c.id, RUNS.c.workspace_id, RUNS.c.ticket_id, RUNS.c.ticket_revision, RUNS.c.event_id, RUNS.c.attempt
    ).where(RUNS.c.ticket_id == bindparam("ticket"), OPEN)
)
_BEGIN = made(insert(RUNS).values(begun_at=database_now()))
_CLOSING = (
    *("outcome", "ticket_revision", "reason", "actions", "timings", "model_calls", "versions"),
    *("finished_at", "total_ms", "late", "salt"),
)
# Nothing is no value at all, not a JSON null.
_OR_NULL = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
_FINISH = made(
    update(RUNS)
    .where(RUNS.c.id == bindparam("wanted"), OPEN, RUNS.c.attempt == bindparam("held"))
    .values(
        {"status": "finished", "outlier": bindparam("new_outlier", type_=_OR_NULL)}
        | {name: bindparam(f"new_{name}") for name in _CLOSING}
    )
    .returning(RUNS.c.event_id)
)
_COMMITTED_ROW = select(RUNS.c.salt, RUNS.c.ticket_revision, RUNS.c.outcome, RUNS.c.reason, RUNS.c.actions).where(
    RUNS.c.id == bindparam("run")
)
_COMMITTED_SECTIONS = select(SECTIONS.c.section, SECTIONS.c.content).where(SECTIONS.c.run_id == bindparam("run"))


@dataclass(frozen=True)
class OpenRun:
    """A run that has not finished: which attempt holds it, and which event it answers."""

    id: RunId
    workspace: WorkspaceId
    ticket_id: TicketId
    ticket_revision: int
    event: OutboxId
    attempt: int


class Runs:
    """At most one open run per ticket; every change of one is conditional on its attempt."""

    def __init__(self, session: Statements) -> None:
        self._session = session
        self._written: dict[RunId, str] = {}

    async def open_of(self, ticket: TicketId) -> OpenRun | None:
        """The ticket's open run."""
        row = (await self._session.execute(OPEN_OF, {"ticket": ticket})).first()
        return None if row is None else OpenRun(*row)

    async def begin(self, run: OpenRun, *, received_at: datetime) -> None:
        """Insert an open run."""
        await self._session.later(
            _BEGIN,
            {
                "id": run.id,
                "workspace_id": run.workspace,
                "ticket_id": run.ticket_id,
                "ticket_revision": run.ticket_revision,
                "event_id": run.event,
                "attempt": run.attempt,
                "received_at": received_at,
            },
        )

    async def resume(self, run: OpenRun, *, received_at: datetime) -> bool:
        """Save a next attempt on an open run; False when another claimer was first."""
        statement = (
            update(RUNS)
            .where(RUNS.c.id == run.id, OPEN, RUNS.c.attempt == run.attempt - 1)
            .values(
                attempt=run.attempt,
                ticket_revision=run.ticket_revision,
                event_id=run.event,
                received_at=received_at,
                late=True,
            )
            .returning(RUNS.c.id)
        )
        return (await self._session.execute(statement)).first() is not None

    async def finish(self, record: RunRecord, *, attempt: int, outcome: Outcome) -> OutboxId | None:
        """Close the run with its record and return the event that it answered; None when this attempt lost it."""
        closing = _closing_of(record, outcome)
        outlier = record.outlier.model_dump(mode="json") if record.outlier else None
        given = {f"new_{name}": value for name, value in (closing | {"outlier": outlier}).items()}
        found = await self._session.execute(_FINISH, {"wanted": record.run_id, "held": attempt, **given})
        event: OutboxId | None = found.scalar_one_or_none()
        if event is not None:
            sections = await self._add_sections(record)
            row = (closing["salt"], record.ticket_revision, outcome, storable(record.reason), closing["actions"])
            self._written[record.run_id] = _commitment(row, sections)
        return event

    async def add_child(self, record: RunRecord, *, event: OutboxId, attempt: int) -> None:
        """Insert a finished run that nobody could see while it went on: it never was the ticket's open one.

        A parent has one child at most; a second is refused by the database.
        """
        row = _closing_of(record, record.outcome) | {
            "id": record.run_id,
            "workspace_id": record.workspace,
            "ticket_id": record.ticket_id,
            "parent_run_id": record.parent_run_id,
            "event_id": event,
            "attempt": attempt,
            "status": "finished",
            "received_at": record.received_at,
            "begun_at": record.received_at,
        }
        await self._session.execute(insert(RUNS), row)
        await self._add_sections(record)

    async def child_of(self, run: RunId) -> RunRecord | None:
        """The run that wrote whole what this one's deadline cut, if there is one."""
        child = (await self._session.execute(select(RUNS.c.id).where(RUNS.c.parent_run_id == run))).scalar_one_or_none()
        return None if child is None else await self.load(child)

    async def abandon(self, ticket: TicketId, *, reason: str) -> RunId | None:
        """Close the ticket's open run as handed off; None when it has none."""
        statement = (
            update(RUNS)
            .where(RUNS.c.ticket_id == ticket, OPEN)
            .values(status="finished", outcome=Outcome.HANDED_OFF, reason=reason, finished_at=RUNS.c.begun_at)
            .returning(RUNS.c.id)
        )
        run: RunId | None = (await self._session.execute(statement)).scalar_one_or_none()
        return run

    async def load(self, run: RunId) -> RunRecord:
        """Read a finished run's record; `not_found` when there is none."""
        records = await self.records([run])
        if not records:
            raise SupportError("not_found", f"no finished run {run}")
        return records[0]

    async def records(self, runs: Collection[RunId]) -> tuple[RunRecord, ...]:
        """The records of those that have finished, oldest first."""
        query = select(RUNS).where(RUNS.c.id.in_(runs), RUNS.c.status == "finished").order_by(RUNS.c.id)
        rows = (await self._session.execute(query)).all()
        sections = await self._sections([row.id for row in rows])
        return tuple(_record(row, sections.get(row.id, Sections())) for row in rows)

    async def of(self, ticket: TicketId, *, limit: int) -> tuple[RunRecord, ...]:
        """A ticket's newest finished runs, oldest first."""
        query = select(RUNS.c.id).where(RUNS.c.ticket_id == ticket).order_by(RUNS.c.id.desc()).limit(limit)
        return await self.records((await self._session.execute(query)).scalars().all())

    async def sections(self, run: RunId) -> Sections:
        """A run's sections."""
        return (await self._sections([run])).get(run, Sections())

    async def _sections(self, runs: Collection[RunId]) -> dict[RunId, Sections]:
        columns = SECTIONS.c.run_id, SECTIONS.c.section, SECTIONS.c.content
        written: dict[RunId, list[str]] = {}
        for run, name, content in await self._session.execute(select(*columns).where(SECTIONS.c.run_id.in_(runs))):
            written.setdefault(run, []).append(f'"{SectionName(name)}":{content}')
        return {run: Sections.model_validate_json(f"{{{','.join(parts)}}}") for run, parts in written.items()}

    async def outliers(self, workspace: WorkspaceId, *, limit: int) -> tuple[OutlierMark, ...]:
        """The numbers of the newest finished runs that have any."""
        mine = (RUNS.c.workspace_id == workspace, RUNS.c.status == "finished", RUNS.c.outlier.is_not(None))
        query = select(RUNS.c.outlier).where(*mine).order_by(RUNS.c.finished_at.desc()).limit(limit)
        return tuple(OutlierMark.model_validate(mark) for mark in (await self._session.execute(query)).scalars())

    async def commitment(self, run: RunId) -> str:
        """What the audit keeps of a finished run's record: binds to it, and tells nothing once its salt is erased.

        In the unit of work that has finished the run, it is of what was written; in any other, of what is read.
        """
        if run in self._written:
            return self._written[run]
        row = (await self._session.execute(_COMMITTED_ROW, {"run": run})).first()
        sections = await self._session.execute(_COMMITTED_SECTIONS, {"run": run})
        return _commitment(row or (), [(name, content) for name, content in sections])

    async def _add_sections(self, record: RunRecord) -> list[tuple[str, str]]:
        """Insert them by one statement; return each one's name and text as they are stored."""
        found = ((name, getattr(record.sections, name)) for name in SectionName)
        written = [(name, storable(section.model_dump_json())) for name, section in found if section is not None]
        given: dict[str, object] = {"run": record.run_id, "workspace": record.workspace}
        for at, (name, content) in enumerate(written):
            given |= {f"section_{at}": name, f"writer_{at}": OWNERS[name], f"content_{at}": content}
        if written:
            await self._session.later(_adding(len(written)), given)
        return [(str(name), content) for name, content in written]


@cache
def _adding(sections: int) -> TextClause:
    """An INSERT of so many.

    It is written out: SQLAlchemy would make one of many rows anew for every run, and texts of this size in arrays
    (`db.many`) are taken apart letter by letter on their way to PostgreSQL.
    """
    names = ("section", "writer", "content")
    rows = [", ".join((":run", ":workspace", *(f":{name}_{at}" for name in names))) for at in range(sections)]
    types = {f"{name}_{at}": SECTIONS.c[name].type for name in names for at in range(sections)}
    types |= {"run": SECTIONS.c.run_id.type, "workspace": SECTIONS.c.workspace_id.type}
    statement = f"INSERT INTO run_sections (run_id, workspace_id, {', '.join(names)}) VALUES ({'), ('.join(rows)})"  # noqa: S608 - numbers only
    return made(text(statement).bindparams(*(bindparam(name, type_=kind) for name, kind in types.items())))


def _closing_of(record: RunRecord, outcome: Outcome) -> dict[str, Any]:
    """What closing a run writes into its row; an outlier's numbers come on top."""
    return {
        "outcome": outcome,
        "ticket_revision": record.ticket_revision,
        "reason": record.reason,
        "actions": storable(ACTIONS.dump_json(record.actions).decode()),
        "timings": _TIMINGS.dump_python(record.timings, mode="json"),
        "model_calls": [call.model_dump(mode="json") for call in record.model_calls],
        "versions": dict(record.versions),
        "finished_at": record.finished_at,
        "total_ms": (record.finished_at - record.received_at).total_seconds() * 1000,
        "late": record.late,
        "salt": secrets.token_hex(16),
    }


def _commitment(row: Sequence[Any], sections: Sequence[tuple[str, str]]) -> str:
    return hashlib.sha256(json.dumps([*row, sorted(sections)]).encode()).hexdigest()


def _record(row: Row[*tuple[Any, ...]], sections: Sections) -> RunRecord:
    return RunRecord(
        run_id=row.id,
        parent_run_id=row.parent_run_id,
        workspace=row.workspace_id,
        ticket_id=row.ticket_id,
        ticket_revision=row.ticket_revision,
        outcome=row.outcome,
        reason=row.reason,
        sections=sections,
        actions=ACTIONS.validate_json(row.actions),
        timings=row.timings,
        model_calls=row.model_calls,
        versions=row.versions,
        received_at=row.received_at,
        finished_at=row.finished_at,
        late=row.late,
        outlier=row.outlier,
    )
