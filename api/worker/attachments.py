"""Has the files of customers' messages read, each once, beside the runs; what a file says starts and changes no run."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from api import logging
from api.worker.attachment_reading import AttachmentReader, kind_of, outcome_of
from api.worker.handlers import bury
from db.engine import Database
from db.repositories.attachments import ReadFile, Unread
from support_agents.domain.errors import Failed
from support_agents.domain.events import OutboxEvent
from support_agents.domain.ids import TicketId
from support_agents.domain.ticket import AttachmentOutcome
from support_agents.ports import Clock

# So many tickets at once in a process: a helpdesk that answers slowly must not take the place of runs.
AT_ONCE = 2
_LATER = timedelta(seconds=1)
# After so many tries a server that does not answer is not asked again.
TRIES = 3
_LOOK_SECONDS = 0.03


@dataclass(kw_only=True)
class AttachmentsDueHandler:
    """Reads what has not been read of a ticket's newest messages; without a `reader` it closes the event."""

    database: Database
    reader: AttachmentReader | None
    _under_way: set[UUID] = field(default_factory=set, init=False)

    async def handle(self, event: OutboxEvent) -> None:
        """Fetch and parse outside any transaction; each file is kept as soon as it is read, the event ends last."""
        if self.reader is None:
            await self._close(event)
        elif len(self._under_way) >= AT_ONCE or event.subject in self._under_way:
            await self._put_off(event)
        else:
            self._under_way.add(event.subject)
            try:
                await self._read(event, self.reader)
            finally:
                self._under_way.discard(event.subject)

    async def give_up(self, event: OutboxEvent, code: str) -> None:
        """Bury the event, and say of the files that they could not be read."""
        for of in await self._unread(event):
            await self._keep(event, of, ReadFile(AttachmentOutcome.BROKEN, kind_of(of.attachment)))
        await bury(self.database, event, code)

    async def _read(self, event: OutboxEvent, reader: AttachmentReader) -> None:
        results = await asyncio.gather(*(self._one(event, of, reader) for of in await self._unread(event)))
        again = [code for code in results if code]
        async with self.database.write("attachments_done") as uow:
            if again:
                at = await uow.now() + _LATER * 4**event.attempts
                await uow.outbox.retry(event.id, at=at, error=again[0])
            else:
                await uow.outbox.done(event.id)

    async def _one(self, event: OutboxEvent, of: Unread, reader: AttachmentReader) -> str:
        """Read one file; returns the code of what went wrong when it is worth another try."""
        found = await reader.read(of.attachment)
        if isinstance(found, Failed):
            if event.attempts < TRIES:
                return found.code
            found = ReadFile(outcome_of(found), kind_of(of.attachment))
        await self._keep(event, of, found)
        return ""

    async def _keep(self, event: OutboxEvent, of: Unread, file: ReadFile) -> None:
        async with self.database.write("attachment_read") as uow:
            for new, kept in await uow.attachments.keep(event.workspace, TicketId(event.subject), [(of, file)]):
                await uow.audit.append(
                    workspace=event.workspace,
                    event="attachment.read",
                    subject=event.subject,
                    actor="attachments",
                    data={
                        "message": str(new.message),
                        "position": str(new.position),
                        "kind": kept.kind,
                        "outcome": kept.outcome,
                        "size": str(kept.size),
                        "sha256": kept.sha256,
                        "tainted": str(kept.tainted).lower(),
                    },
                )
        logging.get().info("attachment_read", outcome=file.outcome, name=file.kind)

    async def _unread(self, event: OutboxEvent) -> tuple[Unread, ...]:
        async with self.database.read() as uow:
            return await uow.attachments.unread(TicketId(event.subject))

    async def _put_off(self, event: OutboxEvent) -> None:
        """Leave it to a later event: waiting for room is no failed attempt."""
        async with self.database.write("attachments_later") as uow:
            await uow.outbox.done(event.id)
            at = await uow.now() + _LATER
            await uow.outbox.add(event.name, event.subject, workspace=event.workspace, not_before=at)

    async def _close(self, event: OutboxEvent) -> None:
        async with self.database.write("attachments_dropped") as uow:
            await uow.outbox.done(event.id)


@dataclass(frozen=True)
class Patience:
    """Lets a run wait for its ticket's files, for `seconds` from the message's first byte and no longer."""

    database: Database
    clock: Clock
    seconds: float

    async def wait(self, ticket: TicketId) -> None:
        """Return when the files are read, given up, put off, or when the time is over."""
        while (left := await self._left(ticket)) > 0:  # noqa: ASYNC110 - another process may be reading them
            await asyncio.sleep(min(left, _LOOK_SECONDS))

    async def _left(self, ticket: TicketId) -> float:
        async with self.database.read() as uow:
            came = await uow.attachments.awaited(ticket)
        return 0.0 if came is None else self.seconds - (self.clock.now() - came).total_seconds()
