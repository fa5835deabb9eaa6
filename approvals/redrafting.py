"""Another draft for a ticket whose last one a person rejected: a child run of the same revision, on record."""

from dataclasses import dataclass

from approvals.ports import Person
from approvals.presence import require_present
from db.engine import Database
from support_agents.domain.approval import RequestStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.events import EventName
from support_agents.domain.ids import RequestId


@dataclass(frozen=True)
class Redrafting:
    """Has the ticket answered once more; what comes of it is a new request, decided like any other."""

    database: Database

    async def ask(self, person: Person, request_id: RequestId) -> None:
        """Let the ticket of a rejected request run again, unless it has moved on since."""
        async with self.database.write("redraft") as uow:
            await require_present(uow, person)
            request = await uow.approvals.get(request_id)
            ticket = await uow.tickets.lock(request.ticket_id) if request else None
            if request is None or ticket is None or request.workspace_id != person.workspace:
                raise SupportError("not_found", "there is no such request")
            if request.status is not RequestStatus.REJECTED or ticket.revision != request.ticket_revision:
                raise SupportError("stale", "the ticket has moved on: a fresh draft is under way already")
            await uow.tickets.answered(ticket.id, revision=0, needs_person=None)
            await uow.outbox.add(EventName.TICKET_RECEIVED, ticket.id, workspace=ticket.workspace_id)
            await uow.audit.append(
                workspace=person.workspace, event="run.redraft_asked", subject=ticket.id,
                actor=str(person.operator_id), data={"request": str(request.id), "parent_run": str(request.run_id)},
            )  # fmt: skip
