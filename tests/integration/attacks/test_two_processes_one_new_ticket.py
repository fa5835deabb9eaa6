"""Two processes heard of a new ticket at once: one sender was told 500, and Zendesk does not send that again (I4)."""

import asyncio
from collections.abc import Callable

from sqlalchemy import text

from db.engine import Database
from db.repositories.subjects import IdentifierHash
from db.ticket_store import TicketStore
from support_agents.domain.ticket import Requester
from tests.fixtures.inbound import event, facts, message

TIMES = 10


async def test_both_messages_are_stored(database_url: str, open_database: Callable[..., Database]) -> None:
    databases = [open_database(database_url), open_database(database_url)]
    stores = [TicketStore(each, IdentifierHash(b"k" * 32)) for each in databases]
    for number in range(TIMES):
        ticket = [facts(f"T-{number}", Requester(email=f"{who}@x.example")) for who in ("anna", "ben")]
        both = [event(f"{number}-{i}", ticket=ticket[i], said=message(minute=i)) for i in range(2)]
        received = await asyncio.gather(*(stores[i].receive(both[i], b"{}") for i in range(2)))
        assert len({each.ticket_id for each in received}) == 1
        assert [each.duplicate for each in received] == [False, False]
    async with databases[0].read() as uow:
        assert (await uow.session.execute(text("SELECT count(*) FROM messages"))).scalar_one() == 2 * TIMES
