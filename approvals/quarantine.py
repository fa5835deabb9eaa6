"""Holds a restored database back: intake stays on, nothing leaves, until an admin adopts it; it dispatches nothing."""

from dataclasses import dataclass
from uuid import UUID

from approvals.authority import require_role
from approvals.consequences import Consequences
from approvals.lifecycle import ExecutionTrigger, execution_after
from approvals.ports import Person
from approvals.presence import require_present
from db.engine import Database
from db.repositories.executions import Execution
from db.uow import UnitOfWork
from support_agents.domain.approval import ExecutionStatus, Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import WorkspaceId

BATCH = 200
DRAFT_AGAIN = "the database was restored from a backup: needs a fresh draft"


@dataclass(frozen=True)
class Quarantine:
    """Enter when the database is behind its anchor; adopt when a person has looked."""

    database: Database
    consequences: Consequences

    async def enter(self, workspace: WorkspaceId, reason: str) -> None:
        """Stop dispatch first, then put every unfinished execution in doubt and supersede every open request."""
        async with self.database.write("quarantine") as uow:
            present = await uow.workspaces.get(workspace)
            if present.quarantined_at is None:
                await uow.workspaces.quarantine(workspace, reason)
                await uow.audit.append(
                    workspace=workspace, event="quarantine.entered", subject=workspace, actor="system"
                )
        while await self._doubt_some(workspace):
            pass
        while await self._supersede_some(workspace):
            pass

    async def adopt(self, person: Person, *, epoch: UUID) -> None:
        """Let dispatch go on under a new epoch; what was in doubt is then asked about."""
        async with self.database.write("adopt") as uow:
            await require_present(uow, person)
            require_role(person.role, Role.ADMIN)
            if (await uow.workspaces.get(person.workspace)).quarantined_at is None:
                raise SupportError("conflict", "this database is not in quarantine")
            await uow.workspaces.adopt(person.workspace, epoch)
            now = await uow.now()
            for execution in await uow.executions.unfinished_in(person.workspace, limit=100_000):
                if execution.status is ExecutionStatus.IN_DOUBT:
                    await uow.executions.set(execution, next_check_at=now)
            await uow.audit.append(
                workspace=person.workspace, event="quarantine.adopted", subject=person.workspace,
                actor=str(person.operator_id), data={"session": str(person.session_id)},
            )  # fmt: skip

    async def _doubt_some(self, workspace: WorkspaceId) -> bool:
        async with self.database.write("quarantine") as uow:
            found = await uow.executions.unfinished_in(workspace, limit=100_000)
            unsure = [execution for execution in found if not execution.restored][:BATCH]
            for execution in unsure:
                await self._doubt(uow, execution)
            return bool(unsure)

    async def _doubt(self, uow: UnitOfWork, seen: Execution) -> None:
        """Put one in doubt: our rows may be older than what was done, so a missing marker or attempt proves nothing."""
        await uow.tickets.lock(seen.ticket_id)
        execution = await uow.executions.lock(seen.id)
        if execution is None:
            return
        if execution.status is ExecutionStatus.IN_DOUBT:
            await uow.executions.set(execution, restored=True, next_check_at=None)
            return
        if execution.status in {ExecutionStatus.SCHEDULED, ExecutionStatus.EXECUTING}:
            to = execution_after(execution.status, ExecutionTrigger.QUARANTINED)
            reason = "restored from a backup: it may have been carried out after the backup was made"
            await uow.executions.move(execution, to, restored=True, next_check_at=None, reason=reason)
            await uow.executions.due_handled(execution.id)
            await uow.tickets.needs_person(execution.ticket_id, reason)

    async def _supersede_some(self, workspace: WorkspaceId) -> bool:
        async with self.database.write("quarantine") as uow:
            found = await uow.approvals.open_in(workspace, limit=BATCH)
            for ticket_id in sorted({request.ticket_id for request in found}):
                await uow.tickets.lock(ticket_id)
                await self.consequences.supersede_open(uow, ticket_id, reason=DRAFT_AGAIN)
                await uow.tickets.needs_person(ticket_id, DRAFT_AGAIN)
            return bool(found)
