"""Privileges kept apart: what each database role may do with each table, tried on real connections, and secrets."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError

from api.choices import Privilege, Role
from api.separation import EVERYBODYS, HELD, SECRETS, check_work
from api.settings import Settings, load
from db.engine import Database
from db.roles import GRANTS, VERBS, DatabaseRole
from db.schema import METADATA
from support_agents.domain.approval import ExecutionStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.fixtures.approvals import Shop, refund
from tests.fixtures.brokers import broker_address
from tests.fixtures.database_roles import Addresses, logins
from tests.integration.db.test_fences import plain

TRIES = {
    "s": "SELECT 1 FROM {} LIMIT 0",
    "i": "INSERT INTO {} DEFAULT VALUES",
    "u": "UPDATE {} SET workspace_id = workspace_id WHERE false",
    "d": "DELETE FROM {} WHERE false",
}
NO_FENCE = "ALTER TABLE tickets DISABLE ROW LEVEL SECURITY"
WORKER = (sys.executable, "-m", "api.cli.main", "worker", "--queues", "runs")


@pytest.fixture
def separated(postgres_url: str) -> Iterator[Addresses]:
    """The address of the database for each role, under names of the test's own."""
    with logins(postgres_url) as addresses:
        yield addresses


def _tried(statement: str, table: str) -> str:
    return statement.format(table) if table != "workspaces" else statement.format(table).replace("workspace_id", "id")


def bare() -> dict[str, str]:
    """The environment of a process that was given nothing."""
    return {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}


