"""Before a call leaves, the attempt is known outside the database: no backup can pretend that it never was."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from db.anchor import Anchor
from db.audit_sealer import AuditSealer
from db.engine import Database
from db.installation import Installation, Standing
from support_agents.domain.approval import ExecutionStatus, Mode
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.fixtures.approvals import REPLY, Shop, refund

KEY = b"k" * 32


@pytest.fixture
def anchor(tmp_path: Path) -> Anchor:
    return Anchor(tmp_path / "anchor.json", KEY)


def installation(database: Database, anchor: Anchor) -> Installation:
    return Installation(AuditSealer(database, anchor, KEY))


async def anchored(shop: Shop, anchor: Anchor) -> Shop:
    """The shop in its first epoch, sealing before each call."""
    await installation(shop.database, anchor).begin(DEFAULT_WORKSPACE)
    shop.anchor = AuditSealer(shop.database, anchor, KEY).seal
    return shop


@pytest.mark.parametrize("way", ["refund", "reply"])
async def test_a_backup_made_right_before_an_effect_is_behind_as_soon_as_it_happened(
    sqlite_url: str, open_database: Callable[..., Database], anchor: Anchor, tmp_path: Path, way: str
) -> None:
    shop = await anchored(Shop(open_database(sqlite_url)), anchor)
    await shop.mode(Mode.REPLY)
    execution = await shop.approved(refund() if way == "refund" else REPLY)
    await shop.anchor(DEFAULT_WORKSPACE)
    backup = tmp_path / "backup.db"
    with sqlite3.connect(str(make_url(sqlite_url).database)) as now, sqlite3.connect(backup) as then:
        now.backup(then)
    restored = installation(open_database(f"sqlite+aiosqlite:///{backup}"), anchor)
    assert await restored.standing(DEFAULT_WORKSPACE) is Standing.CURRENT

    assert await shop.executions.carry_out(execution) is ExecutionStatus.SUCCEEDED

    assert await restored.standing(DEFAULT_WORKSPACE) is Standing.BEHIND


async def test_where_the_anchor_cannot_be_set_nobody_is_called(shop: Shop, anchor: Anchor) -> None:
    await anchored(shop, anchor)
    execution = await shop.approved(refund())
    anchor.path.unlink()
    assert await shop.executions.carry_out(execution) is ExecutionStatus.IN_DOUBT
    assert shop.payments.booked == {}
    await installation(shop.database, anchor).adopt(DEFAULT_WORKSPACE)
    await shop.lapse(execution)
    assert await shop.executions.reconcile(execution) is ExecutionStatus.SCHEDULED
