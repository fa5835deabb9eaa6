"""How approving goes: caught and missed checks, edits, who approves whose refunds; it counts and judges nobody."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from db.base import table_of
from db.models.approvals import ApprovalRequestRow, DecisionRow
from db.models.runs import RunRow
from db.models.tickets import TicketRow
from db.uow import UnitOfWork
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import DecisionVerdict, RequestStatus
from support_agents.domain.ids import OperatorId, WorkspaceId
from support_agents.domain.runs import RunRecord
from support_agents.domain.sections import Verdict

REQUESTS = table_of(ApprovalRequestRow)
DECISIONS = table_of(DecisionRow)
TICKETS = table_of(TicketRow)
RUNS = table_of(RunRow)
EDITED = "edited"
_NEWEST = 200
_MOST = 5_000
_LISTED = 10


@dataclass(frozen=True)
class Seeded:
    """Checks of attention: how many were decided, and how; `missed` are those that somebody approved."""

    open: int
    caught: int
    missed: int
    by_person: dict[OperatorId, tuple[int, int]]


@dataclass(frozen=True)
class Pair:
    """How many of a person's approved refunds went with one other person: a customer, or a second approver."""

    operator: OperatorId
    other: UUID
    together: int
    of: int

    @property
    def share(self) -> float:
        """Of all refunds that this person approved."""
        return self.together / self.of


@dataclass(frozen=True)
class ApproverFigures:
    """Everything since a moment."""

    seeded: Seeded
    replies_decided: int
    replies_edited: int
    refunds_approved: int
    with_customers: tuple[Pair, ...]
    with_approvers: tuple[Pair, ...]


async def approver_figures(uow: UnitOfWork, workspace: WorkspaceId, *, since: datetime) -> ApproverFigures:
    """Add up what was decided since then."""
    refunds = await _refunds(uow, workspace, since)
    customers: Counter[tuple[UUID, UUID]] = Counter()
    approvers: Counter[tuple[UUID, UUID]] = Counter()
    totals: Counter[UUID] = Counter()
    for people, customer in refunds.values():
        for person in people:
            totals[person] += 1
            customers[person, customer] += 1
            approvers.update((person, other) for other in people if other != person)
    decided, edited = await _replies(uow, workspace, since)
    return ApproverFigures(
        seeded=await _seeded(uow, workspace, since),
        replies_decided=decided,
        replies_edited=edited,
        refunds_approved=len(refunds),
        with_customers=_pairs(customers, totals),
        with_approvers=_pairs(approvers, totals),
    )


async def blocked_runs(uow: UnitOfWork, workspace: WorkspaceId) -> tuple[RunRecord, ...]:
    """Of the newest runs those whose draft must not be sent, newest first."""
    mine = (RUNS.c.workspace_id == workspace, RUNS.c.status == "finished")
    query = select(RUNS.c.id).where(*mine).order_by(RUNS.c.id.desc()).limit(_NEWEST)
    records = await uow.runs.records((await uow.session.execute(query)).scalars().all())
    blocked = [r for r in records if r.sections.compliance and r.sections.compliance.verdict is Verdict.BLOCKED]
    return tuple(reversed(blocked))


async def _seeded(uow: UnitOfWork, workspace: WorkspaceId, since: datetime) -> Seeded:
    mine = (REQUESTS.c.workspace_id == workspace, REQUESTS.c.seeded_by.is_not(None), REQUESTS.c.created_at >= since)
    open_ = select(func.count()).select_from(REQUESTS).where(*mine, REQUESTS.c.status == RequestStatus.PENDING)
    answers = (
        select(DECISIONS.c.operator_id, DECISIONS.c.verdict)
        .join(REQUESTS, REQUESTS.c.id == DECISIONS.c.request_id)
        .where(*mine)
    )
    by_person: dict[OperatorId, tuple[int, int]] = {}
    for operator, verdict in await uow.session.execute(answers):
        caught, missed = by_person.get(operator, (0, 0))
        approved = verdict == DecisionVerdict.APPROVE
        by_person[operator] = (caught + (not approved), missed + approved)
    return Seeded(
        open=(await uow.session.execute(open_)).scalar_one(),
        caught=sum(caught for caught, _ in by_person.values()),
        missed=sum(missed for _, missed in by_person.values()),
        by_person=by_person,
    )


async def _replies(uow: UnitOfWork, workspace: WorkspaceId, since: datetime) -> tuple[int, int]:
    """How many proposed replies people dealt with, and how many of those they changed first."""
    mine = (REQUESTS.c.workspace_id == workspace, REQUESTS.c.kind == ActionKind.SEND_REPLY)
    ours = (*mine, REQUESTS.c.seeded_by.is_(None), REQUESTS.c.created_at >= since, REQUESTS.c.supersedes_id.is_(None))
    counts = select(
        func.count().filter(REQUESTS.c.status.in_((RequestStatus.APPROVED, RequestStatus.REJECTED))),
        func.count().filter(REQUESTS.c.closed_reason == EDITED),
    ).where(*ours)
    as_proposed, edited = (await uow.session.execute(counts)).one()
    return as_proposed + edited, edited


async def _refunds(
    uow: UnitOfWork, workspace: WorkspaceId, since: datetime
) -> dict[UUID, tuple[tuple[UUID, ...], UUID]]:
    """Approved refunds with everybody who approved them and the customer, the newest at most."""
    query = (
        select(REQUESTS.c.id, DECISIONS.c.operator_id, TICKETS.c.subject_id)
        .join(DECISIONS, DECISIONS.c.request_id == REQUESTS.c.id)
        .join(TICKETS, TICKETS.c.id == REQUESTS.c.ticket_id)
        .where(REQUESTS.c.workspace_id == workspace, REQUESTS.c.kind == ActionKind.ISSUE_REFUND)
        .where(REQUESTS.c.created_at >= since, DECISIONS.c.verdict == DecisionVerdict.APPROVE)
        .order_by(REQUESTS.c.id.desc())
        .limit(_MOST)
    )
    found: dict[UUID, tuple[tuple[UUID, ...], UUID]] = {}
    for request, operator, customer in await uow.session.execute(query):
        people, _ = found.get(request, ((), customer))
        found[request] = ((*people, operator), customer)
    return found


def _pairs(counts: Counter[tuple[UUID, UUID]], totals: Counter[UUID]) -> tuple[Pair, ...]:
    """The pairs that come up more than once, the most often first."""
    repeated = [
        Pair(OperatorId(person), other, together, totals[person])
        for (person, other), together in counts.items()
        if together > 1
    ]
    return tuple(sorted(repeated, key=lambda pair: (-pair.together, -pair.share, str(pair.other)))[:_LISTED])