def may(connection: psycopg.Connection, statement: str) -> bool:
    """Whether the server lets a statement begin, whatever becomes of it; nothing of it stays."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("SET LOCAL app.across = 'upkeep'")
            connection.execute(statement.encode())
    except psycopg.errors.InsufficientPrivilege:
        return False
    except psycopg.errors.IntegrityError:
        return True
    return True


def test_each_role_may_do_what_is_listed_and_nothing_else(separated: Addresses) -> None:
    wrong = []
    for role, url in separated.items():
        with psycopg.connect(plain(url)) as connection:
            for table in METADATA.tables:
                listed = GRANTS[role].get(table, "")
                wrong += [
                    f"{role} {VERBS[letter]} {table}"
                    for letter, statement in TRIES.items()
                    if may(connection, _tried(statement, table)) != (letter in listed)
                ]
                wrong += [f"{role} TRUNCATE {table}"] if may(connection, f"TRUNCATE {table}") else []
            wrong += [f"{role} makes tables"] if may(connection, "CREATE TABLE mine (id int)") else []
            wrong += [f"{role} drops fences"] if may(connection, NO_FENCE) else []
    assert not wrong


def test_i1_only_decide_writes_decisions_and_nobody_changes_them() -> None:
    assert {role for role, tables in GRANTS.items() if "i" in tables.get("decisions", "")} == {DatabaseRole.DECIDE}
    assert not any(set("ud") & set(tables.get("decisions", "")) for tables in GRANTS.values())
    thinking = GRANTS[DatabaseRole.AGENTS]
    assert not any(set("iud") & set(thinking.get(table, "")) for table in ("executions", "attempts", "operators"))
    assert not {"sessions", "api_tokens", "second_factors"} & set(thinking)


async def test_a_refund_goes_through_four_roles(
    postgres_url: str, separated: Addresses, open_database: Callable[..., Database]
) -> None:
    owner = Shop(open_database(postgres_url))
    intake, agents, decide, act = (
        replace(owner, database=open_database(separated[role]))
        for role in (DatabaseRole.INTAKE, DatabaseRole.AGENTS, DatabaseRole.DECIDE, DatabaseRole.ACT)
    )
    person = await owner.person("ben")
    ticket = await intake.write()
    begun, _ = await agents.begin(ticket)
    (money,) = await agents.finish(begun, refund())
    with pytest.raises(Exception, match="permission denied"):
        await agents.approve(money, person)
    with pytest.raises(Exception, match="permission denied"):
        await act.approve(money, person)
    execution = await decide.approve(money, person)
    assert execution is not None
    with pytest.raises(Exception, match="permission denied"):
        await agents.executions.carry_out(execution)
    assert await act.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    assert len(owner.payments.booked) == 1


def test_every_secret_has_its_holders() -> None:
    secret = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert secret - EVERYBODYS == SECRETS - {"dkim_key"}
    outside = {"smtp_password", "stripe_key", "paypal_secret", "zendesk_token", "step_secret", "dkim_key"}
    for privilege, held in HELD.items():
        assert not outside & held or privilege is Privilege.ACT
    assert not {"secret_key", "decision_key"} & HELD[Privilege.AGENTS]


@pytest.mark.parametrize("name", sorted(SECRETS - HELD[Privilege.AGENTS]))
def test_an_agents_process_refuses_a_secret_that_is_not_its_own(name: str, tmp_path: Path) -> None:
    value = "whsec_" + "k" * 40
    given: dict[str, object] = {name: (SecretStr(value),) if name.endswith("_secrets") else value}
    with pytest.raises(SupportError) as refused:
        load({"data_dir": tmp_path, "privilege": "agents", "dkim_selector": "s", **given})
    assert f"SUPPORT_{name.upper()}" in refused.value.message
    assert value not in refused.value.message


@pytest.mark.parametrize(
    ("privilege", "role", "queues"),
    [
        (Privilege.AGENTS, Role.WORKER, ["runs"]),
        (Privilege.ACT, Role.WORKER, ["actions", "background"]),
        (Privilege.AGENTS, Role.RELAY, []),
        (Privilege.ACT, Role.SCHEDULER, []),
        (Privilege.INTAKE, Role.API, []),
        (Privilege.DECIDE, Role.API, []),
        (None, Role.SERVE, []),
    ],
)
def test_a_process_does_the_work_of_its_privilege(privilege: Privilege | None, role: Role, queues: list[str]) -> None:
    check_work(privilege, role, queues)


@pytest.mark.parametrize(
    ("privilege", "role", "queues"),
    [
        (Privilege.AGENTS, Role.WORKER, ["runs", "actions"]),
        (Privilege.AGENTS, Role.WORKER, ["actions"]),
        (Privilege.ACT, Role.WORKER, ["runs", "actions"]),
        (Privilege.ACT, Role.WORKER, ["runs"]),
        (Privilege.AGENTS, Role.SCHEDULER, []),
        (Privilege.AGENTS, Role.API, []),
        (Privilege.INTAKE, Role.RELAY, []),
        (Privilege.DECIDE, Role.SERVE, []),
    ],
)
def test_a_process_does_no_other_work(privilege: Privilege, role: Role, queues: list[str]) -> None:
    with pytest.raises(SupportError):
        check_work(privilege, role, queues)


def test_a_worker_of_runs_starts_with_no_secret_and_the_rights_of_agents(separated: Addresses, tmp_path: Path) -> None:
    given = {
        "SUPPORT_DATA_DIR": str(tmp_path),
        "SUPPORT_DATABASE_URL": separated[DatabaseRole.AGENTS],
        "SUPPORT_BROKER_URL": broker_address("redis"),
        "SUPPORT_BROKER_PREFIX": f"t{uuid4().hex[:12]}",
        "SUPPORT_PRIVILEGE": "agents",
        "SUPPORT_LOG_FORMAT": "json",
    }
    log = tmp_path / "log"
    with log.open("w") as written, subprocess.Popen(WORKER, env=bare() | given, stderr=written) as worker:
        try:
            until = time.monotonic() + 120
            while "worker_ready" not in log.read_text() and worker.poll() is None and time.monotonic() < until:
                time.sleep(0.2)
            has = Path(f"/proc/{worker.pid}/environ").read_text(encoding="utf-8").split("\0")
        finally:
            worker.terminate()
    assert "worker_ready" in log.read_text(), log.read_text()
    assert "permission denied" not in log.read_text()
    names = {line.partition("=")[0] for line in has if line.startswith("SUPPORT_")}
    assert names == set(given)
    assert not {f"SUPPORT_{name.upper()}" for name in SECRETS} & names


def test_a_worker_of_runs_that_was_given_a_payment_key_does_not_start(tmp_path: Path, postgres_url: str) -> None:
    given = {
        "SUPPORT_DATA_DIR": str(tmp_path),
        "SUPPORT_DATABASE_URL": postgres_url,
        "SUPPORT_BROKER_URL": "redis://127.0.0.1:1/0",
        "SUPPORT_PRIVILEGE": "agents",
        "SUPPORT_STRIPE_KEY": "sk_live_of_somebody_else",
    }
    ended = subprocess.run(
        WORKER,
        env=bare() | given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode != 0
    assert "SUPPORT_STRIPE_KEY" in ended.stdout + ended.stderr
    assert "of_somebody_else" not in ended.stdout + ended.stderr


async def test_i9_who_decides_or_acts_notes_keys_but_never_how_far_one_may_have_sealed(separated: Addresses) -> None:
    for role in (DatabaseRole.DECIDE, DatabaseRole.ACT):
        database = Database.open(separated[role])
        try:
            async with database.write("noted") as uow:
                for _ in range(2):
                    await uow.secret_keys.add(DEFAULT_WORKSPACE, kind="installation", fingerprint=role)
                record = (await uow.secret_keys.all(DEFAULT_WORKSPACE))[-1]
            assert record.fingerprint == role
            with pytest.raises(DBAPIError, match="permission denied"):
                async with database.write("let_go") as uow:
                    await uow.secret_keys.retire(DEFAULT_WORKSPACE, record, sealed_to=10**9, kept={})
        finally:
            await database.close()
