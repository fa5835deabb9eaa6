"""Parts by month on PostgreSQL: rows find theirs, nothing gets past the table, what is taken off stays on record."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from alembic import command
from psycopg import sql
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from db.anchor import Anchor
from db.audit_sealer import AuditSealer, Problem, Tampering
from db.engine import Database
from db.installation import Installation, Standing
from db.part_removal import OpenTickets, PartRemoval
from db.part_store import PartStore
from db.parts import FIRST, PARTED, REST
from db.upgrade import _config, run, upgrade
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, new_id
from tests.fixtures.database import POSTGRES, _administer, _url
from tests.fixtures.many_rows import fill
from tests.fixtures.parts import cut_first, whole_of

NOW = datetime.now(UTC)
KEPT = ("run_sections", "audit")


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def key_of(moment: datetime) -> UUID:
    """An id as it would be made at that time."""
    return UUID(int=int(moment.timestamp() * 1000) << 80 | 0x7 << 76 | 0x2 << 62 | uuid4().int >> 70)


def ask(url: str, statement: str, *given: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(plain(url), autocommit=True) as connection:
        cursor = connection.execute(statement.encode(), given)
        return cursor.fetchall() if cursor.description else []


def parts_of(url: str, table: str) -> set[str]:
    return {
        name
        for (name,) in ask(
            url, "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", table
        )
    }


def entry(url: str, moment: datetime) -> str:
    """Put an entry with an id of that time on record; return the part it is in."""
    ((part,),) = ask(
        url,
        "INSERT INTO audit (id, workspace_id, at, event, subject, actor, data)"
        " VALUES (%s, %s, now(), 'tried', %s, 'test', '{}') RETURNING tableoid::regclass::text",
        key_of(moment), DEFAULT_WORKSPACE, new_id(),
    )  # fmt: skip
    return str(part)


@pytest.fixture
async def sealer(postgres_url: str, tmp_path: Path) -> AsyncIterator[AuditSealer]:
    database = Database.open(postgres_url)
    yield AuditSealer(database, Anchor(tmp_path / "anchor.json", b"key"), b"key")
    await database.close()


async def begun(sealer: AuditSealer) -> Installation:
    installation = Installation(sealer)
    await installation.begin(DEFAULT_WORKSPACE)
    return installation


def cut_months(url: str) -> tuple[datetime, datetime]:
    """Have the first part end two months ago, and the next be a month long; return both ends."""
    ends = [NOW - timedelta(days=70), NOW - timedelta(days=40)]
    with psycopg.connect(plain(url), autocommit=True) as connection:
        for table in PARTED:
            cut_first(connection, table, [UUID(int=int(end.timestamp() * 1000) << 80) for end in ends])
    return ends[0], ends[1]


def test_coming_months_have_their_parts(postgres_url: str) -> None:
    for table in PARTED:
        assert parts_of(postgres_url, table) == {f"{table}_{FIRST}", f"{table}_{REST}"}
    assert entry(postgres_url, NOW + timedelta(days=60)) == f"audit_{FIRST}"
    assert entry(postgres_url, NOW + timedelta(days=5 * 365)) == f"audit_{REST}"


async def test_months_are_made_when_they_come_and_take_what_lay_in_the_rest(postgres_url: str) -> None:
    database = Database.open(postgres_url)
    store = PartStore(database)
    try:
        assert await store.make() == 0
        later = NOW + timedelta(days=150)
        assert entry(postgres_url, later) == f"audit_{REST}"
        assert await store.strays() == (f"audit_{REST}",)
        run(postgres_url, [until(months=8)])
        assert await store.make() == 5 * len(PARTED)
        assert await store.make() == 0
        assert await store.strays() == ()
        month = f"audit_{later:%Y_%m}"
        assert ask(postgres_url, "SELECT DISTINCT tableoid::regclass::text FROM audit") == [(month,)]
        assert entry(postgres_url, later) == month
        named = [part.name for part in await store.parts() if part.parted == "audit"]
        assert (named[0], named[-1], len(named)) == (f"audit_{FIRST}", f"audit_{REST}", 7)
    finally:
        await database.close()


async def test_sqlite_says_that_it_has_no_parts(sqlite_url: str) -> None:
    database = Database.open(sqlite_url)
    try:
        assert await PartStore(database).make() == 0
        assert await PartStore(database).strays() == ()
        with pytest.raises(SupportError, match="SQLite keeps each table whole"):
            await PartStore(database).parts()
    finally:
        await database.close()


def until(months: int) -> str:
    """What has parts made for more months than is usual."""
    return (
        "CREATE OR REPLACE FUNCTION parts_end() RETURNS timestamp LANGUAGE sql AS"
        f" $$ SELECT date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') + interval '{months} months' $$"
    )


def made_later(url: str) -> None:
    run(url, [until(months=4), "SELECT make_parts()"])


@pytest.fixture
def role(postgres_url: str) -> Iterator[str]:
    """A role that may do with the tables all that any process may."""
    name = f"support_test_{uuid4().hex[:12]}"
    _administer(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
    with psycopg.connect(plain(postgres_url), autocommit=True) as connection:
        # Whoever gives rights on tables to come by default has not thought of parts.
        connection.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO {name}".encode())
        for table in PARTED:
            connection.execute(f"GRANT ALL ON {table} TO {name}".encode())
    yield name
    with psycopg.connect(plain(postgres_url), autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {name}".encode())
    _administer(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.mark.parametrize(
    "verb", ["SELECT count(*) FROM {}", "DELETE FROM {}", "TRUNCATE {}", "INSERT INTO {} DEFAULT VALUES"]
)
def test_no_role_reaches_a_part_by_its_own_name(postgres_url: str, role: str, verb: str) -> None:
    made_later(postgres_url)
    fill(postgres_url, 20)
    for table in PARTED:
        parts = parts_of(postgres_url, table)
        assert len(parts) == 3
        for part in parts:
            with psycopg.connect(plain(postgres_url)) as connection:
                connection.execute(f"SET ROLE {role}".encode())
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(verb.format(part).encode())


def test_behind_the_fence_of_nobody_a_part_shows_nothing_even_to_who_has_rights(postgres_url: str, role: str) -> None:
    made_later(postgres_url)
    fill(postgres_url, 20)
    for table in PARTED:
        for part in parts_of(postgres_url, table):
            with psycopg.connect(plain(postgres_url)) as connection:
                connection.execute(f"GRANT SELECT ON {part} TO {role}".encode())
                connection.execute(f"SET ROLE {role}".encode())
                assert connection.execute(f"SELECT count(*) FROM {part}".encode()).fetchall() == [(0,)]  # noqa: S608
                connection.execute("SET LOCAL app.across = 'upkeep'")
                held = connection.execute(f"SELECT count(*) FROM {part}".encode()).fetchall()  # noqa: S608
                assert held == [(20 if part.endswith(FIRST) else 0,)]


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET workspace_id = workspace_id, {}", "DELETE FROM {}", "TRUNCATE {}"]
)
def test_rows_of_a_part_are_kept_as_written_from_its_owner_too(postgres_url: str, table: str, statement: str) -> None:
    made_later(postgres_url)
    fill(postgres_url, 20)
    change = "actor = 'x'" if table == "audit" else "content = 'x'"
    for part in parts_of(postgres_url, table):
        empty = not part.endswith(FIRST)
        if empty and not statement.startswith("TRUNCATE"):
            continue  # no row to be kept
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="insert-only"):
            ask(postgres_url, statement.format(part, change))


@pytest.mark.parametrize(
    ("table", "column"), [("messages", "ticket_id"), ("run_sections", "run_id"), ("audit", "workspace_id")]
)
def test_references_hold_in_every_part(postgres_url: str, table: str, column: str) -> None:
    made_later(postgres_url)
    for part in parts_of(postgres_url, table):
        keys = ask(
            postgres_url,
            "SELECT 1 FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)"
            " WHERE k.conrelid = %s::regclass AND k.contype = 'f' AND k.convalidated AND a.attname = %s",
            part, column,
        )  # fmt: skip
        assert len(keys) == 1, part


async def test_i7_a_number_of_the_audit_is_given_once_over_all_parts(postgres_url: str, sealer: AuditSealer) -> None:
    await begun(sealer)
    cut_months(postgres_url)
    old, new = entry(postgres_url, NOW - timedelta(days=50)), entry(postgres_url, NOW)
    assert old != new
    await sealer.seal(DEFAULT_WORKSPACE)
    entry(postgres_url, NOW)
    with pytest.raises(psycopg.errors.UniqueViolation, match="given once"):
        ask(
            postgres_url,
            "UPDATE audit SET sealed_seq = 1, salt = 's', commitment = 'c', seal = 's' WHERE sealed_seq IS NULL",
        )
    with pytest.raises(psycopg.errors.CheckViolation, match="without a number"):
        ask(
            postgres_url,
            "INSERT INTO audit (id, workspace_id, event, subject, actor, data, sealed_seq)"
            " VALUES (%s, %s, 'x', %s, 'x', '{}', 2)",
            key_of(NOW - timedelta(days=50)), DEFAULT_WORKSPACE, new_id(),
        )  # fmt: skip


async def test_a_part_taken_off_leaves_what_the_chain_needs(postgres_url: str, sealer: AuditSealer) -> None:
    installation = await begun(sealer)
    first_end, second_end = cut_months(postgres_url)
    for days in (80, 50, 75, 1, 50):  # about a month's end the chain goes to and fro between parts
        entry(postgres_url, NOW - timedelta(days=days))
        await sealer.seal(DEFAULT_WORKSPACE)
    removal = PartRemoval(sealer.database, sealer)
    assert await sealer.verify(DEFAULT_WORKSPACE) == ()

    assert set(await removal.detach(first_end)) == {f"{table}_2001_01" for table in PARTED}
    assert await sealer.verify(DEFAULT_WORKSPACE) == ()
    assert set(await removal.detach(second_end)) == {f"{table}_2001_02" for table in PARTED}
    assert ask(postgres_url, "SELECT sealed_seq FROM audit") == [(4,)]
    assert await sealer.verify(DEFAULT_WORKSPACE) == ()
    assert await installation.standing(DEFAULT_WORKSPACE) is Standing.CURRENT

    entry(postgres_url, NOW)
    assert await sealer.seal(DEFAULT_WORKSPACE) == 1
    assert await sealer.verify(DEFAULT_WORKSPACE) == ()
    assert sorted(ask(postgres_url, "SELECT sealed_seq FROM audit")) == [(4,), (6,)]
    async with sealer.database.read() as uow:
        manifests = await uow.audit.manifests(DEFAULT_WORKSPACE)
    assert [(each.part, each.held) for each in manifests] == [("audit_2001_01", 2), ("audit_2001_02", 2)]


@pytest.fixture
async def taken_off(postgres_url: str, sealer: AuditSealer) -> AuditSealer:
    """A chain of four entries, of which the second and third were taken off."""
    await begun(sealer)
    _, end = cut_months(postgres_url)
    for days in (1, 50, 50, 1):
        entry(postgres_url, NOW - timedelta(days=days))
        await sealer.seal(DEFAULT_WORKSPACE)
    await PartRemoval(sealer.database, sealer).detach(end)
    assert await sealer.verify(DEFAULT_WORKSPACE) == ()
    return sealer


@pytest.mark.parametrize("given", [6, 2**31 - 1, -1, 0])
async def test_i9_a_number_follows_the_last(postgres_url: str, taken_off: AuditSealer, given: int) -> None:
    entry(postgres_url, NOW)
    sealing = "UPDATE audit SET sealed_seq = {}, salt = 's', commitment = 'c', seal = 's' WHERE sealed_seq IS NULL"
    with pytest.raises(psycopg.errors.CheckViolation, match="follows the last"):
        ask(postgres_url, sealing.format(given))
    assert await taken_off.seal(DEFAULT_WORKSPACE) == 1


FORGED = (
    "INSERT INTO part_manifests (id, workspace_id, parted, part, before, held, first, last, digest, spans, last_seq,"
    " last_seal, mac) SELECT gen_random_uuid(), workspace_id, parted, {part}, before, held, first, last, digest,"
    " jsonb_build_array(jsonb_build_array(5, {seq}, '', {seal})), {seq}, {seal}, 'made up' FROM part_manifests"
    " WHERE parted = 'audit'"
)


async def test_i9_a_manifest_that_was_made_up_moves_no_head(postgres_url: str, taken_off: AuditSealer) -> None:
    ask(postgres_url, FORGED.format(part="part", seq=10**6, seal="'x'"))
    entry(postgres_url, NOW)
    assert await taken_off.seal(DEFAULT_WORKSPACE) == 1
    assert taken_off.anchor.read()[DEFAULT_WORKSPACE].seq == 5
    await Installation(taken_off).adopt(DEFAULT_WORKSPACE)
    assert taken_off.anchor.read()[DEFAULT_WORKSPACE].seq == 5


async def test_i9_a_manifest_that_was_made_up_does_not_hide_that_a_backup_is_older(
    postgres_url: str, taken_off: AuditSealer
) -> None:
    head = taken_off.anchor.read()[DEFAULT_WORKSPACE]
    taken_off.anchor.write(DEFAULT_WORKSPACE, head.model_copy(update={"seq": 9, "seal": "n"}))
    ask(postgres_url, FORGED.format(part="'audit_2001_03'", seq=9, seal="'n'"))
    assert await Installation(taken_off).standing(DEFAULT_WORKSPACE) is Standing.BEHIND


async def test_i9_a_manifest_beside_the_true_one_gives_the_next_part_no_seal(
    postgres_url: str, sealer: AuditSealer
) -> None:
    await begun(sealer)
    first_end, second_end = cut_months(postgres_url)
    for days in (80, 50, 1):
        entry(postgres_url, NOW - timedelta(days=days))
        await sealer.seal(DEFAULT_WORKSPACE)
    await PartRemoval(sealer.database, sealer).detach(first_end)
    ask(postgres_url, FORGED.replace("(5, {seq}", "(1, {seq}").format(part="part", seq=1, seal="'x'"))
    assert "audit_2001_02" in await PartRemoval(sealer.database, sealer).detach(second_end)
    assert await sealer.verify(DEFAULT_WORKSPACE) == ()


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE part_manifests SET held = 7", Problem(2, Tampering.BAD_MANIFEST)),
        ("UPDATE part_manifests SET digest = 'x'", Problem(2, Tampering.BAD_MANIFEST)),
        ('UPDATE part_manifests SET spans = \'[[2, 3, "", "x"]]\'', Problem(2, Tampering.BAD_MANIFEST)),
        ("DELETE FROM part_manifests", Problem(2, Tampering.MISSING)),
    ],
)
async def test_i9_a_manifest_that_was_changed_says_nothing(
    postgres_url: str, taken_off: AuditSealer, statement: str, found: Problem
) -> None:
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="insert-only"):
        ask(postgres_url, statement)
    ask(postgres_url, f"SET session_replication_role = replica; {statement}")
    assert found in await taken_off.verify(DEFAULT_WORKSPACE)


async def test_i9_only_keys_in_use_speak_for_rows_that_were_taken_off(
    postgres_url: str, taken_off: AuditSealer
) -> None:
    rotated = replace(taken_off, key=b"a later key", former=lambda: ((taken_off.key, None),))
    assert await rotated.verify(DEFAULT_WORKSPACE) == ()
    let_go = replace(rotated, former=lambda: ((taken_off.key, 4),))
    assert Problem(2, Tampering.BAD_MANIFEST) in await let_go.verify(DEFAULT_WORKSPACE)
    for _ in range(2):
        await rotated.seal_parts_again(DEFAULT_WORKSPACE)
    assert await let_go.verify(DEFAULT_WORKSPACE) == ()
    ((copies,),) = ask(postgres_url, "SELECT max(count) FROM (SELECT count(*) FROM part_manifests GROUP BY part) each")
    assert copies == 2


async def test_the_next_part_can_be_taken_off_after_manifests_were_sealed_again(
    postgres_url: str, sealer: AuditSealer
) -> None:
    await begun(sealer)
    first_end, second_end = cut_months(postgres_url)
    for days in (80, 50, 1):
        entry(postgres_url, NOW - timedelta(days=days))
        await sealer.seal(DEFAULT_WORKSPACE)
    await PartRemoval(sealer.database, sealer).detach(first_end)
    rotated = replace(sealer, key=b"a later key", former=lambda: ((sealer.key, None),))
    await rotated.seal_parts_again(DEFAULT_WORKSPACE)
    assert "audit_2001_02" in await PartRemoval(sealer.database, rotated).detach(second_end)
    assert await replace(rotated, former=lambda: ((sealer.key, 3),)).verify(DEFAULT_WORKSPACE) == ()


async def test_i9_an_entry_put_in_place_of_one_taken_off_is_found(postgres_url: str, taken_off: AuditSealer) -> None:
    ask(
        postgres_url,
        "SET session_replication_role = replica; INSERT INTO audit SELECT gen_random_uuid(), workspace_id, at, event,"
        " subject, actor, data, salt, commitment, 2, seal FROM audit WHERE sealed_seq = 1",
    )
    assert await taken_off.verify(DEFAULT_WORKSPACE) != ()


async def test_nothing_is_taken_off_that_does_not_verify(postgres_url: str, sealer: AuditSealer) -> None:
    await begun(sealer)
    _, end = cut_months(postgres_url)
    entry(postgres_url, NOW - timedelta(days=50))
    removal = PartRemoval(sealer.database, sealer)
    with pytest.raises(SupportError, match="no seal yet"):
        await removal.detach(end)
    await sealer.seal(DEFAULT_WORKSPACE)
    ask(postgres_url, "SET session_replication_role = replica; UPDATE audit SET actor = 'nobody'")
    with pytest.raises(SupportError, match=r"entry 1 of workspace .*: changed"):
        await removal.detach(end)
    with pytest.raises(SupportError, match="an earlier month"):
        await removal.detach(NOW)
    assert "audit_2001_02" in parts_of(postgres_url, "audit")


async def test_what_belongs_to_open_tickets_is_not_taken_off(postgres_url: str, sealer: AuditSealer) -> None:
    await begun(sealer)
    cut_months(postgres_url)
    fill(postgres_url, 20)
    ask(postgres_url, "SET session_replication_role = replica; DELETE FROM audit; DELETE FROM part_manifests")
    ask(postgres_url, "UPDATE tickets SET status = 'solved'")
    ((left, name),) = ask(postgres_url, "SELECT id, external_id FROM tickets ORDER BY id LIMIT 1")
    ask(postgres_url, "UPDATE tickets SET status = 'open' WHERE id = %s", left)
    (ends,) = [part.until for part in await PartStore(sealer.database).parts() if part.name == "messages_2001_01"]
    assert ends is not None
    removal = PartRemoval(sealer.database, sealer)
    for held in ("run_sections", "messages"):  # either would be missed
        with pytest.raises(SupportError, match=rf"1 open tickets .*{name} \({held}_2001_01\).* close them") as refused:
            await removal.detach(ends)
        assert refused.value.code == "open_tickets"
        assert {f"{each}_2001_01" for each in PARTED} <= {
            part.name for part in await PartStore(sealer.database).parts()
        }
        ask(postgres_url, "SET session_replication_role = replica; DELETE FROM run_sections")
    assert "messages_2001_01" in await removal.detach(ends, OpenTickets.GO)


async def test_the_manifest_is_what_the_table_still_says(postgres_url: str, sealer: AuditSealer, role: str) -> None:
    await begun(sealer)
    cut_months(postgres_url)
    fill(postgres_url, 20)
    ask(postgres_url, "SET session_replication_role = replica; DELETE FROM audit; DELETE FROM part_manifests")
    ask(postgres_url, "UPDATE tickets SET status = 'closed'")
    (ends,) = [part.until for part in await PartStore(sealer.database).parts() if part.name == "messages_2001_01"]
    assert ends is not None
    await PartRemoval(sealer.database, sealer).detach(ends)
    async with sealer.database.read() as uow:
        found = {each.parted: each for each in await uow.audit.manifests(DEFAULT_WORKSPACE)}
    assert {each.held for each in found.values()} == {20}
    for table, order in (("messages", "id"), ("run_sections", "run_id, section")):
        lines = ask(
            f"{postgres_url}?options=-ctimezone%3DUTC",
            f"SELECT encode(sha256(convert_to(p::text, 'UTF8')), 'hex') FROM {found[table].part} p ORDER BY {order}",  # noqa: S608
        )
        digest = hashlib.sha256("".join(f"{line}\n" for (line,) in lines).encode()).hexdigest()
        assert digest == found[table].digest
        assert found[table].holds(b"key")
        assert not found[table].holds(b"another")
        with psycopg.connect(plain(postgres_url)) as connection:
            connection.execute(f"SET ROLE {role}".encode())
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"TABLE {found[table].part}".encode())


@pytest.mark.postgres
def test_rows_beyond_the_first_part_are_not_lost_by_the_migration() -> None:
    if not POSTGRES:
        pytest.skip("needs SUPPORT_TEST_POSTGRES_URL")
    name = f"support_late_{uuid4().hex[:12]}"
    _administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        url = _url(name)
        command.upgrade(_config(url), "0015")
        with create_engine(url, poolclass=NullPool).begin() as connection:
            for days in (0, 5 * 365):
                connection.execute(
                    text(
                        "INSERT INTO audit (id, workspace_id, at, event, subject, actor, data)"
                        " VALUES (:id, :workspace, now(), 'x', :id, 'x', '{}')"
                    ),
                    {"id": key_of(NOW + timedelta(days=days)), "workspace": DEFAULT_WORKSPACE},
                )
        upgrade(url)
        assert ask(url, "SELECT tableoid::regclass::text, count(*) FROM audit GROUP BY 1 ORDER BY 1") == [
            (f"audit_{FIRST}", 1),
            (f"audit_{REST}", 1),
        ]
        assert {whole_of(part) for part in parts_of(url, "audit")} == {"audit"}
    finally:
        _administer(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
