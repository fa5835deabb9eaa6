"""Parts that are taken off stay on record: the chain goes on over them, and nobody makes a record up."""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

import psycopg
import pytest

from db.audit_sealer import AuditSealer, Problem, Tampering
from db.installation import Installation, Standing
from db.part_removal import OpenTickets, PartRemoval
from db.part_store import PartStore
from db.parts import PARTED
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.fixtures.many_rows import fill
from tests.fixtures.parts import NOW, ask, begun, cut_months, entry, parts_of, plain


async def first_taken_off(url: str, sealer: AuditSealer) -> datetime:
    """Three months with a sealed entry each, of which the first has been taken off; returns the second one's end."""
    await begun(sealer)
    first_end, second_end = cut_months(url)
    for days in (80, 50, 1):
        entry(url, NOW - timedelta(days=days))
        await sealer.seal(DEFAULT_WORKSPACE)
    await PartRemoval(sealer.database, sealer).detach(first_end)
    return second_end


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
    second_end = await first_taken_off(postgres_url, sealer)
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
    second_end = await first_taken_off(postgres_url, sealer)
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
