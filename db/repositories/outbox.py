"""Events committed with the state they tell of, and who works on them; nothing else may enqueue."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, Row, and_, bindparam, func, insert, or_, select, tuple_, update

from db.base import NOW, UtcDateTime, database_now, table_of
from db.made import made
from db.many import ManyRows
from db.models.outbox import OutboxRow
from db.statements import Statements
from support_agents.domain.events import EventName, OutboxEvent
from support_agents.domain.ids import OutboxId, RequestId, WorkspaceId, new_id

ROWS = table_of(OutboxRow)
COLUMNS = ROWS.c
ADD = made(insert(ROWS))
ADD_ALL = ManyRows(ROWS, ("id", "workspace_id", "name", "subject", "attempts"))
WAITING = and_(COLUMNS.done_at.is_(None), COLUMNS.buried_at.is_(None))
_EVENT = (COLUMNS.id, COLUMNS.workspace_id, COLUMNS.name, COLUMNS.subject, COLUMNS.attempts)

_FREE = or_(COLUMNS.leased_until.is_(None), COLUMNS.leased_until <= bindparam("free_at"))
# Made once: putting these together for every claim took longer than the database takes to answer.
_DUE = (
    select(COLUMNS.id)
    .where(WAITING, COLUMNS.not_before <= bindparam("due_at"), _FREE)
    .order_by(COLUMNS.not_before, COLUMNS.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_DUE_OF = _DUE.where(COLUMNS.name.in_(bindparam("names", expanding=True)))
_LEASE = update(ROWS).values(leased_until=bindparam("until")).returning(*_EVENT, COLUMNS.not_before)
# One statement for finding and leasing: what is locked is in a CTE, which no plan carries out twice.
_CLAIMED = made(_LEASE.where(COLUMNS.id.in_(select(_DUE.cte("due").c.id))).values(attempts=COLUMNS.attempts + 1))
_LEASED = _LEASE.where(COLUMNS.id.in_(select(_DUE_OF.cte("due").c.id)))
_NEWEST = made(
    select(select(COLUMNS.created_at).order_by(COLUMNS.id.desc()).limit(1).scalar_subquery(), database_now())
)

_LEASED_UNTIL = func.coalesce(COLUMNS.leased_until, COLUMNS.not_before)
_NEXT_DUE = {
    backend: made(select(func.min(later(COLUMNS.not_before, _LEASED_UNTIL), type_=UtcDateTime())).where(WAITING))
    for backend, later in (("sqlite", func.max), ("postgresql", func.greatest))
}
DONE = made(update(ROWS).where(COLUMNS.id == bindparam("wanted"), WAITING).values(done_at=database_now()))


class Outbox:
    """`added` tells whether this unit of work has added rows; `heard` names optional events that have a listener."""

    def __init__(self, session: Statements, heard: Collection[EventName] = ()) -> None:
        self._session = session
        self._heard = heard
        self._changed: set[RequestId] = set()
        self._seen: datetime | None = None  # the clock, where this unit of work has just looked at it
        self.added = False
        self.knowledge_changed = False

    async def add(
        self, name: EventName, subject: UUID, *, workspace: WorkspaceId, not_before: datetime | None = None
    ) -> OutboxId:
        """Add an event, due at once or at `not_before`."""
        event = OutboxId(new_id())
        row = {"id": event, "workspace_id": workspace, "name": name, "subject": subject}
        await self._session.later(ADD, row if not_before is None else row | {"not_before": not_before})
        self.added = True
        self.knowledge_changed = self.knowledge_changed or name is EventName.KNOWLEDGE_CHANGED
        return event

    async def request_changed(
        self, request: RequestId, *, workspace: WorkspaceId, not_before: datetime | None = None
    ) -> None:
        """Tell that a request, or what became of it, changes now (once per unit of work) or will by then."""
        if EventName.REQUEST_CHANGED not in self._heard or (not_before is None and request in self._changed):
            return
        if not_before is None:
            self._changed.add(request)
        await self.add(EventName.REQUEST_CHANGED, request, workspace=workspace, not_before=not_before)

    async def tell_again(self, request: RequestId, *, workspace: WorkspaceId, at: datetime) -> None:
        """Tell of a request once more, unless it will be told of by then anyway."""
        if not await self._will_be_told(request, at):
            await self.request_changed(request, workspace=workspace, not_before=at)

    async def _will_be_told(self, request: RequestId, by: datetime) -> bool:
        mine = (COLUMNS.name == EventName.REQUEST_CHANGED, COLUMNS.subject == request, COLUMNS.leased_until.is_(None))
        query = select(COLUMNS.id).where(WAITING, *mine, COLUMNS.not_before <= by).limit(1)
        return (await self._session.execute(query)).first() is not None

    def hears(self, name: EventName) -> bool:
        """Whether an optional event has a listener in this installation."""
        return name in self._heard

    async def add_all(self, name: EventName, subjects: Sequence[UUID], *, workspace: WorkspaceId) -> None:
        """Add one event per subject, due at once."""
        common = {"workspace_id": workspace, "name": str(name), "attempts": 0}
        await ADD_ALL.insert(self._session, [common | {"id": new_id(), "subject": subject} for subject in subjects])
        self.added = True

    async def claim(self, *, limit: int, lease: timedelta) -> tuple[OutboxEvent, ...]:
        """Lease up to `limit` due events, the longest due first; each to one claimer until the lease lapses."""
        now = self._seen or await self._now()
        due = {"due_at": now, "free_at": now, "most": limit, "until": now + lease}
        return await self._leased(_CLAIMED, due)

    async def claim_to_send(
        self, names: Collection[EventName], *, limit: int, lease: timedelta, late: timedelta = timedelta(0)
    ) -> tuple[OutboxEvent, ...]:
        """Lease up to `limit` events that have been due for `late`, to be told to workers; no attempt is counted.

        An event that no worker has taken when the lease lapses is told again.
        """
        now = await self._now()
        due = {"due_at": now - late, "free_at": now - late, "most": limit, "until": now + lease}
        return await self._leased(_LEASED, due | {"names": [str(name) for name in names]})

    async def _leased(self, lease: Executable, due: Mapping[str, object]) -> tuple[OutboxEvent, ...]:
        """Lease the rows that are due, the longest due first, passing over what others lock."""
        rows = (await self._session.execute(lease, due)).all()
        return tuple(map(_event, sorted(rows, key=lambda row: (row.not_before, row.id))))

    async def take(self, event: OutboxId, *, attempts: int, lease: timedelta) -> OutboxEvent | None:
        """Begin the attempt after the `attempts`-th, or return None: it is over, or somebody else's already."""
        taken = (
            update(ROWS)
            .where(COLUMNS.id == event, WAITING, COLUMNS.attempts == attempts, COLUMNS.not_before <= database_now())
            .values(leased_until=await self._after(lease), attempts=attempts + 1)
            .returning(*_EVENT)
        )
        row = (await self._session.execute(taken)).first()
        return None if row is None else _event(row)

    async def renew(self, held: Mapping[OutboxId, int], *, lease: timedelta) -> None:
        """Go on holding events in the attempts given; of one that has passed to somebody else, nothing changes."""
        mine = tuple_(COLUMNS.id, COLUMNS.attempts).in_(list(held.items()))
        values = {"leased_until": await self._after(lease)}
        await self._session.execute(update(ROWS).where(WAITING, mine).values(values))

    async def let_go(self, held: Mapping[OutboxId, int]) -> None:
        """Give leases back at once: what nobody could be told, or a worker that stops did not end."""
        mine = tuple_(COLUMNS.id, COLUMNS.attempts).in_(list(held.items()))
        await self._session.execute(update(ROWS).where(WAITING, mine).values(leased_until=None))
        self.added = True

    async def _after(self, lease: timedelta) -> datetime:
        return await self._now() + lease

    async def _now(self) -> datetime:
        now: datetime = (await self._session.execute(NOW)).scalar_one()
        return now

    async def done(self, event: OutboxId) -> None:
        """Mark as done; a second time changes nothing."""
        await self._session.later(DONE, {"wanted": event})

    async def retry(self, event: OutboxId, *, at: datetime, error: str) -> None:
        """Give the lease back and try again at `at`; `error` is a code, never text from outside."""
        values = {"not_before": at, "leased_until": None, "last_error": error}
        await self._session.execute(update(ROWS).where(COLUMNS.id == event, WAITING).values(values))
        self.added = True

    async def bury(self, event: OutboxId, error: str) -> None:
        """Give up on it, visibly; `error` is a code."""
        values = {"buried_at": database_now(), "last_error": error}
        await self._session.execute(update(ROWS).where(COLUMNS.id == event, WAITING).values(values))

    async def release_all(self) -> None:
        """Give back every lease: for a process that has just started and is the only one to claim."""
        await self._session.execute(update(ROWS).where(WAITING).values(leased_until=None))
        self.added = True

    async def next_due(self) -> datetime | None:
        """When the next event becomes claimable, which may have passed; None while nothing waits."""
        query = _NEXT_DUE[self._session.backend]
        due: datetime | None = (await self._session.execute(query)).scalar_one()
        return due

    async def seconds_to_next(self) -> float | None:
        """How long until then, by the clock as this unit of work has seen it; negative where it has passed."""
        due = await self.next_due()
        return None if due is None else (due - (self._seen or await self._now())).total_seconds()

    async def waiting(self, name: EventName, *, limit: int = 1_000) -> tuple[OutboxId, ...]:
        """Events of one name that are neither done nor buried, due or not."""
        query = select(COLUMNS.id).where(WAITING, COLUMNS.name == name).order_by(COLUMNS.id).limit(limit)
        return tuple((await self._session.execute(query)).scalars())

    async def is_waiting(self, event: OutboxId) -> bool:
        """Whether it is neither done nor buried."""
        return (await self._session.execute(select(COLUMNS.id).where(COLUMNS.id == event, WAITING))).first() is not None

    async def clock_went_back(self, *, tolerance: timedelta = timedelta(seconds=5)) -> bool:
        """Whether the newest event was made later than the present: dispatch must stop until time has caught up."""
        made, now = (await self._session.execute(_NEWEST)).one()
        self._seen = now
        return made is not None and made > now + tolerance


def _event(row: Row[Any]) -> OutboxEvent:
    return OutboxEvent(id=row.id, workspace=row.workspace_id, name=row.name, subject=row.subject, attempts=row.attempts)
