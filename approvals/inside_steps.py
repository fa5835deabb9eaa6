"""Carries out reversible inside steps, by policy and without approval; never anything that a customer could see."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from approvals.canonical import Way
from approvals.ports import Comment, HelpdeskGateway, Performed, Receipt, Refused, Unknown
from approvals.rendering import as_html
from db.engine import Database
from db.models.inside_steps import InsideStepKind, InsideStepStatus
from db.repositories.inside_steps import InsideStep, InsideStepId
from db.repositories.tickets import Ticket
from db.uow import UnitOfWork
from support_agents.domain.errors import SupportError
from support_agents.domain.events import OutboxEvent

TRIES = 5
PAUSED = timedelta(minutes=1)
BY_HAND = "the note with the draft was not written in the helpdesk ({why}): its text is on this page, write it by hand"


@dataclass(frozen=True)
class InsideSteps:
    """Writes drafts to tickets as internal notes; after a doubtful try the helpdesk is asked first."""

    database: Database
    gateways: Mapping[str, HelpdeskGateway]

    async def carry_out(self, event: OutboxEvent) -> None:
        """Do the step that the event calls for; raise a retryable error if it is worth another try."""
        step_id = InsideStepId(event.subject)
        async with self.database.write("inside_step") as uow:
            step = await uow.inside_steps.get(step_id)
            ticket = None if step is None else await uow.tickets.get(step.ticket_id)
            if step is None or ticket is None or step.status is not InsideStepStatus.PENDING:
                await uow.outbox.done(event.id)
                return
            # Of no kind that people approve: stops of a kind leave it alone, a stop of its way or of all does not.
            if not await uow.dispatch_stops.may_leave(step.workspace_id, kind=step.kind, way=Way.HELPDESK):
                await uow.outbox.done(event.id)
                at = await uow.now() + PAUSED
                await uow.outbox.add(event.name, step.id, workspace=step.workspace_id, not_before=at)
                return
            await uow.inside_steps.tried(step_id)
        performed = await self._perform(step, ticket)
        if isinstance(performed, Unknown) and step.tries + 1 < TRIES:
            raise SupportError("unavailable", performed.reason, retryable=True)
        await self._finish(event, step, performed)

    async def give_up(self, event: OutboxEvent, code: str) -> None:
        """Bury an event that failed too often, end its step as failed and return the ticket to people."""
        step_id = InsideStepId(event.subject)
        async with self.database.write("inside_step_given_up") as uow:
            await uow.outbox.bury(event.id, code)
            step = await uow.inside_steps.get(step_id)
            if step is not None:
                await _failed(uow, step, f"given up: {code}")
            await uow.audit.append(
                workspace=event.workspace,
                event="event_buried",
                subject=step_id,
                actor="relay",
                data={"name": event.name, "error": code},
            )

    async def _perform(self, step: InsideStep, ticket: Ticket) -> Performed:
        gateway = self.gateways.get(ticket.source)
        if gateway is None or step.kind is not InsideStepKind.NOTE:
            return Refused("not_connected", "there is no helpdesk for this step")
        if ticket.revision != step.ticket_revision:
            return Refused("overtaken", "the ticket has moved on")
        if step.tries > 0:
            found = await gateway.find(ticket.external_id, str(step.id))
            if isinstance(found, Receipt | Unknown):
                return found
        return await gateway.comment(
            Comment(
                external_ticket=ticket.external_id,
                text=step.body,
                html=as_html(step.body),
                public=False,
                marker=str(step.id),
            )
        )

    async def _finish(self, event: OutboxEvent, step: InsideStep, performed: Performed) -> None:
        async with self.database.write("inside_step_result") as uow:
            if isinstance(performed, Receipt):
                await uow.inside_steps.finish(step, InsideStepStatus.DONE, receipt=performed.reference)
            else:
                why = performed.message if isinstance(performed, Refused) else performed.reason
                await _failed(uow, step, why)
            await uow.outbox.done(event.id)
            await uow.audit.append(
                workspace=step.workspace_id, event="inside_step.finished", subject=step.id, actor="system"
            )


async def _failed(uow: UnitOfWork, step: InsideStep, why: str) -> None:
    """End a step that is still open; a person writes the note, unless the ticket has moved on and gets another."""
    if not await uow.inside_steps.finish(step, InsideStepStatus.FAILED, error=why):
        return
    ticket = await uow.tickets.get(step.ticket_id)
    if ticket is not None and ticket.revision == step.ticket_revision:
        await uow.tickets.needs_person(ticket.id, BY_HAND.format(why=why))
