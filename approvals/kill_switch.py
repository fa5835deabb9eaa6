"""Stops and restarts all dispatch of a workspace, on record; whatever has started is left to finish."""

from dataclasses import dataclass

from approvals.authority import require_role
from approvals.ports import Person
from approvals.presence import require_present
from db.engine import Database
from support_agents.domain.approval import Role


@dataclass(frozen=True)
class KillSwitch:
    """Anyone who may approve can stop; only a manager lets it go on."""

    database: Database

    async def stop(self, person: Person) -> None:
        """Let no further execution start; those that are due wait."""
        async with self.database.write("kill_switch") as uow:
            await require_present(uow, person)
            require_role(person.role, Role.APPROVER)
            await uow.workspaces.pause(person.workspace)
            await uow.audit.append(
                workspace=person.workspace, event="dispatch.stopped", subject=person.workspace,
                actor=str(person.operator_id),
            )  # fmt: skip

    async def go_on(self, person: Person) -> None:
        """Let executions start again; those that waited follow within half a minute."""
        async with self.database.write("kill_switch") as uow:
            await require_present(uow, person)
            require_role(person.role, Role.MANAGER)
            await uow.workspaces.unpause(person.workspace)
            await uow.audit.append(
                workspace=person.workspace, event="dispatch.went_on", subject=person.workspace,
                actor=str(person.operator_id),
            )  # fmt: skip
