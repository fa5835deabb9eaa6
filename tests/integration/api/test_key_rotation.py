"""A new secret key in the old one's place, in the middle of a journey: everything goes on, and the old one can go."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from api.acting import sealer_of
from api.choices import Privilege
from api.cli.checks.storage import contents
from api.key_records import KeyRecords
from api.resealing import resealing_of
from api.sealing import Sealing
from api.secret_key import SecretKey
from api.slack_bootstrap import earlier_names, installation_name
from db.audit_sealer import first_sealed_by
from db.base import table_of
from db.models.tickets import TicketRow
from db.part_manifests import Manifest, Span, add_manifest
from db.statements import Statements
from support_agents.domain.approval import Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, new_id
from tests.fixtures.installation import SHOP, UNHURRIED, Installation, event, open_installation
from tests.integration.api.test_second_factor import Phone, enrolled, signed_in

OLD, NEW, NEWEST = ("a secret key that was made " + when for when in ("long ago", "just now", "after that"))
Given = Mapping[str, object]


@pytest.fixture
def given(database_url: str, tmp_path: Path) -> Given:
    return {**UNHURRIED, "database_url": database_url, "data_dir": tmp_path / "data", "undo_refund_seconds": 0.1}


def refund_that_is_due() -> dict[str, Any]:
    line = (SHOP / "messages.jsonl").read_text(encoding="utf-8").splitlines()[0]
    body: dict[str, Any] = json.loads(line.replace("{now}", datetime.now(UTC).isoformat()))["body"]
    return body


async def approved(house: Installation) -> str:
    """A refund that a person has approved and nobody has carried out yet; returns its execution."""
    async with house.working():
        await house.keeper_ready()
        await house.send(refund_that_is_due())
        await house.settled()
    admin = await house.sign_in(Role.ADMIN)
    items = (await house.client.get("/v1/approvals", headers=admin)).json()["items"]
    (money,) = [each for each in items if each["kind"] == "issue_refund"]
    path, yes = f"/v1/approvals/{money['id']}/decisions", {"decision": "approve", "digest": money["digest"]}
    decided = await house.client.post(path, json=yes, headers=admin)
    assert decided.status_code == 201, decided.text
    return str(decided.json()["execution_id"])


async def effects(house: Installation) -> tuple[str, int, int]:
    """What became of the one execution, how often it was tried, and how often money was booked."""
    async with house.container.database.read() as uow:
        status = (await uow.session.execute(text("SELECT status FROM executions"))).scalar_one()
        tries = (await uow.session.execute(text("SELECT count(*) FROM attempts"))).scalar_one()
        booked = "SELECT count(*) FROM refund_entries WHERE status = 'booked'"
        return status, tries, (await uow.session.execute(text(booked))).scalar_one()


async def customer_of(house: Installation, ticket: str) -> UUID:
    rows = table_of(TicketRow).c
    async with house.container.database.read() as uow:
        query = select(rows.subject_id).where(rows.id == UUID(ticket))
        found: UUID = (await uow.session.execute(query)).scalar_one()
    return found


async def problems(house: Installation) -> object:
    container = house.container
    sealer = sealer_of(container.settings, container.key, container.database)
    await sealer.seal(DEFAULT_WORKSPACE)
    return await sealer.verify(DEFAULT_WORKSPACE)


async def refused(given: Given) -> str:
    with pytest.raises(SupportError) as error:
        async with open_installation(given):
            pytest.fail("it started")
    assert not any(key in error.value.message for key in (OLD, NEW, NEWEST))
    return error.value.code


async def test_i3_what_was_approved_under_the_old_key_happens_once_under_the_new_one(given: Given) -> None:
    async with open_installation({**given, "secret_key": OLD}) as house:
        await approved(house)
        first = (await house.send(event(ticket_id="T-1"))).json()["ticket_id"]
        anna = await customer_of(house, first)
        person = (await signed_in(house, Role.MANAGER)).person
        phone, codes = await enrolled(house.container.factors, person)
        operators, keyed = dict(house.operators), house.container.key.first("event key")

    assert await refused({**given, "secret_key": NEW}) == "secret_key_missing"  # too early: nothing is lost by it

    async with open_installation({**given, "secret_key": NEW, "secret_keys_old": OLD}) as house:
        house.operators.update(operators)
        paged = replace(resealing_of(house.container), page=1)
        assert await paged.open_decisions() == 1
        before = await resealing_of(house.container).run()
        assert (before.factors, before.let_go) == (1, ())
        (waits,) = before.waiting
        assert waits.startswith(f"installation key {SecretKey(OLD.encode()).fingerprint}: 1 answers")
        assert (await effects(house))[1:] == (0, 0)
        async with house.working():
            await house.settled()
        assert await effects(house) == ("succeeded", 1, 1)
        after = await resealing_of(house.container).run()
        assert (after.factors, len(after.let_go), after.waiting) == (0, 1, ())
        assert (await resealing_of(house.container).run()).let_go == ()

    assert await refused({**given, "secret_key": OLD}) == "secret_key_retired"

    async with open_installation({**given, "secret_key": NEW}) as house:
        house.operators.update(operators)
        await _all_goes_on(house, phone, codes[:1], anna, keyed)
    async with open_installation({**given, "secret_key": NEWEST, "secret_keys_old": NEW}) as house:
        assert len((await resealing_of(house.container).run()).let_go) == 1
    async with open_installation({**given, "secret_key": NEWEST}) as house:
        house.operators.update(operators)
        await _all_goes_on(house, phone, codes[1:2], anna, keyed)
        assert installation_name(SecretKey(OLD.encode())) in earlier_names(house.container.key)


async def _all_goes_on(house: Installation, phone: Phone, codes: tuple[str, ...], anna: UUID, keyed: bytes) -> None:
    """Audit, anchor, effects, second factors, recovery codes and known customers, under the present key alone."""
    assert (await house.client.get("/readyz")).json()["dispatch"] == "on"
    assert await problems(house) == ()
    assert await effects(house) == ("succeeded", 1, 1)
    person = (await signed_in(house, Role.MANAGER)).person
    for code in codes:
        await house.container.factors.prove(person, code)
        with pytest.raises(SupportError, match="does not fit"):
            await house.container.factors.prove(person, code)
    async with house.container.database.read() as uow:
        factor = await uow.second_factors.get(person.operator_id)
    assert factor is not None
    sealing = Sealing(house.container.key, "second factor")
    assert sealing.open(factor.sealed, owner=person.operator_id.bytes) == base64.b32decode(phone.secret)
    number = f"T-{codes[0]}"
    again = (await house.send(event(ticket_id=number, message_id=number))).json()["ticket_id"]
    assert await customer_of(house, again) == anna
    assert house.container.key.first("event key") == keyed


async def test_a_key_that_was_let_go_and_leaked_seals_nothing_more(given: Given) -> None:
    async with open_installation({**given, "secret_key": OLD}) as house:
        await house.add_operator(Role.ADMIN)
        assert await problems(house) == ()
    async with open_installation({**given, "secret_key": NEW, "secret_keys_old": OLD}) as house:
        await resealing_of(house.container).run()
        assert await problems(house) == ()
    await _nothing_is_forged({**given, "secret_key": NEW})
    await _nothing_is_forged({**given, "secret_key": NEW, "secret_keys_old": OLD})  # somebody forgot to take it out


async def _nothing_is_forged(given: Given) -> None:
    async with open_installation(given) as house:
        container = house.container
        assert container.key.sealers("audit")
        async with container.database.write("forgery") as uow:
            await uow.audit.append(
                workspace=DEFAULT_WORKSPACE, event="forged", subject=DEFAULT_WORKSPACE, actor="nobody", data={}
            )
        ours = container.standings.installation.anchor
        thief = sealer_of(container.settings, SecretKey(OLD.encode()), container.database)
        await replace(thief, anchor=ours).seal(DEFAULT_WORKSPACE)
        found = await sealer_of(container.settings, container.key, container.database).verify(DEFAULT_WORKSPACE)
        assert {each.what for each in found} == {"bad_seal"}


async def test_a_process_with_the_new_key_and_one_with_the_old_work_side_by_side(given: Given, tmp_path: Path) -> None:
    """While the processes are restarted one after another: the new key was made known to all of them before."""
    given = {**given, "anchor_path": tmp_path / "anchor.json"}
    async with open_installation({**given, "secret_key": OLD, "secret_keys_old": NEW}) as old:
        await approved(old)
        assert await problems(old) == ()
        other = {**given, "secret_key": NEW, "secret_keys_old": OLD, "data_dir": tmp_path / "other"}
        async with open_installation(other) as new:
            assert await problems(new) == ()
            assert await problems(old) == ()
            async with new.working():
                await new.settled()
            assert await effects(old) == ("succeeded", 1, 1)
            assert await problems(old) == ()


async def test_the_key_of_decisions_is_rotated_in_the_same_way(given: Given) -> None:
    given = {**given, "secret_key": OLD}
    async with open_installation({**given, "decision_key": NEW}) as house:
        await approved(house)
    with pytest.raises(SupportError, match="SUPPORT_DECISION_KEYS_OLD"):
        async with open_installation({**given, "decision_key": NEWEST}):
            pytest.fail("it started")
    async with open_installation({**given, "decision_key": NEWEST, "decision_keys_old": NEW}) as house:
        (waits,) = (await resealing_of(house.container).run()).waiting
        assert waits.startswith("decisions key")
        async with house.working():
            await house.settled()
        assert await effects(house) == ("succeeded", 1, 1)
        (let_go,) = (await resealing_of(house.container).run()).let_go
        assert let_go.startswith("decisions key")
    async with open_installation(given) as house:
        with pytest.raises(SupportError, match="SUPPORT_DECISION_KEY is needed"):
            await resealing_of(house.container).run()
    async with open_installation({**given, "decision_key": NEWEST}) as house:
        assert await problems(house) == ()


async def begun_by_a_version_that_noted_no_keys(given: Given) -> bytes:
    """An installation under the old key; returns the key under which its events are found again."""
    async with open_installation({**given, "secret_key": OLD}) as house:
        await house.add_operator(Role.ADMIN)
        assert await problems(house) == ()
        async with house.container.database.write("as of a version before") as uow:
            await uow.session.execute(text("DELETE FROM secret_keys"))
        return house.container.key.first("event key")


async def test_i9_a_key_that_was_exchanged_before_keys_were_noted_is_known_by_what_it_sealed(given: Given) -> None:
    keyed = await begun_by_a_version_that_noted_no_keys(given)
    async with open_installation({**given, "secret_key": NEW, "secret_keys_old": f"{NEWEST},{OLD}"}) as house:
        assert house.container.key.first("event key") == keyed
        with pytest.raises(SupportError, match="start once with it in SUPPORT_SECRET_KEY "):
            await resealing_of(house.container).run()  # nobody knows of the third one
    async with open_installation({**given, "secret_key": NEW, "secret_keys_old": OLD}) as house:
        assert len((await resealing_of(house.container).run()).let_go) == 1
    async with open_installation({**given, "secret_key": NEW}) as house:
        assert await problems(house) == ()
        assert house.container.key.first("event key") == keyed


async def test_i9_who_has_not_the_key_that_began_does_not_take_its_own_for_it(given: Given) -> None:
    await begun_by_a_version_that_noted_no_keys(given)
    with pytest.raises(SupportError, match=r"first entry of the audit .* secrets forget unknown"):
        async with open_installation({**given, "secret_key": NEW, "secret_keys_old": NEWEST}):
            pytest.fail("it started")
    with pytest.raises(SupportError, match="first entry of the audit"):
        async with open_installation({**given, "secret_key": NEW}):
            pytest.fail("it started")
    async with open_installation({**given, "secret_key": OLD}) as house:  # nothing had been changed
        assert await problems(house) == ()


async def test_i9_the_first_key_is_found_where_the_first_entries_were_taken_off(given: Given) -> None:
    await begun_by_a_version_that_noted_no_keys(given)
    key = SecretKey(NEW.encode(), (OLD.encode(),))
    keys = {each.fingerprint: each.derived("audit") for each in (key, *key.elders)}
    async with open_installation({**given, "secret_key": OLD}) as house:
        sealer = sealer_of(house.container.settings, house.container.key, house.container.database)
        async with house.container.database.write("more") as uow:
            await uow.audit.append(workspace=DEFAULT_WORKSPACE, event="x", subject=DEFAULT_WORKSPACE, actor="test")
        await sealer.seal(DEFAULT_WORKSPACE)
        async with house.container.database.read() as uow:
            entries = await uow.audit.sealed(DEFAULT_WORKSPACE, after=0, limit=100)
        gone, seal = (entries[-2].sealed_seq or 0, entries[-2].seal or "")
        span = Span(1, gone, "", seal)
        told = Manifest(DEFAULT_WORKSPACE, "audit", "audit_first", new_id(), gone, new_id(), new_id(), "", (span,))
        async with house.container.database.write("taken off") as uow:
            await add_manifest(uow.session, told, sealer.key)
            await uow.session.execute(text("DROP TRIGGER keep_audit_delete" + _on(uow.session)))
            await uow.session.execute(text(f"DELETE FROM audit WHERE sealed_seq <= {gone}"))  # noqa: S608 - a number
        found = await first_sealed_by(house.container.database, DEFAULT_WORKSPACE, keys)
    assert found == SecretKey(OLD.encode()).fingerprint


def _on(session: Statements) -> str:
    return " ON audit" if session.backend == "postgresql" else ""


async def test_a_process_that_may_not_look_takes_no_key_for_the_first(given: Given) -> None:
    async with open_installation({**given, "secret_key": OLD}) as house:
        database, settings = house.container.database, house.container.settings
        async with database.write("as of a version before") as uow:
            await uow.session.execute(text("DELETE FROM secret_keys"))
        intake = settings.model_copy(update={"privilege": Privilege.INTAKE})
        await KeyRecords(intake, database, SecretKey(OLD.encode())).load()
        with pytest.raises(SupportError, match="decide or act"):
            await KeyRecords(intake, database, SecretKey(NEW.encode(), (OLD.encode(),))).load()


async def test_how_long_a_key_has_been_accepted_that_another_replaced_is_said(
    given: Given, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_installation({**given, "secret_key": OLD, "secret_keys_old": NEW}) as house:
        assert await problems(house) == ()
    assert "old_key_accepted" not in capsys.readouterr().out  # the next one stands there as well
    async with open_installation({**given, "secret_key": NEW, "secret_keys_old": OLD}) as house:
        container = house.container
        records = KeyRecords(container.settings, container.database, container.key)
        (kept,) = await records.kept_on()
        assert (kept.fingerprint, kept.let_go) == (SecretKey(OLD.encode()).fingerprint, False)
        assert "replaced 40 days ago" in kept.told(kept.replaced_at + timedelta(days=40, hours=3))
        assert "secrets reseal" in kept.fix
        (line,) = [line for line in capsys.readouterr().out.splitlines() if "old_key_accepted" in line]
        assert "the anchor and second factors: run `support-agents secrets reseal`" in line
        await resealing_of(container).run()
        (kept,) = await records.kept_on()
        assert kept.let_go
        assert "take it out of SUPPORT_SECRET_KEYS_OLD" in kept.fix
        findings = await contents(container.settings)
        assert [each.fix for each in findings if each.name == "secret keys"] == [kept.fix]
    async with open_installation({**given, "secret_key": NEW}) as house:
        container = house.container
        assert await KeyRecords(container.settings, container.database, container.key).kept_on() == ()
