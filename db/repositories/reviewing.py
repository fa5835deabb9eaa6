"""Edits of replies as diffs, and typed text that something overtook; it judges neither."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, or_, select

from db.base import table_of, upsert
from db.models.reviewing import ReplyEditRow, UnsentEditRow
from db.statements import Statements
from support_agents.domain.ids import OperatorId, RequestId, TicketId, WorkspaceId, new_id

EDITS = table_of(ReplyEditRow)
UNSENT = table_of(UnsentEditRow)


@dataclass(frozen=True)
class ReplyEdit:
    """What a person changed, as a unified diff from one request's text to that of the one in its place."""

    request: RequestId
    replaced_by: RequestId
    operator: OperatorId
    diff: str
    at: datetime


@dataclass(frozen=True)
class Unsent:
    """What an operator typed in place of a request's text, which then could not be used."""

    request: RequestId
    text: str


class Reviewing:
    """What people do around requests before they decide."""

    def __init__(self, session: Statements) -> None:
        self._session = session

    async def add_edit(
        self, workspace: WorkspaceId, operator: OperatorId, *, request: RequestId, replaced_by: RequestId, diff: str
    ) -> None:
        """Keep what was changed; never changed itself."""
        row = {"request_id": request, "replaced_by_id": replaced_by, "operator_id": operator, "diff": diff}
        await self._session.execute(insert(EDITS).values(id=new_id(), workspace_id=workspace, **row))

    async def edits(self, request: RequestId) -> tuple[ReplyEdit, ...]:
        """What was changed to or from a request, oldest first."""
        either = or_(EDITS.c.request_id == request, EDITS.c.replaced_by_id == request)
        rows = await self._session.execute(select(EDITS).where(either).order_by(EDITS.c.id))
        return tuple(
            ReplyEdit(row.request_id, row.replaced_by_id, row.operator_id, row.diff, row.created_at) for row in rows
        )

    async def keep_unsent(self, workspace: WorkspaceId, operator: OperatorId, ticket: TicketId, unsent: Unsent) -> None:
        """Keep what was typed for a ticket, in place of anything kept before."""
        values = {"request_id": unsent.request, "text": unsent.text}
        statement = upsert(UNSENT).values(
            id=new_id(), workspace_id=workspace, operator_id=operator, ticket_id=ticket, **values
        )
        key = ["workspace_id", "operator_id", "ticket_id"]
        await self._session.execute(statement.on_conflict_do_update(index_elements=key, set_=values))

    async def unsent(self, operator: OperatorId, ticket: TicketId) -> Unsent | None:
        """What this operator typed for a ticket and could not use."""
        mine = (UNSENT.c.operator_id == operator, UNSENT.c.ticket_id == ticket)
        row = (await self._session.execute(select(UNSENT.c.request_id, UNSENT.c.text).where(*mine))).first()
        return None if row is None else Unsent(row.request_id, row.text)

    async def drop_unsent(self, operator: OperatorId, ticket: TicketId) -> None:
        """Forget it: it was used, or is not wanted."""
        mine = (UNSENT.c.operator_id == operator, UNSENT.c.ticket_id == ticket)
        await self._session.execute(delete(UNSENT).where(*mine))
