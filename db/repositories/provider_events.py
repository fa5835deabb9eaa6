"""Rows of what providers told us afterwards; what it means for an execution is decided in `approvals`."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy import bindparam, exists, select

from db.base import storable, table_of, upsert
from db.models.executions import ExecutionRow
from db.models.provider_events import ProviderEventRow, ProviderOutcome
from db.models.refund_ledger import RefundEntryRow
from db.statements import Statements
from support_agents.domain.action import ActionKind
from support_agents.domain.ids import ActionId, ExecutionId, WorkspaceId, new_id

_EVENTS = table_of(ProviderEventRow)
_KEY = ("workspace_id", "provider", "event_id")
_ENDED = (ProviderOutcome.FAILED,)


class NewProviderEvent(BaseModel):
    """An event as it was read from a signed body."""

    model_config = ConfigDict(frozen=True)

    workspace_id: WorkspaceId
    provider: str
    event_id: str
    kind: str
    outcome: ProviderOutcome
    reference: str
    payment_ref: str
    action_id: ActionId | None
    occurred_at: datetime
    received_at: datetime
    raw: bytes


_FAILED = select(
    exists().where(
        _EVENTS.c.workspace_id == bindparam("workspace"),
        _EVENTS.c.reference == bindparam("wanted"),
        _EVENTS.c.outcome.in_(_ENDED),
    )
)


class ProviderEvents:
    """Add once; look up by reference; find whom an event concerns."""

    def __init__(self, session: Statements) -> None:
        self._session = session

    async def add(self, event: NewProviderEvent) -> bool:
        """Insert; False when it is already there."""
        query = upsert(_EVENTS).on_conflict_do_nothing(index_elements=_KEY).returning(ProviderEventRow.id)
        added = await self._session.execute(query, {"id": new_id(), **event.model_dump()})
        return added.first() is not None

    async def says_failed(self, workspace: WorkspaceId, reference: str) -> bool:
        """Whether a signed event has said that the effect with this reference came to nothing; that is for good."""
        return bool(await self._session.scalar(_FAILED, {"workspace": workspace, "wanted": reference}))

    async def concerned(self, event: NewProviderEvent) -> tuple[ExecutionId, ...]:
        """Refunds that an event is about: by our action, by the receipt, or all of its payment."""
        here = (ExecutionRow.workspace_id == event.workspace_id) & (ExecutionRow.kind == ActionKind.ISSUE_REFUND)
        if event.action_id is not None:
            about = ExecutionRow.action_id == event.action_id
        elif event.reference:
            about = ExecutionRow.receipt == storable(event.reference)
        else:
            paying = select(RefundEntryRow.execution_id).where(
                RefundEntryRow.workspace_id == event.workspace_id,
                RefundEntryRow.payment_ref == storable(event.payment_ref),
                RefundEntryRow.payment_ref != "",
            )
            about = ExecutionRow.id.in_(paying)
        found = await self._session.execute(select(ExecutionRow.id).where(here, about).order_by(ExecutionRow.id))
        return tuple(ExecutionId(each) for each in found.scalars())
