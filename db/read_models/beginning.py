"""What a run needs to begin, in one statement under its ticket's lock; it begins none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, exists, literal, select, true

from db.made import made
from db.repositories.approvals import REJECTED_REPLIES
from db.repositories.runs import OPEN_OF, OpenRun
from db.repositories.tickets import NEWEST, Ticket, snapshot_of
from db.uow import UnitOfWork
from support_agents.domain.ticket import TicketSnapshot

_ONE = select(literal(1).label("one")).subquery()
_RUN = OPEN_OF.subquery("run")
_MESSAGES = NEWEST.subquery("newest")
_READ = ("external_id", "text", "html", "author", "public", "written_at", "attachments")
_REJECTED = exists(REJECTED_REPLIES.with_only_columns(literal(1)).order_by(None).limit(None).correlate(None))
# Outer joins from a row that is always there: without a run or a message there is still an answer.
_BEGINNING = made(
    select(*(column.label(f"run_{column.name}") for column in _RUN.c), _REJECTED.label("rejected"))
    .add_columns(_MESSAGES.c.id.label("message"), *(_MESSAGES.c[name] for name in _READ))
    .select_from(_ONE.outerjoin(_RUN, true()).outerjoin(_MESSAGES, true()))
    .order_by(_MESSAGES.c.written_at.desc(), _MESSAGES.c.id.desc())
)
_RUN_COLUMNS = len(_RUN.c)


@dataclass(frozen=True)
class Beginning:
    """The ticket as a run reads it, its open run if it has one, and whether people rejected drafts of this revision."""

    run: OpenRun | None
    snapshot: TicketSnapshot
    was_rejected: bool


async def beginning(uow: UnitOfWork, ticket: Ticket) -> Beginning:
    """Look at what there is for a run on a locked ticket."""
    rows: Sequence[Row[*tuple[Any, ...]]] = (
        await uow.session.execute(_BEGINNING, {"ticket": ticket.id, "revision": ticket.revision})
    ).all()
    first = rows[0]
    run = None if first[0] is None else OpenRun(*first[:_RUN_COLUMNS])
    return Beginning(run, snapshot_of(ticket, [row for row in rows if row.message is not None]), bool(first.rejected))
