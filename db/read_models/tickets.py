"""Lists of tickets, the newest change first; it changes nothing."""

from dataclasses import dataclass

from sqlalchemy import select

from db.base import table_of
from db.models.runs import RunRow
from db.read_models.pages import Page, Place, before, cut, within
from db.repositories.tickets import COLUMNS, TICKETS, Ticket, read_ticket
from db.uow import UnitOfWork
from support_agents.domain.ids import WorkspaceId
from support_agents.domain.runs import Outcome

RUNS = table_of(RunRow)


@dataclass(frozen=True)
class TicketLine:
    """A ticket and how its last finished run ended, if there was one."""

    ticket: Ticket
    outcome: Outcome | None


async def tickets(
    uow: UnitOfWork,
    workspace: WorkspaceId,
    *,
    needs_person: bool = False,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[TicketLine]:
    """Tickets of a workspace, or only those that wait for a person outside the queue."""
    size = within(limit)
    last = (
        select(RUNS.c.outcome)
        .where(RUNS.c.ticket_id == TICKETS.c.id, RUNS.c.status == "finished", RUNS.c.parent_run_id.is_(None))
        .order_by(RUNS.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(*COLUMNS, last.label("last_outcome"))
        .where(TICKETS.c.workspace_id == workspace, *before(TICKETS.c.changed_at, TICKETS.c.id, cursor))
        .order_by(TICKETS.c.changed_at.desc(), TICKETS.c.id.desc())
        .limit(size + 1)
    )
    if needs_person:
        query = query.where(TICKETS.c.needs_person_reason.is_not(None))
    rows = (await uow.session.execute(query)).all()
    lines = [TicketLine(read_ticket(row[:-1]), Outcome(row[-1]) if row[-1] else None) for row in rows]
    return cut(lines, size, [Place(line.ticket.changed_at, line.ticket.id) for line in lines])
