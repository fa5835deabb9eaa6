"""Receives events once and opens runs, one transaction each; it never decides what a run says."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from db import fences
from db.engine import Database
from db.read_models.beginning import Beginning, beginning
from db.receiving import MADE_AT_ONCE, Received, Receiving
from db.repositories.runs import OpenRun
from db.repositories.subjects import IdentifierHash
from db.repositories.tickets import Ticket
from db.together import Together
from db.uow import UnitOfWork
from support_agents.domain.approval import RejectedDraft
from support_agents.domain.errors import SupportError
from support_agents.domain.events import OutboxEvent
from support_agents.domain.ids import InboxId, RunId, TicketId, WorkspaceId, new_id
from support_agents.domain.sections import Rung
from support_agents.domain.ticket import InboundMessage, TicketSnapshot


@dataclass(frozen=True)
class Begun:
    """A run to carry out; `resumed` means that an earlier attempt did not finish, so the deadline is short."""

    run_id: RunId
    attempt: int
    resumed: bool
    ticket: TicketSnapshot


class TicketStore:
    """The way from the outside to a run."""

    def __init__(self, database: Database, identifiers: IdentifierHash) -> None:
        self._database = database
        self._identifiers = identifiers
        self._together = Together(self._receive)

    async def receive(self, inbound: InboundMessage, raw: bytes) -> Received:
        """Store a verified event once and apply it to its ticket; returning means that it is durable (C1).

        Events that arrive while others are being committed share the next commit.
        """
        return await self._together.do((inbound, raw))

    async def _receive(self, events: Sequence[tuple[InboundMessage, bytes]]) -> list[Received]:
        try:
            return await self._receive_once(events)
        except SupportError as error:
            if error.code != MADE_AT_ONCE:
                raise
        return await self._receive_once(events)  # what another process made is there to be found now

    async def _receive_once(self, events: Sequence[tuple[InboundMessage, bytes]]) -> list[Received]:
        # Rounds run for whoever came first; what they do is for all of these.
        fence = fences.of(*(inbound.workspace for inbound, _ in events))
        async with self._database.write("receive", urgent=True, fence=fence) as uow:
            return await Receiving(uow, self._identifiers).receive(events)

    async def bury(
        self, *, workspace: WorkspaceId, source: str, raw: bytes, reason: str, received_at: datetime
    ) -> InboxId:
        """Store what is well signed but cannot be understood, for a person to look at; once."""
        key = self._identifiers.body(raw)
        async with self._database.write("receive", urgent=True, fence=fences.of(workspace)) as uow:
            return await uow.inbox.bury(
                workspace=workspace, source=source, key=key, raw=raw, reason=reason, received_at=received_at
            )

    async def begin_run(self, event: OutboxEvent) -> Begun | None:
        """Open the run that the event asks for, or the next attempt at it (C2); None if none is due.

        Then the event is done. Not due: a ticket no longer open, nothing from the customer since the last answer, or
        another event's run under way – which will find itself overtaken.
        """
        async with self._database.write("begin_run", fence=fences.of(event.workspace)) as uow:
            ticket = _known(await uow.tickets.lock(TicketId(event.subject)))
            found = await beginning(uow, ticket)
            run = found.run
            if run is not None and run.event != event.id and await uow.outbox.is_waiting(run.event):
                run = None
            elif run is not None:
                return await self._resume(uow, run, ticket, event, await _with_rejected(uow, found))
            elif ticket.awaits_answer:
                return await self._begin(uow, ticket, event, await _with_rejected(uow, found))
            await uow.outbox.done(event.id)
        return None

    async def give_up(self, event: OutboxEvent, *, error: str, reason: str) -> None:
        """Bury an event that failed too often and give its ticket to people; `error` is a code, `reason` for them."""
        async with self._database.write("give_up", fence=fences.of(event.workspace)) as uow:
            ticket = _known(await uow.tickets.lock(TicketId(event.subject)))
            await uow.outbox.bury(event.id, error)
            await uow.runs.abandon(ticket.id, reason=reason)
            await uow.tickets.answered(ticket.id, revision=ticket.revision, needs_person=reason)
            await uow.audit.append(
                workspace=ticket.workspace_id,
                event="run_given_up",
                subject=ticket.id,
                actor="relay",
                data={"error": error, "event": str(event.id)},
            )

    async def _begin(self, uow: UnitOfWork, ticket: Ticket, event: OutboxEvent, snapshot: TicketSnapshot) -> Begun:
        run = OpenRun(
            id=RunId(new_id()),
            workspace=ticket.workspace_id,
            ticket_id=ticket.id,
            ticket_revision=ticket.revision,
            event=event.id,
            attempt=1,
        )
        await uow.runs.begin(run, received_at=snapshot.received_at)
        return Begun(run.id, attempt=1, resumed=False, ticket=snapshot)

    async def _resume(
        self, uow: UnitOfWork, run: OpenRun, ticket: Ticket, event: OutboxEvent, snapshot: TicketSnapshot
    ) -> Begun:
        # What the lost attempt saw was shown to nobody, so the next one looks at the newest revision.
        following = replace(run, attempt=run.attempt + 1, event=event.id, ticket_revision=ticket.revision)
        await uow.runs.resume(following, received_at=snapshot.received_at)
        return Begun(run.id, attempt=following.attempt, resumed=True, ticket=snapshot)


async def seen(uow: UnitOfWork, ticket: Ticket) -> TicketSnapshot:
    """The ticket as a run on it would read it now."""
    return await _with_rejected(uow, await beginning(uow, ticket))


async def _with_rejected(uow: UnitOfWork, found: Beginning) -> TicketSnapshot:
    """The ticket as a run reads it, with what people said of earlier drafts of this very revision."""
    snapshot = await _with_attached(uow, found.snapshot)
    if not found.was_rejected:
        return snapshot
    rejected = await uow.approvals.rejected_replies(snapshot.id, revision=snapshot.revision)
    drafts = [(each.closed_reason or "", (await uow.runs.sections(each.run_id)).draft) for each in rejected]
    return snapshot.model_copy(
        update={
            "rejected": tuple(
                RejectedDraft.read(
                    said.removeprefix("rejected").lstrip(": "),
                    draft.prompt_version if draft is not None and draft.rung is Rung.MACRO else "",
                )
                for said, draft in drafts
            )
        }
    )


async def _with_attached(uow: UnitOfWork, snapshot: TicketSnapshot) -> TicketSnapshot:
    """The ticket with what its files say, as far as that has been read; a ticket without files asks nothing."""
    if not any(message.attachments for message in snapshot.messages):
        return snapshot
    texts = await uow.attachments.texts(snapshot.id)
    return snapshot.model_copy(update={"attached": texts}) if texts else snapshot


def _known(ticket: Ticket | None) -> Ticket:
    if ticket is None:
        raise LookupError("an event without its ticket: the two are stored together")
    return ticket
