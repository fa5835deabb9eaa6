"""Rows of reversible inside steps; nothing that a customer could see is ever one."""

from datetime import datetime
from typing import NewType
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import insert, select, update

from db.base import database_now, table_of
from db.models.inside_steps import InsideStepKind, InsideStepRow, InsideStepStatus
from db.statements import Statements
from support_agents.domain.ids import RunId, TicketId, WorkspaceId

InsideStepId = NewType("InsideStepId", UUID)
_STEPS = table_of(InsideStepRow)


class NewInsideStep(BaseModel):
    """A step as it is put down."""

    model_config = ConfigDict(frozen=True)

    id: InsideStepId
    workspace_id: WorkspaceId
    ticket_id: TicketId
    run_id: RunId
    kind: InsideStepKind
    body: str
    ticket_revision: int


class InsideStep(NewInsideStep):
    """A step as it stands."""

    created_at: datetime
    status: InsideStepStatus
    tries: int
    receipt: str | None
    error: str | None
    finished_at: datetime | None


class InsideSteps:
    """Inside steps."""

    def __init__(self, session: Statements) -> None:
        self._session = session

    async def add(self, step: NewInsideStep) -> None:
        """Insert a pending step."""
        await self._session.execute(insert(_STEPS).values(status=InsideStepStatus.PENDING, **step.model_dump()))

    async def get(self, step_id: InsideStepId) -> InsideStep | None:
        """Read one."""
        row = (await self._session.execute(select(_STEPS).where(InsideStepRow.id == step_id))).mappings().first()
        return None if row is None else InsideStep.model_validate(dict(row))

    async def on(self, ticket_id: TicketId) -> tuple[InsideStep, ...]:
        """All steps of a ticket, oldest first."""
        found = await self._session.execute(
            select(_STEPS).where(InsideStepRow.ticket_id == ticket_id).order_by(InsideStepRow.id)
        )
        return tuple(InsideStep.model_validate(dict(row)) for row in found.mappings())

    async def tried(self, step_id: InsideStepId) -> None:
        """Count a try that is about to be made."""
        await self._session.execute(
            update(_STEPS).where(InsideStepRow.id == step_id).values(tries=InsideStepRow.tries + 1)
        )

    async def finish(
        self, step: InsideStep, status: InsideStepStatus, *, receipt: str | None = None, error: str | None = None
    ) -> bool:
        """Compare-and-set from pending; False means that another was first."""
        result = await self._session.execute(
            update(_STEPS)
            .where(InsideStepRow.id == step.id, InsideStepRow.status == InsideStepStatus.PENDING)
            .values(status=status, receipt=receipt, error=error, finished_at=database_now())
            .returning(InsideStepRow.id)
        )
        return result.first() is not None
