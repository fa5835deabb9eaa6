"""Sealing, tampering, and the anchor that a restored backup cannot know – on both databases."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db.anchor import Anchor, Head
from db.audit_sealer import AuditSealer, Problem, Tampering
from db.engine import Database
from db.installation import Installation, Standing
from db.interaction_log import InteractionLog
from db.repositories.audit import Seal
from db.repositories.subjects import IdentifierHash
from db.ticket_store import TicketStore
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, new_id
from tests.fixtures.inbound import event
from tests.fixtures.records import record_of

TRIGGERS = ("update", "delete")


@pytest.fixture
def installation(database: Database, tmp_path: Path) -> Installation:
    return Installation(AuditSealer(database, Anchor(tmp_path / "anchor.json", b"key"), b"key"))


@pytest.fixture
async def sealer(installation: Installation) -> AuditSealer:
    await installation.begin(DEFAULT_WORKSPACE)
    return installation.sealer


async def append(database: Database, count: int = 3) -> None:
    async with database.write("append") as uow:
        for number in range(count):
            await uow.audit.append(
                workspace=DEFAULT_WORKSPACE, event="tried", subject=new_id(), actor="test", data={"n": str(number)}
            )


async def tamper(database: Database, statement: str) -> None:
    """Change rows as somebody with the file and no respect for triggers would."""
    async with database.write("tamper") as uow:
        dialect = uow.session.backend
        for event in TRIGGERS:
            on = " ON audit" if dialect == "postgresql" else ""
            await uow.session.execute(text(f"DROP TRIGGER keep_audit_{event}{on}"))
        await uow.session.execute(text(statement))


async def test_an_untouched_chain_verifies(database: Database, sealer: AuditSealer) -> None:
    await append(database)
    assert await sealer.seal(DEFAULT_WORKSPACE) == 3
    await append(database, 2)
    assert await sealer.seal(DEFAULT_WORKSPACE) == 2
    assert await sealer.seal(DEFAULT_WORKSPACE) == 0
    assert await sealer.verify(DEFAULT_WORKSPACE) == ()


async def test_sealers_at_once_make_one_chain(database: Database, sealer: AuditSealer) -> None:
    await append(database, 20)
    counts = await asyncio.gather(*(sealer.seal(DEFAULT_WORKSPACE) for _ in range(3)))
    assert sum(counts) == 20
    assert await sealer.verify(DEFAULT_WORKSPACE) == ()


@pytest.mark.parametrize(
    ("statement", "problems"),
    [
        ("UPDATE audit SET actor = 'nobody' WHERE sealed_seq = 2", (Problem(2, Tampering.CHANGED),)),
        ("UPDATE audit SET event = 'x', commitment = 'y' WHERE sealed_seq = 2",
         (Problem(2, Tampering.CHANGED), Problem(2, Tampering.BAD_SEAL))),
        ("DELETE FROM audit WHERE sealed_seq = 2", (Problem(2, Tampering.MISSING),)),
        ("DELETE FROM audit WHERE sealed_seq = 3", (Problem(3, Tampering.BEHIND_ANCHOR),)),
        ("DELETE FROM audit", (Problem(3, Tampering.BEHIND_ANCHOR),)),
    ],
)  # fmt: skip
async def test_i9_tampering_is_found(
    database: Database, sealer: AuditSealer, statement: str, problems: tuple[Problem, ...]
) -> None:
    await append(database)
    await sealer.seal(DEFAULT_WORKSPACE)
    await tamper(database, statement)
    assert await sealer.verify(DEFAULT_WORKSPACE) == problems


async def test_i9_a_changed_record_is_found(database: Database, sealer: AuditSealer) -> None:
    store = TicketStore(database, IdentifierHash(b"key"))
    await store.receive(event(), b"{}")
    async with database.write("claim") as uow:
        (due,) = await uow.outbox.claim(limit=1, lease=timedelta(minutes=1))
    begun = await store.begin_run(due)
    assert begun is not None
    async with database.write("card_ready") as uow:
        await InteractionLog().store(uow, record_of(begun), attempt=1)
    await sealer.seal(DEFAULT_WORKSPACE)
    assert await sealer.verify(DEFAULT_WORKSPACE) == ()
    await _execute(database, "UPDATE runs SET reason = 'another'")
    assert await sealer.verify(DEFAULT_WORKSPACE) == (Problem(1, Tampering.RECORD_CHANGED),)


async def test_nothing_is_sealed_over_a_gap(database: Database, sealer: AuditSealer) -> None:
    await append(database)
    await sealer.seal(DEFAULT_WORKSPACE)
    await tamper(database, "DELETE FROM audit WHERE sealed_seq = 3")
    await append(database)
    with pytest.raises(SupportError) as caught:
        await sealer.seal(DEFAULT_WORKSPACE)
    assert caught.value.code == "behind_anchor"


async def forge(database: Database, seq: int, seal: str = "made up") -> None:
    """Number the first entry that has no seal, as somebody may who has the right to seal and no key."""
    async with database.write("forge") as uow:
        entry, *_ = await uow.audit.unsealed(DEFAULT_WORKSPACE, limit=1)
        await uow.audit.add_seals([Seal(entry=entry.id, salt="s", commitment="c", seq=seq, seal=seal)])


async def test_i9_nothing_is_sealed_after_an_entry_that_this_installation_did_not_seal(
    database: Database, installation: Installation, sealer: AuditSealer
) -> None:
    await append(database)
    await sealer.seal(DEFAULT_WORKSPACE)
    await append(database)
    await forge(database, 4)
    for _ in range(2):
        with pytest.raises(SupportError, match="entry 4 after the anchored 3") as caught:
            await sealer.seal(DEFAULT_WORKSPACE)
        assert caught.value.code == "audit_broken"
    assert sealer.anchor.read()[DEFAULT_WORKSPACE].seq == 3
    assert await installation.standing(DEFAULT_WORKSPACE) is Standing.BROKEN

    await installation.adopt(DEFAULT_WORKSPACE)  # an admin has looked at it
    assert await installation.standing(DEFAULT_WORKSPACE) is Standing.CURRENT
    assert await sealer.seal(DEFAULT_WORKSPACE) == 2
    assert {each.seq for each in await sealer.verify(DEFAULT_WORKSPACE)} == {4}


async def test_i9_a_number_that_no_other_may_follow_is_not_believed(sqlite_url: str, tmp_path: Path) -> None:
    database = Database.open(sqlite_url)  # PostgreSQL refuses it: `test_i9_a_number_follows_the_last`
    try:
        sealer = AuditSealer(database, Anchor(tmp_path / "anchor.json", b"key"), b"key")
        await Installation(sealer).begin(DEFAULT_WORKSPACE)
        await append(database)
        await forge(database, 2**31 - 1)
        with pytest.raises(SupportError, match="entry 1 after the anchored 0"):
            await sealer.seal(DEFAULT_WORKSPACE)
    finally:
        await database.close()


async def test_what_another_process_sealed_is_gone_on_from(
    database: Database, sealer: AuditSealer, tmp_path: Path
) -> None:
    other = replace(sealer, anchor=Anchor(tmp_path / "other.json", b"key"), turn=asyncio.Lock())
    other.anchor.write(DEFAULT_WORKSPACE, sealer.anchor.read()[DEFAULT_WORKSPACE])
    await append(database)
    assert await sealer.seal(DEFAULT_WORKSPACE) == 3
    await append(database)
    assert await other.seal(DEFAULT_WORKSPACE) == 3
    assert await sealer.seal(DEFAULT_WORKSPACE) == 0
    assert sealer.anchor.read() == other.anchor.read()
    assert await sealer.verify(DEFAULT_WORKSPACE) == ()


async def test_an_anchored_entry_that_another_took_the_place_of_is_noticed(
    database: Database, sealer: AuditSealer
) -> None:
    await append(database)
    await sealer.seal(DEFAULT_WORKSPACE)
    before = sealer.anchor.read()[DEFAULT_WORKSPACE]
    await append(database)
    await sealer.seal(DEFAULT_WORKSPACE)
    with pytest.raises(SupportError, match="bad_seal"):
        await sealer.followed(DEFAULT_WORKSPACE, before.model_copy(update={"seal": "another's"}))


@pytest.mark.parametrize("change", ["UPDATE audit SET actor = 'x'", "UPDATE audit SET seal = 'x'", "DELETE FROM audit"])
async def test_i9_the_database_refuses_changes(database: Database, sealer: AuditSealer, change: str) -> None:
    await append(database)
    await sealer.seal(DEFAULT_WORKSPACE)
    with pytest.raises(IntegrityError, match="insert-only"):
        await _execute(database, change)


async def test_the_database_refuses_changes_before_sealing_too(database: Database) -> None:
    await append(database)
    with pytest.raises(IntegrityError, match="insert-only"):
        await _execute(database, "UPDATE audit SET actor = 'x'")


async def _execute(database: Database, statement: str) -> None:
    async with database.write("change") as uow:
        await uow.session.execute(text(statement))


async def test_a_new_installation_begins_once(installation: Installation) -> None:
    assert await installation.standing(DEFAULT_WORKSPACE) is Standing.FIRST
    await installation.begin(DEFAULT_WORKSPACE)
    assert await installation.standing(DEFAULT_WORKSPACE) is Standing.CURRENT


async def test_an_older_database_is_behind_until_adopted(
    database: Database, installation: Installation, sealer: AuditSealer
) -> None:
    await append(database)
    await sealer.seal(DEFAULT_WORKSPACE)
    assert await installation.standing(DEFAULT_WORKSPACE) is Standing.CURRENT
    await tamper(database, "DELETE FROM audit WHERE sealed_seq > 1")
    assert await installation.standing(DEFAULT_WORKSPACE) is Standing.BEHIND

    async with database.write("quarantine") as uow:
        await uow.workspaces.quarantine(DEFAULT_WORKSPACE, "restored")
        assert not (await uow.workspaces.get(DEFAULT_WORKSPACE)).may_dispatch
    await installation.adopt(DEFAULT_WORKSPACE)
    async with database.read() as uow:
        assert (await uow.workspaces.get(DEFAULT_WORKSPACE)).may_dispatch
    assert await installation.standing(DEFAULT_WORKSPACE) is Standing.CURRENT


async def test_a_database_without_its_anchor_is_unknown(
    installation: Installation, sealer: AuditSealer, tmp_path: Path
) -> None:
    assert sealer.anchor is installation.anchor
    (tmp_path / "anchor.json").unlink()
    assert await installation.standing(DEFAULT_WORKSPACE) is Standing.UNKNOWN


async def test_an_anchor_of_another_epoch_is_noticed(installation: Installation, sealer: AuditSealer) -> None:
    sealer.anchor.write(DEFAULT_WORKSPACE, Head(epoch=new_id()))
    assert await installation.standing(DEFAULT_WORKSPACE) is Standing.BEHIND


@pytest.mark.parametrize("content", [b"", b"{", b'{"body":"{\\"heads\\":{}}","signature":"00"}'])
def test_a_forged_anchor_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "anchor.json"
    path.write_bytes(content)
    with pytest.raises(SupportError) as caught:
        Anchor(path, b"key").read()
    assert caught.value.code == "anchor_unreadable"


def test_another_key_does_not_read_it(tmp_path: Path) -> None:
    path = tmp_path / "anchor.json"
    Anchor(path, b"key").write(DEFAULT_WORKSPACE, Head(epoch=new_id(), seq=3, seal="s"))
    assert Anchor(path, b"key").read()[DEFAULT_WORKSPACE].seq == 3
    with pytest.raises(SupportError):
        Anchor(path, b"other").read()
