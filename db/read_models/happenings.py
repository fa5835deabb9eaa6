"""What has happened since, read along the sealed audit: nothing twice, nothing missed; it changes nothing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import select

from db.base import table_of
from db.models.executions import ExecutionRow
from db.models.runs import RunRow
from db.repositories.audit import AuditEntry
from db.uow import UnitOfWork
from support_agents.domain.ids import WorkspaceId
from support_agents.domain.runs import ModelCall, Outcome, StageTiming

RUNS = table_of(RunRow)
EXECUTIONS = table_of(ExecutionRow)
_RUN = "run_finished"
_EXECUTION = "execution."
_TIMINGS = TypeAdapter(tuple[StageTiming, ...])
_CALLS = TypeAdapter(tuple[ModelCall, ...])


@dataclass(frozen=True)
class FinishedRun:
    """A run's figures; neither whose it was nor what was said. Nobody waited for a `child`."""

    outcome: Outcome
    late: bool
    total_ms: float
    timings: tuple[StageTiming, ...]
    model_calls: tuple[ModelCall, ...]
    child: bool = False


@dataclass(frozen=True)
class ExecutionStep:
    """What became of an execution, such as `succeeded`, by which way it acts, and the trigger where one is known."""

    way: str
    step: str
    trigger: str


@dataclass(frozen=True)
class Happenings:
    """Everything up to and with the entry `last` of the chain; `more` tells that it goes on."""

    last: int
    more: bool
    events: Sequence[str]
    runs: Sequence[FinishedRun]
    executions: Sequence[ExecutionStep]


async def newest(uow: UnitOfWork, workspace: WorkspaceId) -> int:
    """The number of the last sealed entry; 0 before the first."""
    head = await uow.audit.head(workspace)
    return 0 if head is None else head[0]


async def happenings(uow: UnitOfWork, workspace: WorkspaceId, *, after: int, limit: int) -> Happenings:
    """Read up to `limit` entries of the chain after number `after`, with the figures of what they tell of."""
    entries = await uow.audit.sealed(workspace, after=after, limit=limit)
    steps = [entry for entry in entries if entry.event.startswith(_EXECUTION)]
    ways = await _ways(uow, {entry.subject for entry in steps})
    return Happenings(
        last=entries[-1].sealed_seq or after if entries else after,
        more=len(entries) == limit,
        events=[entry.event for entry in entries],
        runs=await _runs(uow, [entry.subject for entry in entries if entry.event == _RUN]),
        executions=[_step(entry, ways) for entry in steps],
    )


def _step(entry: AuditEntry, ways: Mapping[UUID, str]) -> ExecutionStep:
    return ExecutionStep(
        way=ways.get(entry.subject, "unknown"),
        step=entry.event.removeprefix(_EXECUTION),
        trigger=entry.data.get("trigger", ""),
    )


async def _ways(uow: UnitOfWork, executions: Collection[UUID]) -> Mapping[UUID, str]:
    if not executions:
        return {}
    query = select(EXECUTIONS.c.id, EXECUTIONS.c.way).where(EXECUTIONS.c.id.in_(executions))
    return {row.id: row.way for row in await uow.session.execute(query)}


async def _runs(uow: UnitOfWork, runs: Collection[UUID]) -> tuple[FinishedRun, ...]:
    if not runs:
        return ()
    figures = RUNS.c.outcome, RUNS.c.late, RUNS.c.total_ms, RUNS.c.timings, RUNS.c.model_calls
    columns = (*figures, RUNS.c.parent_run_id)
    rows = await uow.session.execute(select(*columns).where(RUNS.c.id.in_(runs), RUNS.c.outcome.is_not(None)))
    return tuple(
        FinishedRun(
            outcome=Outcome(row.outcome),
            late=row.late,
            total_ms=row.total_ms or 0.0,
            timings=_TIMINGS.validate_python(row.timings),
            model_calls=_CALLS.validate_python(row.model_calls),
            child=row.parent_run_id is not None,
        )
        for row in rows
    )
