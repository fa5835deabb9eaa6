"""What must not leave, by kind of action or by way; the stop of everything is the workspace's own pause."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy import bindparam, delete, exists, or_, select

from db.base import table_of, upsert
from db.models.dispatch import DispatchStopRow
from db.models.workspaces import WorkspaceRow
from db.statements import Statements
from support_agents.domain.ids import WorkspaceId, new_id

_STOPS = table_of(DispatchStopRow)
_WORKSPACES = table_of(WorkspaceRow)


class Stop(BaseModel):
    """One stop: `scope` is `kind` or `way`, `what` the kind or way."""

    model_config = ConfigDict(frozen=True)

    scope: str
    what: str
    stopped_at: datetime
    stopped_by: str


_SWITCHES = (
    select(_WORKSPACES.c.paused_at, _WORKSPACES.c.quarantined_at)
    .where(_WORKSPACES.c.id == bindparam("workspace"))
    .with_for_update(read=True)
)
_STOPPED = select(
    exists().where(
        _STOPS.c.workspace_id == bindparam("workspace"),
        or_(
            (_STOPS.c.scope == "kind") & (_STOPS.c.what == bindparam("kind")),
            (_STOPS.c.scope == "way") & (_STOPS.c.what == bindparam("way")),
        ),
    )
)


class DispatchStops:
    """Stops of parts of dispatch."""

    def __init__(self, session: Statements) -> None:
        self._session = session

    async def may_leave(self, workspace: WorkspaceId, *, kind: str, way: str) -> bool:
        """Whether an effect of this kind by this way may begin; a stop under way waits until the caller commits."""
        row = (await self._session.execute(_SWITCHES, {"workspace": workspace})).first()
        if row is None or row.paused_at is not None or row.quarantined_at is not None:
            return False
        return not await self._session.scalar(_STOPPED, {"workspace": workspace, "kind": kind, "way": way})

    async def all(self, workspace: WorkspaceId) -> tuple[Stop, ...]:
        """Every stop, in the order of their names."""
        query = select(_STOPS).where(_STOPS.c.workspace_id == workspace).order_by(_STOPS.c.scope, _STOPS.c.what)
        return tuple(Stop.model_validate(dict(row)) for row in (await self._session.execute(query)).mappings())

    async def add(self, workspace: WorkspaceId, *, scope: str, what: str, by: str) -> None:
        """Stop; stopping twice changes nothing."""
        key = {"workspace_id": workspace, "scope": scope, "what": what}
        values = {"id": new_id(), **key, "stopped_by": by}
        await self._session.execute(upsert(_STOPS).values(**values).on_conflict_do_nothing())

    async def remove(self, workspace: WorkspaceId, *, scope: str, what: str) -> None:
        """Let it leave again."""
        mine = (_STOPS.c.workspace_id == workspace, _STOPS.c.scope == scope, _STOPS.c.what == what)
        await self._session.execute(delete(_STOPS).where(*mine))
