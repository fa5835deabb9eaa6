"""No statement on the way of an event reads a whole table: the databases' own plans of the very statements that ran."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import re2
from sqlalchemy import Engine, event, text
from sqlalchemy.engine import make_url

from db.engine import Database
from db.parts import FIRST
from db.repositories.subjects import IdentifierHash
from db.ticket_store import TicketStore
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.ticket import Author, InboundMessage, Requester
from tests.fixtures import inbound

KNOWN = 1_500  # so many that PostgreSQL too would rather use an index than read them all
TABLES = ("tickets", "inbox", "subjects", "subject_identifiers", "messages", "outbox")
# Of a table in parts all that was stored lies in the first; the others are empty, and nothing is quicker to read whole.
_WHOLE_TABLE = re2.compile(
    rf"(?:SCAN|Seq Scan on) (?:{'|'.join(TABLES)})(?:_{FIRST})?\b(?: AS \w+)?(?: USING (?:COVERING )?INDEX (\w+))?"
)
# The first holds only what waits, in the order in which it is due; of the second, by age, one row is read: the newest.
_ALLOWED = {"ix_outbox_due", "sqlite_autoindex_outbox_1"}


Statement = tuple[str, Any]


@contextmanager
def statements() -> Iterator[list[Statement]]:
    """Note what is executed, once per text, with the values of its first row."""
    noted: dict[str, Any] = {}

    def note(*told: Any) -> None:
        _, _, statement, parameters, *_ = told
        if statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")):
            noted.setdefault(statement, parameters[0] if isinstance(parameters, list) else parameters)

    found: list[Statement] = []
    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)
        found.extend(noted.items())


def plan(url: str, statement: str, parameters: Any) -> str:
    """Return what the database says it would do."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        with sqlite3.connect(str(parsed.database)) as file:
            return "\n".join(str(row[3]) for row in file.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))
    with psycopg.connect(parsed.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        return "\n".join(str(row[0]) for row in connection.execute(f"EXPLAIN {statement}".encode(), parameters))


def whole_tables(text_of_plan: str) -> list[str]:
    """The lines that read a table from end to end."""
    return [
        line.strip()
        for line in text_of_plan.splitlines()
        if (found := _WHOLE_TABLE.search(line)) and found.group(1) not in _ALLOWED
    ]


def of(number: int, *, author: Author = Author.CUSTOMER) -> InboundMessage:
    """The first message of a ticket and a customer of its own."""
    requester = Requester(email=f"customer-{number}@example.com", name="", verified=True)
    return inbound.event(
        f"m-{number}", ticket=inbound.facts(f"T-{number}", requester), said=inbound.message(author=author)
    )


async def filled(database: Database, store: TicketStore) -> None:
    """Store many, and let nothing wait."""
    for first in range(0, KNOWN, 100):
        await store._receive([(of(number), b"{}") for number in range(first, first + 100)])
    async with database.write("done") as uow:
        await uow.session.execute(text("UPDATE outbox SET done_at = not_before"))
        await uow.session.execute(text("ANALYZE"))


async def travel(database: Database, store: TicketStore) -> None:
    """All that happens to events from their arrival until their runs have begun, alone and many at once."""
    known, new = [of(3), of(7)], [of(KNOWN + 1), of(KNOWN + 2)]
    more = [inbound.event(f"more-{each.event_key}", ticket=each.ticket) for each in known]
    ours = [
        of(9).model_copy(
            update={"event_key": "echo", "by_api_user": True, "message": inbound.message(author=Author.OPERATOR)}
        )
    ]
    marked = [ours[0].model_copy(update={"event_key": "marked", "marker": "0192.1"})]
    for events in (known, new, more, ours, marked, [of(KNOWN + 3)], [of(KNOWN + 3)]):
        await store._receive([(each, b"{}") for each in events])
    await store.bury(workspace=DEFAULT_WORKSPACE, source="standard", raw=b"?", reason="?", received_at=inbound.START)
    async with database.write("claim") as uow:
        await uow.outbox.clock_went_back()
        due = await uow.outbox.claim(limit=4, lease=timedelta(seconds=30))
        await uow.outbox.next_due()
    assert len(due) == 4
    begun = [await store.begin_run(each) for each in due]
    assert all(begun)


async def test_no_statement_on_the_way_of_an_event_reads_a_whole_table(database: Database, database_url: str) -> None:
    store = TicketStore(database, IdentifierHash(b"key"))
    await filled(database, store)
    with statements() as executed:
        await travel(database, store)

    wrong = {text_: lines for text_, given in executed if (lines := whole_tables(plan(database_url, text_, given)))}
    assert not wrong
    assert {table for table in TABLES if any(f" {table} " in text_ for text_, _ in executed)} == set(TABLES)


async def test_a_statement_that_reads_a_whole_table_is_found(database: Database, database_url: str) -> None:
    store = TicketStore(database, IdentifierHash(b"key"))
    await filled(database, store)
    with statements() as executed:
        async with database.read() as uow:
            await uow.session.execute(text("SELECT id FROM tickets WHERE requester_email = 'a@example.com'"))

    assert [whole_tables(plan(database_url, text_, given)) != [] for text_, given in executed] == [True]
