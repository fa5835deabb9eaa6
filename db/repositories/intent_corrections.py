"""What people say messages were about: kept, read in pages, forgotten with a subject; it trains nothing."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete, or_, select

from db.base import table_of, upsert
from db.models.intent_corrections import IntentCorrectionRow
from db.models.runs import RunRow
from db.models.tickets import TicketRow
from db.statements import Statements
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import OperatorId, RunId, WorkspaceId, new_id
from support_agents.domain.intent import Correction

CORRECTIONS = table_of(IntentCorrectionRow)
RUNS = table_of(RunRow)
TICKETS = table_of(TicketRow)
LABELS = ("text", "language", "guessed", "intent", "model_version")


class IntentCorrections:
    """One correction a run; whoever corrects again replaces it."""

    def __init__(self, session: Statements) -> None:
        self._session = session

    async def keep(self, workspace: WorkspaceId, run: RunId, operator: OperatorId, correction: Correction) -> bool:
        """Keep a person's answer in place of an earlier one; False when the same person has given it already.

        Raises `not_found` when the workspace has no such run.
        """
        of = select(TICKETS.c.subject_id).join(RUNS, RUNS.c.ticket_id == TICKETS.c.id)
        here = of.where(RUNS.c.id == run, RUNS.c.workspace_id == workspace)
        subject: UUID | None = (await self._session.execute(here)).scalar_one_or_none()
        if subject is None:
            raise SupportError("not_found", "no such run")
        values = {"operator_id": operator, **correction.model_dump()}
        statement = upsert(CORRECTIONS).values(
            id=new_id(), workspace_id=workspace, run_id=run, subject_id=subject, **values
        )
        another = or_(CORRECTIONS.c.operator_id != operator, CORRECTIONS.c.intent != correction.intent)
        kept = statement.on_conflict_do_update(
            index_elements=["workspace_id", "run_id"], set_=values, where=another
        ).returning(CORRECTIONS.c.id)
        return (await self._session.execute(kept)).scalar_one_or_none() is not None

    async def intents(self, workspace: WorkspaceId, runs: Collection[RunId]) -> dict[RunId, str]:
        """The intents that people gave the messages of these runs."""
        query = select(CORRECTIONS.c.run_id, CORRECTIONS.c.intent)
        rows = await self._session.execute(
            query.where(CORRECTIONS.c.workspace_id == workspace, CORRECTIONS.c.run_id.in_(runs))
        )
        return {RunId(run): intent for run, intent in rows}

    async def page(
        self, workspace: WorkspaceId, *, after: UUID | None, limit: int
    ) -> tuple[tuple[UUID, Correction], ...]:
        """The oldest corrections behind `after`, each with what to give as the next `after`."""
        query = select(CORRECTIONS).where(CORRECTIONS.c.workspace_id == workspace)
        if after is not None:
            query = query.where(CORRECTIONS.c.id > after)
        rows = await self._session.execute(query.order_by(CORRECTIONS.c.id).limit(limit))
        return tuple((row.id, Correction(**{name: getattr(row, name) for name in LABELS})) for row in rows)

    async def forget(self, workspace: WorkspaceId, subject: UUID) -> int:
        """Delete what was learnt from a subject's messages; returns how many corrections that were."""
        whose = (CORRECTIONS.c.workspace_id == workspace, CORRECTIONS.c.subject_id == subject)
        return len((await self._session.execute(delete(CORRECTIONS).where(*whose).returning(CORRECTIONS.c.id))).all())
