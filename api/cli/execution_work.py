"""The work of `executions list`: reads what is in doubt; works beside a running server."""

from rich.table import Table

from api.cli.installation import configured, recorded
from api.cli.output import results
from support_agents.domain.approval import ExecutionStatus
from support_agents.domain.ids import DEFAULT_WORKSPACE


async def show_in_doubt(limit: int) -> None:
    """Print executions whose effect may or may not have happened, oldest first."""
    async with recorded(configured()) as records, records.database.read() as uow:
        unfinished = await uow.executions.unfinished_in(DEFAULT_WORKSPACE, limit=limit)
    found = [execution for execution in unfinished if execution.status is ExecutionStatus.IN_DOUBT]
    if not found:
        results().print("nothing is in doubt")
        return
    table = Table("execution", "what", "ticket", "since", "why", box=None)
    for execution in found:
        since = execution.created_at.isoformat(timespec="minutes")
        table.add_row(str(execution.id), execution.kind, str(execution.ticket_id), since, execution.reason)
    results().print(table)
    results().print("a person who has looked settles each in the console")
