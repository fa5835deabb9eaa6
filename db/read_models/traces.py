"""Finished runs as traces tell them, read along the sealed audit: names, times, numbers, ids; no text from outside."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import select

from db.base import table_of
from db.models.runs import RunRow
from db.uow import UnitOfWork
from support_agents.domain.ids import WorkspaceId
from support_agents.domain.runs import ModelCall, Outcome, StageTiming

RUNS = table_of(RunRow)
_RUN = "run_finished"
_TIMINGS = TypeAdapter(tuple[StageTiming, ...])
_CALLS = TypeAdapter(tuple[ModelCall, ...])
_COLUMNS = tuple(
    RUNS.c[name]
    for name in (
        *("id", "ticket_id", "workspace_id", "attempt", "outcome", "late"),
        *("received_at", "begun_at", "total_ms", "timings", "model_calls"),
    )
)


@dataclass(frozen=True)
class TracedRun:
    """When a run and its stages began and how long they took; `total_ms` counts from the webhook's first byte."""

    id: UUID
    ticket_id: UUID
    workspace_id: UUID
    attempt: int
    outcome: Outcome
    late: bool
    received_at: datetime
    begun_at: datetime
    total_ms: float
    timings: tuple[StageTiming, ...]
    model_calls: tuple[ModelCall, ...]


@dataclass(frozen=True)
class Traced:
    """The runs up to and with the entry `last` of the chain; `more` tells that it goes on."""

    last: int
    more: bool
    runs: Sequence[TracedRun]


async def traced(uow: UnitOfWork, workspace: WorkspaceId, *, after: int, limit: int) -> Traced:
    """Read up to `limit` entries of the chain after number `after`, and the runs that they tell of."""
    entries = await uow.audit.sealed(workspace, after=after, limit=limit)
    return Traced(
        last=entries[-1].sealed_seq or after if entries else after,
        more=len(entries) == limit,
        runs=await _runs(uow, [entry.subject for entry in entries if entry.event == _RUN]),
    )


async def _runs(uow: UnitOfWork, runs: Collection[UUID]) -> tuple[TracedRun, ...]:
    if not runs:
        return ()
    query = select(*_COLUMNS).where(RUNS.c.id.in_(runs), RUNS.c.outcome.is_not(None)).order_by(RUNS.c.id)
    return tuple(
        TracedRun(
            **{
                **row,
                "outcome": Outcome(row["outcome"]),
                "total_ms": row["total_ms"] or 0.0,
                "timings": _TIMINGS.validate_python(row["timings"]),
                "model_calls": _CALLS.validate_python(row["model_calls"]),
            }
        )
        for row in (await uow.session.execute(query)).mappings()
    )
