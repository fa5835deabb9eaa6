"""Events committed to the outbox with the state they tell of; they carry ids only."""

from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from support_agents.domain.ids import OutboxId, WorkspaceId


class EventName(StrEnum):
    """What happened, or is due."""

    TICKET_RECEIVED = "ticket_received"
    EXECUTION_DUE = "execution_due"
    INSIDE_STEP_DUE = "inside_step_due"
    REQUEST_CHANGED = "request_changed"
    KNOWLEDGE_CHANGED = "knowledge_changed"
    FULLER_DRAFT_DUE = "fuller_draft_due"
    ATTACHMENTS_DUE = "attachments_due"


class OutboxEvent(BaseModel):
    """A claimed outbox row: `subject` is the id of the ticket, execution, request, run or article set it concerns."""

    model_config = ConfigDict(frozen=True)

    id: OutboxId
    workspace: WorkspaceId
    name: EventName
    subject: UUID
    attempts: int
