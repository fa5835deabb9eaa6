"""The kill switches: stop all dispatch, one kind of action or one way out, at once and on record; nothing more."""

from dataclasses import dataclass
from datetime import datetime

from approvals.authority import require_role
from approvals.canonical import Way
from approvals.ports import Person
from approvals.presence import require_present
from db.engine import Database
from db.repositories.dispatch import Stop
from db.uow import UnitOfWork
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import WorkspaceId

ALL = "all"


@dataclass(frozen=True)
class Extent:
    """What a switch is about: everything, one kind of action, or one way out; never two of them."""

    kind: ActionKind | None = None
    way: Way | None = None

    def __post_init__(self) -> None:
        if self.kind is not None and self.way is not None:
            raise SupportError("invalid", "name a kind of action or a way out, not both")

    @property
    def scope(self) -> str:
        """`all`, `kind` or `way`."""
        return "kind" if self.kind is not None else "way" if self.way is not None else ALL

    @property
    def what(self) -> str:
        """The kind or way, or `all`."""
        return self.kind or self.way or ALL


@dataclass(frozen=True)
class DispatchState:
    """What may not leave now."""

    stopped_at: datetime | None
    quarantined_at: datetime | None
    stops: tuple[Stop, ...]


@dataclass(frozen=True)
class DispatchSwitch:
    """Stopping takes a manager, or whoever has the machine; letting go on takes an admin in their own session."""

    database: Database

    async def state(self, workspace: WorkspaceId) -> DispatchState:
        """Tell what is stopped."""
        async with self.database.read() as uow:
            found = await uow.workspaces.get(workspace)
            return DispatchState(found.paused_at, found.quarantined_at, await uow.dispatch_stops.all(workspace))

    async def stop(self, person: Person, extent: Extent) -> None:
        """Stop; once this returns, no execution of this extent begins any more."""
        async with self.database.write("dispatch_switched") as uow:
            await require_present(uow, person)
            require_role(person.role, Role.MANAGER)
            await _stop(uow, person.workspace, extent, actor=str(person.operator_id), session=str(person.session_id))

    async def stop_here(self, workspace: WorkspaceId, extent: Extent) -> None:
        """The same from the command line of the machine itself: stopping is never the dangerous direction."""
        async with self.database.write("dispatch_switched") as uow:
            await _stop(uow, workspace, extent, actor="command line", session="")

    async def resume(self, person: Person, extent: Extent) -> None:
        """Let it leave again; what was approved meanwhile and still holds is carried out."""
        async with self.database.write("dispatch_switched") as uow:
            await require_present(uow, person)
            require_role(person.role, Role.ADMIN)
            await uow.workspaces.lock(person.workspace)
            if extent.scope == ALL:
                await uow.workspaces.unpause(person.workspace)
            else:
                await uow.dispatch_stops.remove(person.workspace, scope=extent.scope, what=extent.what)
            actor, session = str(person.operator_id), str(person.session_id)
            await _record(uow, person.workspace, extent, event="dispatch.on", actor=actor, session=session)


async def _stop(uow: UnitOfWork, workspace: WorkspaceId, extent: Extent, *, actor: str, session: str) -> None:
    # Every intent shares the workspace's row: those under way commit first, all others see the stop.
    await uow.workspaces.lock(workspace)
    if extent.scope == ALL:
        await uow.workspaces.pause(workspace)
    else:
        await uow.dispatch_stops.add(workspace, scope=extent.scope, what=extent.what, by=actor)
    await _record(uow, workspace, extent, event="dispatch.off", actor=actor, session=session)


async def _record(  # noqa: PLR0913 - who, where, what
    uow: UnitOfWork, workspace: WorkspaceId, extent: Extent, *, event: str, actor: str, session: str
) -> None:
    data = {"scope": extent.scope, "what": extent.what} | ({"session": session} if session else {})
    await uow.audit.append(workspace=workspace, event=event, subject=workspace, actor=actor, data=data)
