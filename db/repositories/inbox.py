"""What was received, raw, once each; deciding what it means is the ticket store's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from db.base import table_of
from db.many import ManyRows
from db.models.inbox import InboxRow
from db.statements import Statements
from support_agents.domain.ids import InboxId, WorkspaceId, new_id
from support_agents.domain.ticket import InboundMessage

ROWS = table_of(InboxRow)
COLUMNS = ROWS.c
KEY = ("workspace_id", "source", "external_ticket", "event_kind", "event_key")
COPIED = ("id", *KEY, "raw", "received_at", "buried_reason")
ADD = ManyRows(ROWS, COPIED, unless_there=KEY)


@dataclass(frozen=True)
class NewEvent:
    """An event to be stored under this id."""

    id: InboxId
    inbound: InboundMessage
    raw: bytes


@dataclass(frozen=True)
class Buried:
    """A well-signed event that could not be understood."""

    id: InboxId
    source: str
    reason: str
    raw: bytes
    received_at: datetime


class Inbox:
    """The deduplicated inbound events."""

    def __init__(self, session: Statements) -> None:
        self._session = session

    async def add(self, events: Sequence[NewEvent]) -> frozenset[InboxId]:
        """Store events and return the ids of those that are new: of equal ones the first, if none was there before."""
        rows = [
            {
                "id": event.id,
                "workspace_id": event.inbound.workspace,
                "source": event.inbound.source,
                "external_ticket": event.inbound.ticket.external_id,
                "event_kind": str(event.inbound.kind),
                "event_key": event.inbound.event_key,
                "raw": event.raw,
                "received_at": event.inbound.received_at,
                "buried_reason": None,
            }
            for event in events
        ]
        return await ADD.inserted(self._session, rows)

    async def bury(  # noqa: PLR0913 - an event without a shape has only these
        self, *, workspace: WorkspaceId, source: str, key: str, raw: bytes, reason: str, received_at: datetime
    ) -> InboxId:
        """Store what cannot be understood; the same bytes again give the same id."""
        identity = {
            "workspace_id": workspace,
            "source": source,
            "external_ticket": "",
            "event_kind": "unknown",
            "event_key": key,
        }
        row = identity | {"id": new_id(), "raw": raw, "received_at": received_at, "buried_reason": reason}
        for added in await ADD.inserted(self._session, [row]):
            return InboxId(added)
        same = [COLUMNS[name] == value for name, value in identity.items()]
        return InboxId((await self._session.execute(select(COLUMNS.id).where(*same))).scalar_one())

    async def buried(self, workspace: WorkspaceId, *, limit: int = 50) -> tuple[Buried, ...]:
        """The newest buried events."""
        query = (
            select(COLUMNS.id, COLUMNS.source, COLUMNS.buried_reason, COLUMNS.raw, COLUMNS.received_at)
            .where(COLUMNS.workspace_id == workspace, COLUMNS.buried_reason.is_not(None))
            .order_by(COLUMNS.id.desc())
            .limit(limit)
        )
        return tuple(Buried(*row) for row in await self._session.execute(query))
