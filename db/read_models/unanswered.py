"""Runs after which people had to find the words: without a draft, or with one that was edited; it judges neither."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased

from db.base import table_of
from db.models.approvals import ApprovalRequestRow
from db.models.runs import RunRow
from db.models.tickets import TicketRow
from db.uow import UnitOfWork
from support_agents.domain.action import ActionKind
from support_agents.domain.ids import RunId, WorkspaceId
from support_agents.domain.runs import Outcome, RunRecord

RUNS, TICKETS = table_of(RunRow), table_of(TicketRow)
_WITHOUT_DRAFT = tuple(outcome for outcome in Outcome if not outcome.has_draft and outcome is not Outcome.OVERTAKEN)
_PAGE = 100


@dataclass(frozen=True)
class Edited:
    """The canonical bytes of a reply as it was proposed, and as people last left it."""

    proposed: bytes
    left: bytes


@dataclass(frozen=True)
class Unanswered:
    """A finished run with whose ticket it was; `edited` if people changed its draft."""

    record: RunRecord
    customer: str
    edited: Edited | None


async def unanswered(uow: UnitOfWork, workspace: WorkspaceId, *, since: datetime, limit: int) -> tuple[Unanswered, ...]:
    """Return the newest runs since then without a draft, or with an edited one; what was erased is left out."""
    edits = await _edits(uow, workspace, since)
    query = (
        select(RUNS.c.id, TICKETS.c.requester_name)
        .join(TICKETS, TICKETS.c.id == RUNS.c.ticket_id)
        .where(
            RUNS.c.workspace_id == workspace,
            RUNS.c.finished_at >= since,
            RUNS.c.salt.is_not(None),
            or_(and_(RUNS.c.outcome.in_(_WITHOUT_DRAFT), RUNS.c.parent_run_id.is_(None)), RUNS.c.id.in_(edits)),
        )
        .order_by(RUNS.c.finished_at.desc(), RUNS.c.id.desc())
        .limit(limit)
    )
    names = {RunId(run): name for run, name in await uow.session.execute(query)}
    records = await _records(uow, list(names))
    return tuple(Unanswered(record, names[record.run_id], edits.get(record.run_id)) for record in records)


async def _records(uow: UnitOfWork, runs: Sequence[RunId]) -> list[RunRecord]:
    found: list[RunRecord] = []
    for start in range(0, len(runs), _PAGE):
        found += await uow.runs.records(runs[start : start + _PAGE])
    return found


async def _edits(uow: UnitOfWork, workspace: WorkspaceId, since: datetime) -> dict[RunId, Edited]:
    earlier, later = aliased(ApprovalRequestRow), aliased(ApprovalRequestRow)
    query = (
        select(later.run_id, earlier.canonical, later.canonical)
        .join(earlier, earlier.id == later.supersedes_id)
        .where(later.workspace_id == workspace, later.kind == ActionKind.SEND_REPLY, later.created_at >= since)
        .order_by(later.id)
    )
    found: dict[RunId, Edited] = {}
    for run, proposed, left in await uow.session.execute(query):
        before = found.get(RunId(run))
        found[RunId(run)] = Edited(before.proposed if before else proposed, left)
    return found
