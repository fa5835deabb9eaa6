"""How many messages wait for a run that nobody has begun, and for how long: one bounded query; it changes nothing."""

from dataclasses import dataclass

from sqlalchemy import bindparam, func, select

from db.base import UtcDateTime, database_now
from db.repositories.outbox import COLUMNS, WAITING
from db.uow import UnitOfWork
from support_agents.domain.events import EventName

# An attempt is counted when an event is begun, not when a worker is told of it: what lies in a broker still waits.
_UNBEGUN = (WAITING, COLUMNS.attempts == 0, COLUMNS.not_before <= database_now())
_FIRST = (
    select(COLUMNS.not_before)
    .where(COLUMNS.name == str(EventName.TICKET_RECEIVED), *_UNBEGUN)
    .order_by(COLUMNS.not_before, COLUMNS.id)
    .limit(bindparam("most"))
    .subquery()
)
_COUNTED = select(func.count(), func.min(_FIRST.c.not_before, type_=UtcDateTime()), database_now()).select_from(_FIRST)


@dataclass(frozen=True)
class Waiting:
    """How many messages of all workspaces wait, counted no further than was asked for, and the oldest's wait."""

    events: int
    seconds: float


async def waiting_for_runs(uow: UnitOfWork, *, most: int) -> Waiting:
    """Count up to `most`; what a retry was put off for is not waited for."""
    events, oldest, now = (await uow.session.execute(_COUNTED, {"most": most})).one()
    return Waiting(events, 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds()))
