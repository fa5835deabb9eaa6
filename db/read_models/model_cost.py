"""What language models cost by what the message was about, a run and a ticket; counts of recorded calls only."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, text

from db.base import UtcDateTime, Uuid
from db.uow import UnitOfWork
from support_agents.domain.ids import WorkspaceId

_MOST = 20
# The first intent's name stands at a section's beginning; a cast of the whole to JSON would stumble over the NUL
# that a customer's words may hold.
_SQLITE = """
SELECT coalesce(json_extract(s.content, '$.intents[0].name'), ''), count(*), count(DISTINCT r.ticket_id), sum(r.cost)
FROM (
    SELECT runs.id, runs.ticket_id, sum(json_extract(one.value, '$.cost_micro_usd')) AS cost
    FROM runs, json_each(runs.model_calls) AS one
    WHERE runs.workspace_id = :workspace AND runs.finished_at >= :since GROUP BY runs.id, runs.ticket_id
) AS r LEFT JOIN run_sections AS s ON s.run_id = r.id AND s.section = 'intent'
WHERE r.cost > 0 GROUP BY 1 ORDER BY 4 DESC, 1 LIMIT :most
"""
_POSTGRESQL = """
SELECT coalesce(substring(s.content from '^[{]"intents":[[][{]"name":"([^"]+)"'), ''), count(*),
       count(DISTINCT r.ticket_id), sum(r.cost)
FROM (
    SELECT runs.id, runs.ticket_id, sum((one ->> 'cost_micro_usd')::bigint) AS cost
    FROM runs, jsonb_array_elements(runs.model_calls) AS one
    WHERE runs.workspace_id = :workspace AND runs.finished_at >= :since GROUP BY runs.id, runs.ticket_id
) AS r LEFT JOIN run_sections AS s ON s.run_id = r.id AND s.section = 'intent'
WHERE r.cost > 0 GROUP BY 1 ORDER BY 4 DESC, 1 LIMIT :most
"""


@dataclass(frozen=True)
class IntentCost:
    """Runs that a model was paid for, by their first intent, `""` where none was read; millionths of a US dollar."""

    intent: str
    runs: int
    tickets: int
    cost_micro_usd: int


async def cost_by_intent(uow: UnitOfWork, workspace: WorkspaceId, *, since: datetime) -> tuple[IntentCost, ...]:
    """Return the twenty dearest intents of runs that finished since then, dearest first."""
    backend = uow.session.backend
    query = text(_SQLITE if backend == "sqlite" else _POSTGRESQL).bindparams(
        bindparam("workspace", workspace, Uuid()), bindparam("since", since, UtcDateTime()), most=_MOST
    )
    return tuple(
        IntentCost(name, runs, tickets, int(cost)) for name, runs, tickets, cost in await uow.session.execute(query)
    )
