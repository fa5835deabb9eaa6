"""What customers' files say, as far as they were read: kept, shown and given to runs; it fetches nothing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, exists, select, update

from db.base import constant, database_now, table_of
from db.many import ManyRows
from db.models.attachments import AttachmentTextRow
from db.models.outbox import OutboxRow
from db.models.tickets import MessageRow, TicketRow
from db.repositories.tickets import ATTACHMENTS
from db.statements import Statements
from support_agents.domain.events import EventName
from support_agents.domain.ids import TicketId, WorkspaceId, new_id
from support_agents.domain.ticket import AttachedText, Attachment, AttachmentOutcome, Author

ROWS = table_of(AttachmentTextRow)
MESSAGES = table_of(MessageRow)
TICKETS = table_of(TicketRow)
OUTBOX = table_of(OutboxRow)
# Of a message; a helpdesk may name a hundred.
MOST_FILES = 5
_MOST_MESSAGES, _MOST_TEXTS, _MOST_SHOWN = 5, 5, 500

_FIELDS = ("outcome", "kind", "size", "sha256", "tainted", "cut", "filename", "text")
_ADD = ManyRows(
    ROWS,
    ("id", "workspace_id", "ticket_id", "message_id", "position", *_FIELDS),
    unless_there=("workspace_id", "message_id", "position"),
)
_WRITTEN = (
    select(MESSAGES.c.id, MESSAGES.c.attachments)
    .where(
        MESSAGES.c.ticket_id == bindparam("ticket"),
        MESSAGES.c.author == constant(Author.CUSTOMER),
        MESSAGES.c.public,
        MESSAGES.c.automatic.is_(False),
    )
    .order_by(MESSAGES.c.written_at.desc(), MESSAGES.c.id.desc())
    .limit(_MOST_MESSAGES)
)
_ON = (
    select(ROWS)
    .where(ROWS.c.ticket_id == bindparam("ticket"))
    .order_by(ROWS.c.message_id.desc(), ROWS.c.position)
    .limit(_MOST_SHOWN)
)
_TEXTS = (
    select(ROWS.c.filename, ROWS.c.text, ROWS.c.tainted)
    .where(
        ROWS.c.ticket_id == bindparam("ticket"),
        ROWS.c.outcome == constant(AttachmentOutcome.READ),
        ROWS.c.forgotten_at.is_(None),
    )
    .order_by(ROWS.c.message_id.desc(), ROWS.c.position)
    .limit(_MOST_TEXTS)
)
_AWAITED = select(TICKETS.c.customer_received_at).where(
    TICKETS.c.id == bindparam("ticket"),
    exists().where(
        OUTBOX.c.subject == TICKETS.c.id,
        OUTBOX.c.name == constant(EventName.ATTACHMENTS_DUE),
        OUTBOX.c.done_at.is_(None),
        OUTBOX.c.buried_at.is_(None),
        OUTBOX.c.not_before <= database_now(),
    ),
)
_EMPTIED = {"filename": "", "text": ""}


@dataclass(frozen=True)
class Unread:
    """A file that nobody has tried to read; `position` counts a message's files from 0."""

    message: UUID
    position: int
    attachment: Attachment


@dataclass(frozen=True)
class ReadFile:
    """What became of one file. `size` and `sha256` are of the bytes that came: 0 and empty where none did."""

    outcome: AttachmentOutcome
    kind: str
    size: int = 0
    sha256: str = ""
    text: str = ""
    tainted: bool = False
    cut: bool = False
    forgotten: bool = False


class Attachments:
    """One row a file, made once."""

    def __init__(self, session: Statements) -> None:
        self._session = session

    async def unread(self, ticket: TicketId) -> tuple[Unread, ...]:
        """The first files of each of the customer's newest messages that have no row, the newest message's first."""
        messages = (await self._session.execute(_WRITTEN, {"ticket": ticket})).all()
        done = {(row.message_id, row.position) for row in await self._on(ticket)}
        return tuple(
            Unread(message, at, attachment)
            for message, told in messages
            for at, attachment in enumerate(ATTACHMENTS.validate_json(told)[:MOST_FILES])
            if (message, at) not in done
        )

    async def keep(
        self, workspace: WorkspaceId, ticket: TicketId, found: Sequence[tuple[Unread, ReadFile]]
    ) -> tuple[tuple[Unread, ReadFile], ...]:
        """Keep what became of files, and return those of which nobody had told before."""
        rows = [
            {name: getattr(file, name) for name in _FIELDS if name != "filename"}
            | {"id": new_id(), "workspace_id": workspace, "ticket_id": ticket, "outcome": str(file.outcome)}
            | {"message_id": of.message, "position": of.position, "filename": of.attachment.filename}
            for of, file in found
        ]
        added = await _ADD.inserted(self._session, rows) if rows else frozenset()
        return tuple(pair for pair, row in zip(found, rows, strict=True) if row["id"] in added)

    async def texts(self, ticket: TicketId) -> tuple[AttachedText, ...]:
        """The texts of a ticket's newest files, those of the newest message first."""
        rows = (await self._session.execute(_TEXTS, {"ticket": ticket})).all()
        return tuple(AttachedText(filename=row.filename, text=row.text, tainted=row.tainted) for row in rows)

    async def of_messages(self, ticket: TicketId) -> dict[UUID, dict[int, ReadFile]]:
        """What became of a ticket's files, by message and position."""
        found: dict[UUID, dict[int, ReadFile]] = {}
        for row in await self._on(ticket):
            found.setdefault(row.message_id, {})[row.position] = _read(row)
        return found

    async def awaited(self, ticket: TicketId) -> datetime | None:
        """When the ticket's newest message came, while its files are still to be read; None when nothing is awaited."""
        found: datetime | None = (await self._session.execute(_AWAITED, {"ticket": ticket})).scalar()
        return found

    async def forget(self, workspace: WorkspaceId, subject: UUID) -> int:
        """Empty the names and texts of a person's files; returns how many files that were."""
        theirs = select(TICKETS.c.id).where(TICKETS.c.workspace_id == workspace, TICKETS.c.subject_id == subject)
        here = (ROWS.c.workspace_id == workspace, ROWS.c.ticket_id.in_(theirs), ROWS.c.forgotten_at.is_(None))
        emptied = update(ROWS).where(*here).values(forgotten_at=database_now(), **_EMPTIED)
        return len((await self._session.execute(emptied.returning(ROWS.c.id))).all())

    async def forget_older(self, age: timedelta, *, limit: int = 1_000) -> int:
        """Empty the names and texts that were read longer ago than `age`, the oldest first; returns how many."""
        before = (await self._session.execute(select(database_now()))).scalar_one() - age
        old = select(ROWS.c.id).where(ROWS.c.forgotten_at.is_(None), ROWS.c.created_at < before)
        some = old.order_by(ROWS.c.created_at).limit(limit)
        emptied = update(ROWS).where(ROWS.c.id.in_(some)).values(forgotten_at=database_now(), **_EMPTIED)
        return len((await self._session.execute(emptied.returning(ROWS.c.id))).all())

    async def _on(self, ticket: TicketId) -> Collection[Row[Any]]:
        return (await self._session.execute(_ON, {"ticket": ticket})).all()


def _read(row: Row[Any]) -> ReadFile:
    return ReadFile(
        outcome=AttachmentOutcome(row.outcome),
        kind=row.kind,
        size=row.size,
        sha256=row.sha256,
        text=row.text,
        tainted=row.tainted,
        cut=row.cut,
        forgotten=row.forgotten_at is not None,
    )
