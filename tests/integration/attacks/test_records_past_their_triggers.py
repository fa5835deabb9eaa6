"""REPLACE on SQLite and TRUNCATE on PostgreSQL went past the triggers; what had ended could be made to begin anew."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from support_agents.domain.approval import ExecutionStatus
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.fixtures.approvals import REPLY, Shop, refund

KEPT = ("audit", "run_sections", "approval_requests", "decisions", "executions")


async def refused(shop: Shop, statement: str) -> None:
    """The database itself refuses a statement, whoever writes."""
    with pytest.raises(IntegrityError, match="support-agents:"):
        async with shop.database.write("attack") as uow:
            await uow.session.execute(text(statement))


async def dialect(shop: Shop) -> str:
    async with shop.database.read() as uow:
        return uow.session.backend


@pytest.mark.parametrize("table", KEPT)
async def test_rows_cannot_be_replaced_or_emptied(shop: Shop, table: str) -> None:
    await shop.executions.carry_out(await shop.approved(refund()))
    if await dialect(shop) == "sqlite":
        await refused(shop, f"REPLACE INTO {table} SELECT * FROM {table}")  # noqa: S608 - names from the tuple above
    else:
        await refused(shop, f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("status", ["pending", "approved"])
async def test_a_question_that_has_ended_is_not_asked_again(shop: Shop, status: str) -> None:
    (request,) = await shop.proposed(REPLY)
    await shop.reject(request, await shop.person("ben"))
    await refused(shop, f"UPDATE approval_requests SET status = '{status}'")  # noqa: S608 - values from above


async def test_what_was_taken_back_is_not_scheduled_again(shop: Shop) -> None:
    execution = await shop.approved(REPLY)
    await shop.executions.cancel(execution, workspace=DEFAULT_WORKSPACE, actor="ben")
    await refused(shop, "UPDATE executions SET status = 'scheduled', generation = 2")
    assert await shop.status(execution) is ExecutionStatus.CANCELLED
