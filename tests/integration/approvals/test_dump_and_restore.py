"""A PostgreSQL dump, effects after it, a restore: held back, adopted by an admin, and nothing happens twice."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from approvals.quarantine import Quarantine
from db.anchor import Anchor
from db.audit_sealer import AuditSealer
from db.engine import Database
from db.installation import Installation, Standing
from support_agents.domain.approval import ExecutionStatus, Mode, Role
from support_agents.domain.ids import DEFAULT_WORKSPACE, new_id
from tests.fixtures.approvals import REPLY, Shop, refund

KEY = b"k" * 32
pytestmark = pytest.mark.postgres


def postgres(program: str, url: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs, as docs/operations.md has it."""
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}")
    plain = make_url(url).set(drivername="postgresql")
    subprocess.run(
        [program, *arguments, "--dbname", plain.render_as_string(hide_password=False)],
        check=True,
        timeout=120,
        capture_output=True,
        env={"PATH": os.defpath},
    )


async def test_what_happened_after_a_dump_does_not_happen_again_after_its_restore(
    postgres_url: str, open_database: Callable[..., Database], tmp_path: Path
) -> None:
    anchor, dump = Anchor(tmp_path / "anchor.json", KEY), str(tmp_path / "support.dump")
    before = open_database(postgres_url)
    shop = Shop(before)
    await Installation(AuditSealer(before, anchor, KEY)).begin(DEFAULT_WORKSPACE)
    shop.anchor = AuditSealer(before, anchor, KEY).seal
    await shop.mode(Mode.REPLY)
    money, letter = await shop.proposed(refund(), REPLY)
    ben = await shop.person("ben")
    executions = [await shop.approve(request, ben) for request in (money, letter)]
    ada = await shop.person("ada", Role.ADMIN)
    await shop.anchor(DEFAULT_WORKSPACE)
    postgres("pg_dump", postgres_url, "--format=custom", "--file", dump)

    for execution in executions:
        assert execution is not None
        assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED
    happened = len(shop.payments.booked), len(shop.mail.sent)
    await before.close()
    # `--clean` cannot take away tables in parts: what is restored into is empty.
    postgres("psql", postgres_url, "--command", "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    postgres("pg_restore", postgres_url, "--single-transaction", "--exit-on-error", dump)

    database = open_database(postgres_url)
    shop.database = database
    installation, quarantine = Installation(AuditSealer(database, anchor, KEY)), Quarantine(database, shop.consequences)
    assert await installation.standing(DEFAULT_WORKSPACE) is Standing.BEHIND
    await quarantine.enter(DEFAULT_WORKSPACE, "behind its anchor")
    shop.anchor = AuditSealer(database, anchor, KEY).seal
    for execution in executions:
        assert execution is not None
        assert await shop.executions.carry_out(execution) is ExecutionStatus.IN_DOUBT
    assert (len(shop.payments.booked), len(shop.mail.sent)) == happened == (1, 1)

    await quarantine.adopt(ada, epoch=new_id())
    await installation.adopt(DEFAULT_WORKSPACE)
    assert await installation.standing(DEFAULT_WORKSPACE) is Standing.CURRENT
    await shop.executions.reconcile_due()
    assert executions[0] is not None
    assert executions[1] is not None
    assert await shop.status(executions[0]) is ExecutionStatus.SUCCEEDED  # the provider knows of it
    assert await shop.status(executions[1]) is ExecutionStatus.IN_DOUBT  # mail cannot be asked: for a person
    assert (len(shop.payments.booked), len(shop.mail.sent)) == happened
