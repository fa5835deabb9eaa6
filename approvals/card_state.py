"""Where a card's request stands: decided by whom and when, what came of it, until when it can be taken back; pure."""

from datetime import datetime

from approvals.card import CardState, Stage
from approvals.standing import EXPIRED, MOVED_ON, VERBS, StandingLine, of_closed, of_execution, people_needed
from approvals.wording import clock
from db.read_models.queue import Answer, QueueItem
from db.repositories.executions import Execution
from support_agents.domain.approval import ExecutionStatus, RequestStatus

_STAGES = {
    ExecutionStatus.SCHEDULED: Stage.UNDO,
    ExecutionStatus.EXECUTING: Stage.LEAVING,
    ExecutionStatus.SUCCEEDED: Stage.DONE,
    ExecutionStatus.IN_DOUBT: Stage.IN_DOUBT,
    ExecutionStatus.FAILED: Stage.ENDED,
    ExecutionStatus.CANCELLED: Stage.ENDED,
    ExecutionStatus.SUPERSEDED: Stage.ENDED,
}


def state_of(item: QueueItem, now: datetime) -> CardState:
    """Say where it stands at `now` of the database's clock."""
    decisions = tuple(_decision(answer) for answer in item.answers)
    if item.execution is not None:
        return _executing(item.execution, now, decisions)
    if item.request.status is not RequestStatus.PENDING:
        waiting = item.request.status is RequestStatus.APPROVED
        return _standing(Stage.WAITING if waiting else Stage.ENDED, _closed(item), decisions)
    if item.request.expires_at <= now:
        return _standing(Stage.ENDED, EXPIRED, decisions)
    if item.superseded:
        return _standing(Stage.STALE, MOVED_ON, decisions)
    return CardState(stage=Stage.PENDING, decisions=decisions, needs=people_needed(item.request, item.answers))


def _closed(item: QueueItem) -> StandingLine:
    return of_closed(item.request, answered=bool(item.answers), after=item.after_kind)


def _executing(execution: Execution, now: datetime, decisions: tuple[str, ...]) -> CardState:
    open_window = execution.status is ExecutionStatus.SCHEDULED and now < execution.not_before
    stage = _STAGES[execution.status]
    if stage is Stage.UNDO and not open_window:
        stage = Stage.LEAVING
    line = of_execution(execution, leaves_now=not open_window)
    more = {
        "execution_id": execution.id,
        "undo_until": execution.not_before if open_window else None,
        "receipt": execution.receipt or "",
    }
    return _standing(stage, line, decisions).model_copy(update=more)


def _standing(stage: Stage, line: StandingLine, decisions: tuple[str, ...]) -> CardState:
    return CardState(
        stage=stage, headline=line.headline.text, tone=line.headline.tone, detail=line.detail, decisions=decisions
    )


def _decision(answer: Answer) -> str:
    """Who said what, when, and why if they said so."""
    said = f"{answer.name or answer.email} {VERBS[answer.decision.verdict]} it at {clock(answer.decision.created_at)}"
    return f"{said}: {answer.decision.reason}" if answer.decision.reason else said
