"""Starting on a database: a new one, the same one, a restored backup, and one that lost its anchor."""

import asyncio
import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from api.bootstrap import build_records
from api.resealing import resealing_of
from api.settings import load
from support_agents.domain.approval import Mode, Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.fixtures.installation import Installation, event, open_installation

MIGRATIONS = Path(__file__).parents[3] / "migrations" / "versions"


async def dispatch(installation: Installation) -> str:
    answer = await installation.client.get("/readyz")
    return str(answer.json()["dispatch"])


async def sealed(installation: Installation) -> None:
    """Something happens, and is sealed under the anchor."""
    await installation.add_operator(Role.ADMIN)
    async with installation.working(), asyncio.timeout(120):
        while await unsealed(installation):  # noqa: ASYNC110 - nothing tells a test of a seal
            await asyncio.sleep(0.05)


async def unsealed(installation: Installation) -> int:
    """How many entries are not sealed, or not known outside the database yet."""
    async with installation.container.database.read() as uow:
        waiting = len(await uow.audit.unsealed(DEFAULT_WORKSPACE, limit=10))
        seq, _ = await uow.audit.head(DEFAULT_WORKSPACE) or (0, "")
    anchor = installation.container.standings.installation.anchor
    heads = await asyncio.to_thread(anchor.read)
    return waiting + seq - heads[DEFAULT_WORKSPACE].seq


async def test_a_new_installation_begins_and_goes_on(tmp_path: Path) -> None:
    async with open_installation({"data_dir": tmp_path}) as installation:
        assert await dispatch(installation) == "on"
        await sealed(installation)
    async with open_installation({"data_dir": tmp_path}) as installation:
        assert await dispatch(installation) == "on"


async def test_a_restored_backup_is_held_until_an_admin_adopts_it(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup.db"
    async with open_installation({"data_dir": data}) as installation:
        await sealed(installation)
        admin = dict(installation.operators)
    shutil.copy(data / "support.db", backup)
    async with open_installation({"data_dir": data}) as installation:
        await installation.container.auth.add_operator(
            DEFAULT_WORKSPACE, email="new@support.example", name="New", role=Role.VIEWER, password=None
        )
        installation.operators.update(admin)
        await sealed(installation)
    for leftover in data.glob("support.db*"):
        leftover.unlink()
    shutil.copy(backup, data / "support.db")
    async with open_installation({"data_dir": data}) as installation:
        installation.operators.update(admin)
        assert await dispatch(installation) == "quarantined"
        assert (await installation.send(event())).status_code == 202
        manager = await installation.sign_in(Role.MANAGER)
        refused = await installation.client.post("/v1/quarantine/adopt", headers=manager)
        assert refused.json()["code"] == "not_allowed"
        adopted = await installation.client.post("/v1/quarantine/adopt", headers=await installation.sign_in(Role.ADMIN))
        assert adopted.status_code == 204, adopted.text
        assert await dispatch(installation) == "on"
    async with open_installation({"data_dir": data}) as installation:
        assert await dispatch(installation) == "on"


async def test_a_used_database_without_its_anchor_is_held(tmp_path: Path) -> None:
    async with open_installation({"data_dir": tmp_path}) as installation:
        await sealed(installation)
    (tmp_path / "anchor.json").unlink()
    async with open_installation({"data_dir": tmp_path}) as installation:
        assert await dispatch(installation) == "quarantined"


async def test_without_its_key_nothing_starts_until_the_key_is_said_to_be_lost(tmp_path: Path) -> None:
    async with open_installation({"data_dir": tmp_path}) as installation:
        await sealed(installation)
        lost = installation.container.key.fingerprint
    (tmp_path / "secret_key").unlink()
    with pytest.raises(SupportError, match=lost) as refused:
        async with open_installation({"data_dir": tmp_path}):
            pytest.fail("it started")
    assert refused.value.code == "secret_key_missing"
    records = build_records(load({"data_dir": tmp_path}))
    try:
        await resealing_of(records).forget(lost)
    finally:
        await records.close()
    async with open_installation({"data_dir": tmp_path}) as installation:
        assert await dispatch(installation) == "quarantined"


async def test_the_mode_follows_the_settings(tmp_path: Path) -> None:
    for mode in (Mode.REPLY, Mode.OBSERVE):
        async with (
            open_installation({"data_dir": tmp_path, "mode": mode}) as installation,
            installation.container.database.read() as uow,
        ):
            assert (await uow.workspaces.get(DEFAULT_WORKSPACE)).mode is mode


async def test_readiness_names_what_is_missing(tmp_path: Path) -> None:
    async with open_installation({"data_dir": tmp_path}) as installation:
        answer = await installation.client.get("/readyz")
        assert answer.status_code == 503
        assert {name for name, well in answer.json().items() if well is False} == {"ready", "worker", "index"}
        async with installation.working():
            await installation.container.keeper.wait()
            assert (await installation.client.get("/readyz")).status_code == 200
        assert (await installation.client.get("/healthz")).json() == {"status": "ok"}


async def test_readiness_says_what_a_schema_that_is_behind_needs_and_opens_nothing_for_it(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"data_dir": tmp_path, "database_url": database_url}
    async with open_installation(given) as installation, installation.working():
        await installation.container.keeper.wait()
        assert (await installation.client.get("/readyz")).json()["problem"] == ""

        def opened(*_given: object, **_more: object) -> None:
            pytest.fail("a probe opened something of its own")

        monkeypatch.setattr("db.upgrade.create_engine", opened)
        monkeypatch.setattr("db.upgrade.ScriptDirectory", opened)
        assert (await installation.client.get("/readyz")).status_code == 200
        async with installation.container.database.write("as if restored") as uow:
            await uow.session.execute(text("UPDATE alembic_version SET version_num = '0017'"))
        answer = await installation.client.get("/readyz")
        assert (answer.status_code, answer.json()["migrations"]) == (503, False)
        newest = max(each.stem.partition("_")[0] for each in MIGRATIONS.glob("0*.py"))
        assert answer.json()["problem"] == (
            f"the database is at schema 0017 and misses {int(newest) - 17} migrations up to {newest}:"
            " run `support-agents db upgrade`"
        )
        async with installation.container.database.write("as of a later version") as uow:
            await uow.session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        assert (await installation.client.get("/readyz")).status_code == 200


async def test_the_version_before_may_be_started_again_on_a_later_schema(
    postgres_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_installation({"data_dir": tmp_path, "database_url": postgres_url}) as installation:
        before = await _migrated_by_a_later_version(installation)
    async with open_installation({"data_dir": tmp_path, "database_url": postgres_url}) as installation:
        assert await dispatch(installation) == "on"
        await _migrated_by_a_later_version(installation, back_to=before)  # the database is used again
    assert "schema_newer" in "".join(capsys.readouterr())


async def test_a_server_on_sqlite_refuses_a_later_schema(tmp_path: Path) -> None:
    async with open_installation({"data_dir": tmp_path}) as installation:
        await _migrated_by_a_later_version(installation)
    with pytest.raises(SupportError, match="later version") as refused:
        async with open_installation({"data_dir": tmp_path}):
            pytest.fail("it started")
    assert refused.value.code == "schema_newer"


async def _migrated_by_a_later_version(installation: Installation, *, back_to: str = "9999") -> str:
    """Write a revision; returns the one that was there."""
    async with installation.container.database.write("later") as uow:
        before = (await uow.session.execute(text("SELECT version_num FROM alembic_version"))).scalar_one()
        await uow.session.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": back_to})
    return str(before)
