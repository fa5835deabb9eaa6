"""Stores what a run was: its record, once, for the attempt that still holds it; it makes no record itself."""

from enum import StrEnum

from db.uow import UnitOfWork
from support_agents.domain.errors import SupportError
from support_agents.domain.events import EventName, OutboxEvent
from support_agents.domain.runs import Outcome, RunRecord

PEOPLE = {Outcome.EVIDENCE: "evidence was found, but no reply could be drafted", Outcome.HANDED_OFF: "handed off"}


class Stored(StrEnum):
    """What became of a record."""

    OK = "ok"
    OVERTAKEN = "overtaken"
    LOST = "lost"


class InteractionLog:
    """The last step of a run; the caller's transaction also makes the approval requests (C3)."""

    async def store(self, uow: UnitOfWork, record: RunRecord, *, attempt: int) -> Stored:
        """Close the run with its record and finish the event that it answers.

        OVERTAKEN: the ticket has moved on, so the record is kept under that outcome, nothing may be proposed from it,
        and the ticket is queued again. LOST: another attempt holds or has closed the run, nothing was written.
        """
        ticket = await uow.tickets.lock(record.ticket_id)
        if ticket is None:
            return Stored.LOST
        overtaken = ticket.revision != record.ticket_revision
        outcome = Outcome.OVERTAKEN if overtaken else record.outcome
        event = await uow.runs.finish(record, attempt=attempt, outcome=outcome)
        if event is None:
            return Stored.LOST
        await uow.outbox.done(event)
        await uow.audit.append(
            workspace=record.workspace,
            event="run_finished",
            subject=record.run_id,
            actor="pipeline",
            data={
                "outcome": outcome,
                "ticket": str(record.ticket_id),
                "attempt": str(attempt),
                "record": await uow.runs.commitment(record.run_id),
            },
        )
        if outcome is Outcome.OVERTAKEN:
            await uow.outbox.add(EventName.TICKET_RECEIVED, record.ticket_id, workspace=record.workspace)
            return Stored.OVERTAKEN
        needs_person = (record.reason or PEOPLE[outcome]) if outcome in PEOPLE else None
        await uow.tickets.answered(ticket.id, revision=ticket.revision, needs_person=needs_person)
        return Stored.OK

    async def store_child(self, uow: UnitOfWork, record: RunRecord, event: OutboxEvent) -> Stored:
        """Keep a run that wrote whole what its parent's deadline cut, and finish the event that called for it.

        The ticket stays as its parent left it. OVERTAKEN: kept under that outcome, and never offered. LOST: the event
        has been answered by another attempt, nothing was written.
        """
        if record.parent_run_id is None:
            raise SupportError("no_parent", "only a run with a parent is stored beside another")
        ticket = await uow.tickets.lock(record.ticket_id)
        if ticket is None or not await uow.outbox.is_waiting(event.id):
            return Stored.LOST
        overtaken = ticket.revision != record.ticket_revision
        kept = record.model_copy(update={"outcome": Outcome.OVERTAKEN}) if overtaken else record
        await uow.runs.add_child(kept, event=event.id, attempt=event.attempts)
        await uow.outbox.done(event.id)
        await uow.audit.append(
            workspace=record.workspace,
            event="run_finished",
            subject=record.run_id,
            actor="pipeline",
            data={
                "outcome": kept.outcome,
                "ticket": str(record.ticket_id),
                "parent_run": str(record.parent_run_id),
                "attempt": str(event.attempts),
                "record": await uow.runs.commitment(record.run_id),
            },
        )
        return Stored.OVERTAKEN if overtaken else Stored.OK
