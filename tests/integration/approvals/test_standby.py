"""The database's server is lost, and its synchronous standby takes over: nothing is lost, and nothing done twice."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from db.anchor import Anchor
from db.audit_sealer import AuditSealer
from db.engine import Database
from db.installation import Installation, Standing
from db.repositories.subjects import IdentifierHash
from db.ticket_store import TicketStore
from db.upgrade import upgrade
from support_agents.domain.approval import ExecutionStatus, Mode
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, ExecutionId
from tests.fixtures.approvals import ORDER, Shop, refund, set_column
from tests.fixtures.inbound import ANNA, event, facts, message
from tests.peers.servers import MissingServerError, OwnPostgres, ground, own_postgres, own_standby

KEY = b"k" * 32
ORDERS = tuple(ORDER.model_copy(update={"order_id": f"B-{number}"}) for number in range(3))
MANY = 20
Pair = tuple[OwnPostgres, OwnPostgres]

pytestmark = [pytest.mark.postgres, pytest.mark.long]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A server with the schema, and one that follows it and without which it commits nothing."""
    try:
        with ground() as folder, own_postgres(folder / "primary") as primary:
            upgrade(primary.url)
            with own_standby(folder / "standby", primary) as standby:
                primary.follow("standby")
                yield primary, standby
    except MissingServerError as missing:
        pytest.skip(f"needs {missing}")


class Senders:
    """Helpdesks that deliver messages without a pause and note which of them were acknowledged."""

    def __init__(self, store: TicketStore) -> None:
        self.store = store
        self.sent: list[int] = []
        self.acknowledged: set[str] = set()
        self.many = asyncio.Event()

    async def send(self, number: int) -> None:
        said, ticket = message(f"Message {number}", minute=number), facts()
        inbound = event(f"s-{number}", ticket=ticket, said=said, minute=number)
        await self.store.receive(inbound, b"{}")
        self.acknowledged.add(f"s-{number}")
        if len(self.acknowledged) == MANY:
            self.many.set()

    async def sending(self) -> None:
        """Until the database is gone; what is on its way then was not acknowledged."""
        for number in range(10_000):
            self.sent.append(number)
            try:
                await self.send(number)
            except SupportError:
                return


def keys(server: OwnPostgres) -> list[str]:
    with psycopg.connect(server.conninfo) as connection:
        found = connection.execute("SELECT event_key FROM inbox WHERE event_key LIKE 's-%'").fetchall()
    return [key for (key,) in found]


def prepared(database: Database, anchor: Anchor) -> Shop:
    shop = Shop(database)
    shop.anchor = AuditSealer(database, anchor, KEY).seal
    shop.orders.orders = {ANNA.email: ORDERS}
    return shop


@pytest.mark.parametrize("moment", ["execution_result", "execution_intent"])
async def test_i3_i4_a_standby_takes_over_in_the_midst_of_a_refund(
    pair: Pair, open_database: Callable[..., Database], tmp_path: Path, moment: str
) -> None:
    primary, standby = pair
    armed = False

    def strike(side: str, label: str) -> None:
        """The server is lost right before it is told of a receipt, or right after an intent was committed."""
        if armed and (side, label) == ("before" if moment == "execution_result" else "after", moment):
            primary.kill()

    anchor = Anchor(tmp_path / "anchor.json", KEY)
    shop = prepared(open_database(primary.url, strike), anchor)
    await Installation(AuditSealer(shop.database, anchor, KEY)).begin(DEFAULT_WORKSPACE)
    await shop.mode(Mode.REPLY)
    ben = await shop.person("ben")
    executions: list[ExecutionId] = []
    for order, source in zip(ORDERS, ("chat", "zendesk", "letter"), strict=True):
        requests = await shop.proposed(refund(order, minor=100), source=source, order=order)
        execution = await shop.approve(requests[0], ben)
        assert execution is not None
        executions.append(execution)
    done, struck, waiting = executions
    assert await shop.executions.carry_out(done) is ExecutionStatus.SUCCEEDED

    senders = Senders(shop.store)
    sending = asyncio.create_task(senders.sending())
    await senders.many.wait()
    armed = True
    with pytest.raises(SupportError):
        await shop.executions.carry_out(struck)
    await sending
    standby.promote()

    payments, shop = shop.payments, prepared(open_database(standby.url), anchor)
    shop.payments = payments
    sealer = AuditSealer(shop.database, anchor, KEY)
    assert await Installation(sealer).standing(DEFAULT_WORKSPACE) is Standing.CURRENT
    assert senders.acknowledged <= set(keys(standby))
    assert await shop.status(done) is ExecutionStatus.SUCCEEDED
    senders.store = TicketStore(shop.database, IdentifierHash(b"k" * 32))
    for number in senders.sent:  # senders deliver again what was not acknowledged, and sometimes what was
        await senders.send(number)
    assert sorted(keys(standby)) == sorted(f"s-{number}" for number in senders.sent)

    await shop.lapse(struck)
    for execution in executions:
        if await shop.executions.carry_out(execution) is not ExecutionStatus.SUCCEEDED:
            await shop.executions.reconcile(execution)  # never begun, as the provider says: it is tried again later
            async with shop.database.write("later") as uow:
                past = await uow.now() - timedelta(seconds=1)
                await set_column(uow, "executions", "not_before", past, execution)
            await shop.executions.carry_out(execution)
    assert {await shop.status(each) for each in executions} == {ExecutionStatus.SUCCEEDED}
    assert len(payments.booked) == len(executions)
    assert waiting != struck
    await sealer.seal(DEFAULT_WORKSPACE)
    assert await sealer.verify(DEFAULT_WORKSPACE) == ()
