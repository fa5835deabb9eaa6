"""How often one execution asks the database: what every approved action pays, and every recovery from a crash again."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event

from support_agents.domain.approval import ExecutionStatus
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.fixtures.approvals import Shop, refund

MOST = 45  # of a refund, from the first look to its receipt, transactions included


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Statements sent meanwhile, by their beginning."""
    sent: Counter[str] = Counter()

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent[" ".join(statement.split())[:70]] += 1

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", count)


async def test_a_refund_asks_the_database_no_more_than_it_must(shop: Shop) -> None:
    execution = await shop.approved(refund())
    with counted() as sent:
        assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    assert sent.total() <= MOST, sent.most_common()


async def test_a_locked_case_is_read_once(shop: Shop) -> None:
    execution = await shop.approved(refund())
    with counted() as sent:
        await shop.executions.cancel(execution, workspace=DEFAULT_WORKSPACE, actor="test")
    whole = [count for statement, count in sent.items() if statement.startswith("SELECT executions.id,")]
    assert sum(whole) == 1, sent.most_common()
