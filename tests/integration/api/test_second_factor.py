"""Second factors: enrolled with the password, proved once per code, and asked for where money is decided."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlalchemy import text, update

from api.auth import Interactive
from api.factors import RECOVERY_CODES, SecondFactors
from api.sealing import Sealing
from api.secret_key import SecretKey
from approvals.authority import BUILT_IN, SecondFactor
from approvals.ports import Person
from db.repositories.operators import SESSIONS
from support_agents.domain.approval import Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.fixtures.installation import PASSWORD, Installation

KEY = SecretKey(b"k" * 32)


async def signed_in(installation: Installation, role: Role) -> Interactive:
    email = await installation.add_operator(role)
    auth = installation.container.auth
    opened = await auth.sign_in(DEFAULT_WORKSPACE, email=email, password=PASSWORD, peer="127.0.0.1")
    interactive = await auth.session(opened.token)
    assert interactive is not None
    return interactive


@dataclass
class Phone:
    """An authenticator app; `steps` says which of its neighbouring codes is read off, `used` what confirmed it."""

    secret: str
    used: str = ""

    def code(self, *, steps: int = 1) -> str:
        """The code of the next step, which is taken early, unless told otherwise; so time may go by in between."""
        return pyotp.TOTP(self.secret).at(datetime.now(UTC), counter_offset=steps)


async def enrolled(factors: SecondFactors, person: Person) -> tuple[Phone, tuple[str, ...]]:
    phone = Phone((await factors.begin(person, password=PASSWORD)).secret)
    phone.used = phone.code(steps=0)
    return phone, await factors.confirm(person, phone.used)


async def code_of(attempt: object) -> str:
    try:
        await attempt  # type: ignore[misc] # any coroutine
    except SupportError as error:
        return error.code
    return ""


async def test_enrolling_takes_the_password_and_a_code_and_gives_ten_codes_once(installation: Installation) -> None:
    factors, person = installation.container.factors, (await signed_in(installation, Role.MANAGER)).person
    assert await code_of(factors.begin(person, password="not the password")) == "bad_credentials"
    enrolment = await factors.begin(person, password=PASSWORD)
    assert enrolment.picture.startswith("data:image/svg+xml")
    assert enrolment.secret not in repr(enrolment)
    assert not (await factors.standing(person)).enrolled
    assert await code_of(factors.confirm(person, "12345")) == "factor_wrong"
    codes = await factors.confirm(person, Phone(enrolment.secret).code())
    assert len(set(codes)) == RECOVERY_CODES
    standing = await factors.standing(person)
    assert (standing.enrolled, standing.fresh, standing.codes_left) == (True, True, RECOVERY_CODES)
    assert await code_of(factors.begin(person, password=PASSWORD)) == "already_exists"


async def test_secrets_are_sealed_and_codes_hashed_at_rest(installation: Installation) -> None:
    factors, person = installation.container.factors, (await signed_in(installation, Role.MANAGER)).person
    phone, codes = await enrolled(factors, person)
    raw = base64.b32decode(phone.secret)
    async with installation.container.database.read() as uow:
        (sealed,) = (await uow.session.execute(text("SELECT sealed FROM second_factors"))).scalars()
        hashes = (await uow.session.execute(text("SELECT code_hash FROM recovery_codes"))).scalars().all()
    assert raw not in bytes(sealed)
    assert not {each.replace("-", "") for each in codes} & set(hashes)


async def test_a_code_works_once_and_an_older_one_never_again(installation: Installation) -> None:
    factors, person = installation.container.factors, (await signed_in(installation, Role.MANAGER)).person
    phone, _ = await enrolled(factors, person)
    fresh, older, early = phone.code(), phone.used, phone.code(steps=4)
    assert await code_of(factors.prove(person, older)) == "factor_wrong"
    assert await code_of(factors.prove(person, f" {fresh[:3]} {fresh[3:]} ")) == ""
    for used in (fresh, older, early):
        assert await code_of(factors.prove(person, used)) == "factor_wrong"


async def test_a_recovery_code_works_once_however_it_is_typed(installation: Installation) -> None:
    factors, person = installation.container.factors, (await signed_in(installation, Role.MANAGER)).person
    _, codes = await enrolled(factors, person)
    assert await code_of(factors.prove(person, codes[3].upper().replace("-", " "))) == ""
    assert await code_of(factors.prove(person, codes[3])) == "factor_wrong"
    assert (await factors.standing(person)).codes_left == RECOVERY_CODES - 1


async def test_guessing_is_slowed_down_even_for_the_right_code(installation: Installation) -> None:
    factors, person = installation.container.factors, (await signed_in(installation, Role.MANAGER)).person
    phone, codes = await enrolled(factors, person)
    assert [await code_of(factors.prove(person, "000000")) for _ in range(5)] == ["factor_wrong"] * 5
    for right in (phone.code(), codes[0]):
        assert await code_of(factors.prove(person, right)) == "locked_out"


async def test_one_persons_code_is_no_good_for_another(installation: Installation) -> None:
    factors = installation.container.factors
    mia, ada = (await signed_in(installation, Role.MANAGER)).person, (await signed_in(installation, Role.ADMIN)).person
    phone, codes = await enrolled(factors, mia)
    await enrolled(factors, ada)
    assert await code_of(factors.prove(ada, phone.code())) == "factor_wrong"
    assert await code_of(factors.prove(ada, codes[0])) == "factor_wrong"


async def test_it_is_proved_in_one_session_for_ten_minutes(installation: Installation) -> None:
    factors = installation.container.factors
    here, there = [(await signed_in(installation, Role.MANAGER)).person for _ in range(2)]
    await enrolled(factors, here)
    assert (await factors.standing(here)).fresh
    assert not (await factors.standing(there)).fresh
    for minutes, fresh in ((9, True), (11, False), (-1, False)):
        async with installation.container.database.write("time") as uow:
            at = await uow.now() - timedelta(minutes=minutes)
            await uow.session.execute(update(SESSIONS).values(factor_proved_at=at))
        assert (await factors.standing(here)).fresh is fresh


async def test_an_admin_resets_anothers_never_their_own_and_it_is_on_record(installation: Installation) -> None:
    factors = installation.container.factors
    mia, ada = (await signed_in(installation, Role.MANAGER)).person, (await signed_in(installation, Role.ADMIN)).person
    await enrolled(factors, mia)
    assert await code_of(factors.reset(mia, ada.operator_id)) == "not_allowed"
    phone, _ = await enrolled(factors, ada)
    assert await code_of(factors.reset(ada, ada.operator_id)) == "not_allowed"
    async with installation.container.database.write("time") as uow:
        await uow.session.execute(update(SESSIONS).values(factor_proved_at=None))
    assert await code_of(factors.reset(ada, mia.operator_id)) == "factor_needed"
    await factors.prove(ada, phone.code())
    await factors.reset(ada, mia.operator_id)
    assert await code_of(factors.standing(mia)) == "not_allowed"  # their sessions are over
    async with installation.container.database.read() as uow:
        assert await uow.second_factors.get(mia.operator_id) is None
        entry = next(e for e in await uow.audit.of(mia.operator_id) if e.event == "factor.reset")
    assert entry.actor == str(ada.operator_id)


async def test_a_factor_is_taken_away_only_by_whoever_has_just_proved_it(installation: Installation) -> None:
    factors = installation.container.factors
    here, there = [(await signed_in(installation, Role.MANAGER)).person for _ in range(2)]
    await enrolled(factors, here)
    assert await code_of(factors.remove(there)) == "factor_needed"
    await factors.remove(here)
    assert not (await factors.standing(here)).enrolled


@pytest.mark.parametrize("kind", list(SecondFactor))
def test_who_is_asked_for_a_factor(kind: SecondFactor) -> None:
    table = BUILT_IN.model_copy(update={"second_factor": kind})
    refund, reply = BUILT_IN.rules[1].kind, BUILT_IN.rules[0].kind
    assert table.asks_factor(refund, enrolled=True)
    assert table.asks_factor(refund, enrolled=False) is (kind is SecondFactor.MONEY)
    assert not table.asks_factor(reply, enrolled=True)


def test_what_is_sealed_opens_for_its_owner_under_its_key_only() -> None:
    sealing, other = Sealing(KEY, "x"), Sealing(SecretKey(b"o" * 32), "x")
    sealed = sealing.seal(b"secret", owner=b"me")
    assert sealing.open(sealed, owner=b"me") == b"secret"
    assert sealing.seal(b"secret", owner=b"me") != sealed
    changed = bytes([*sealed[:33], sealed[33] ^ 1, *sealed[34:]])
    for door, given, owner in (
        (sealing, sealed, b"you"), (other, sealed, b"me"), (sealing, changed, b"me"), (sealing, b"", b"me"),
        (Sealing(KEY, "y"), sealed, b"me"),
    ):  # fmt: skip
        with pytest.raises(SupportError):
            door.open(given, owner=owner)
    with pytest.raises(ValueError, match="at most"):
        sealing.seal(b"s" * 33, owner=b"me")


async def test_over_rest_the_code_is_proved_in_the_session(installation: Installation) -> None:
    session = await installation.sign_in(Role.MANAGER)
    client, path = installation.client, "/v1/session/factor"
    none = await client.post(path, json={"code": "123456"}, headers=session)
    assert (none.status_code, none.json()["code"]) == (403, "factor_needed")
    mia = (await signed_in(installation, Role.MANAGER)).person
    phone, _ = await enrolled(installation.container.factors, mia)
    wrong = await client.post(path, json={"code": "abc"}, headers=session)
    assert (wrong.status_code, wrong.json()["code"]) == (403, "factor_wrong")
    assert (await client.post(path, json={"code": phone.code()}, headers=session)).status_code == 204
