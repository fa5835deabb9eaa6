"""What language models were asked for and cost, summed over the calls on record; it prices nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, text

from db.base import UtcDateTime, Uuid
from db.uow import UnitOfWork
from support_agents.domain.ids import WorkspaceId

# How a call can end that is nobody's fault.
_ENDS = frozenset(("complete", "max_tokens", "refused", "cut", "abandoned"))
_SQLITE = """
SELECT json_extract(one.value, '$.model'), json_extract(one.value, '$.stop'), count(*),
       coalesce(sum(json_extract(one.value, '$.cost_micro_usd')), 0)
FROM runs, json_each(runs.model_calls) AS one
WHERE runs.workspace_id = :workspace AND runs.finished_at >= :since GROUP BY 1, 2
"""
_POSTGRESQL = """
SELECT one ->> 'model', one ->> 'stop', count(*), coalesce(sum((one ->> 'cost_micro_usd')::bigint), 0)
FROM runs, jsonb_array_elements(runs.model_calls) AS one
WHERE runs.workspace_id = :workspace AND runs.finished_at >= :since GROUP BY 1, 2
"""


@dataclass(frozen=True)
class ModelUse:
    """The calls to one model; `faults` counts the ones that failed, by code. Cost in millionths of a US dollar."""

    model: str
    calls: int = 0
    cost_micro_usd: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)


async def model_use(uow: UnitOfWork, workspace: WorkspaceId, *, since: datetime) -> tuple[ModelUse, ...]:
    """Return the use of each model by the workspace's runs that finished since then, dearest first."""
    backend = uow.session.backend
    query = text(_SQLITE if backend == "sqlite" else _POSTGRESQL).bindparams(
        bindparam("workspace", workspace, Uuid()), bindparam("since", since, UtcDateTime())
    )
    found: dict[str, ModelUse] = {}
    for name, ended, number, spent in await uow.session.execute(query):
        known = found.get(name, ModelUse(name))
        faults = dict(known.faults) if ended in _ENDS else {**known.faults, ended: number}
        found[name] = ModelUse(name, known.calls + number, known.cost_micro_usd + int(spent), faults)
    return tuple(sorted(found.values(), key=lambda use: (-use.cost_micro_usd, use.model)))
