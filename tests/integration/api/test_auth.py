"""Sessions, lockout, links and tokens on real databases."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text, update

from api.auth import Auth, Bearer, Interactive, Scope, hashed, require_csrf
from api.passwords import Passwords
from api.secret_key import SecretKey
from api.sign_in_limits import SignInLimits
from db.engine import Database
from db.repositories.operators import LINKS, SESSIONS
from support_agents.domain.approval import Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, OperatorId

KEY = SecretKey(b"k" * 40)
PASSWORD = "a short sentence is good"
EMAIL = "mia@example.com"
HERE = "127.0.0.1"


@pytest.fixture
async def auth(sqlite_url: str) -> AsyncIterator[Auth]:
    database = Database.open(sqlite_url)
    fast = Passwords(hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    yield Auth(database, fast, SignInLimits(KEY), KEY, timedelta(hours=12), links_allowed=True)
    fast.close()
    await database.close()


@pytest.fixture
async def auth_anywhere(auth: Auth, database: Database) -> Auth:
    """The same once on each kind of database, for what depends on its locks."""
    anywhere = replace(auth, database=database)
    await anywhere.add_operator(DEFAULT_WORKSPACE, email=EMAIL, name="Mia", role=Role.APPROVER, password=PASSWORD)
    return anywhere


@pytest.fixture
async def mia(auth: Auth) -> OperatorId:
    return await auth.add_operator(
        DEFAULT_WORKSPACE, email="Mia@Example.com", name="Mia", role=Role.APPROVER, password=PASSWORD
    )


async def sign_in(auth: Auth, password: str = PASSWORD, *, email: str = EMAIL, peer: str = HERE) -> str:
    return (await auth.sign_in(DEFAULT_WORKSPACE, email=email, password=password, peer=peer)).token


async def code(auth: Auth, password: str = PASSWORD, *, email: str = EMAIL, peer: str = HERE) -> str:
    try:
        await sign_in(auth, password, email=email, peer=peer)
    except SupportError as error:
        return error.code
    return "ok"


async def shift(auth: Auth, column: str, by: timedelta) -> None:
    """Move a session's time into the past."""
    async with auth.database.write("test") as uow:
        await uow.session.execute(update(SESSIONS).values({column: await uow.now() - by}))


@pytest.mark.usefixtures("mia")
async def test_signing_in_gives_a_session_that_makes_a_person(auth: Auth) -> None:
    signed_in = await auth.sign_in(DEFAULT_WORKSPACE, email=EMAIL, password=PASSWORD, peer=HERE)
    caller = await auth.session(signed_in.token)
    assert isinstance(caller, Interactive)
    assert (caller.person.email, caller.person.role) == ("Mia@Example.com", Role.APPROVER)
    assert require_csrf(caller, signed_in.csrf) == caller.person


@pytest.mark.usefixtures("mia")
async def test_tokens_are_stored_hashed_only(auth: Auth) -> None:
    token = await sign_in(auth)
    async with auth.database.read() as uow:
        stored = (await uow.session.execute(text("SELECT token_hash FROM sessions"))).scalar_one()
        password = (await uow.session.execute(text("SELECT password_hash FROM operators"))).scalar_one()
    assert stored == hashed(token) != token
    assert password.startswith("$argon2id$")


@pytest.mark.usefixtures("mia")
@pytest.mark.parametrize("given", [None, "", "wrong", "ü"])
async def test_csrf_must_be_the_sessions_own(auth: Auth, given: str | None) -> None:
    caller = await auth.session(await sign_in(auth))
    assert caller is not None
    with pytest.raises(SupportError, match="X-CSRF-Token"):
        require_csrf(caller, given)


@pytest.mark.usefixtures("mia")
async def test_wrong_password_unknown_address_and_long_input_look_alike(auth: Auth) -> None:
    assert await code(auth, "wrong") == "bad_credentials"
    assert await code(auth, email="nobody@example.com") == "bad_credentials"
    assert await code(auth, "x" * 5_000) == "bad_credentials"


@pytest.mark.usefixtures("mia")
async def test_five_failures_lock_this_pair_out_even_with_the_right_password(auth: Auth) -> None:
    codes = [await code(auth, "wrong") for _ in range(6)]
    assert codes == ["bad_credentials"] * 5 + ["locked_out"]
    assert await code(auth) == "locked_out"
    assert await code(auth, peer="192.0.2.7") == "ok"


async def test_many_guesses_at_once_count_too(auth_anywhere: Auth) -> None:
    codes = await asyncio.gather(*(code(auth_anywhere, f"guess {n}") for n in range(20)))
    assert codes.count("bad_credentials") == 5
    assert codes.count("locked_out") == 15


@pytest.mark.usefixtures("mia")
async def test_success_forgets_the_failures(auth: Auth) -> None:
    for _ in range(3):
        assert [await code(auth, "wrong") for _ in range(3)] == ["bad_credentials"] * 3
        assert await code(auth) == "ok"


async def test_a_session_is_rotated_and_the_old_cookie_overlaps_for_a_moment_only(auth_anywhere: Auth) -> None:
    auth = auth_anywhere
    token = await sign_in(auth)
    await shift(auth, "rotated_at", timedelta(minutes=20))
    caller = await auth.session(token)
    assert caller is not None
    assert caller.replacement is not None
    assert await auth.session(caller.replacement) is not None
    late = await auth.session(token)
    assert late is not None
    assert late.replacement is None
    await shift(auth, "rotated_at", timedelta(minutes=2))
    assert await auth.session(token) is None
    assert await auth.session(caller.replacement) is not None


@pytest.mark.usefixtures("mia")
@pytest.mark.parametrize("column", ["idle_until", "expires_at"])
async def test_a_session_ends_when_idle_or_old(auth: Auth, column: str) -> None:
    token = await sign_in(auth)
    await shift(auth, column, timedelta(seconds=1))
    assert await auth.session(token) is None


async def test_signing_out_disabling_and_a_new_password_end_sessions(auth: Auth, mia: OperatorId) -> None:
    token = await sign_in(auth)
    caller = await auth.session(token)
    assert caller is not None
    await auth.sign_out(caller.person)
    assert await auth.session(token) is None
    token = await sign_in(auth)
    await auth.set_password(DEFAULT_WORKSPACE, mia, "another short sentence")
    assert await auth.session(token) is None
    token = await sign_in(auth, "another short sentence")
    async with auth.database.write("test") as uow:
        await uow.operators.disable(mia)
    assert await auth.session(token) is None
    assert await code(auth, "another short sentence") == "bad_credentials"


async def test_a_sign_in_link_works_once_and_on_this_machine_only(auth: Auth, mia: OperatorId) -> None:
    link = await auth.make_link(mia)
    with pytest.raises(SupportError):
        await auth.sign_in_by_link(link, peer="192.0.2.7")
    signed_in = await auth.sign_in_by_link(link, peer="::1")
    assert await auth.session(signed_in.token) is not None
    with pytest.raises(SupportError):
        await auth.sign_in_by_link(link, peer="::1")


async def test_links_exist_in_a_demo_folder_only(auth: Auth, mia: OperatorId) -> None:
    real = Auth(auth.database, auth.passwords, auth.limits, auth.key, auth.lifetime)
    with pytest.raises(SupportError):
        await real.make_link(mia)
    with pytest.raises(SupportError):
        await real.sign_in_by_link(await auth.make_link(mia), peer=HERE)


async def test_a_link_is_too_old_after_five_minutes(auth: Auth, mia: OperatorId) -> None:
    link = await auth.make_link(mia)
    async with auth.database.write("test") as uow:
        await uow.session.execute(update(LINKS).values(expires_at=await uow.now()))
    with pytest.raises(SupportError):
        await auth.sign_in_by_link(link, peer=HERE)


async def test_i1_a_bearer_token_has_scopes_and_never_a_person(auth: Auth) -> None:
    token_id, token = await auth.issue_token(
        DEFAULT_WORKSPACE, name="dashboard", scopes={Scope.READ}, life=timedelta(days=1)
    )
    caller = await auth.bearer(token, peer="192.0.2.7")
    assert caller == Bearer(DEFAULT_WORKSPACE, "dashboard", frozenset({Scope.READ}))
    assert not hasattr(caller, "person")
    assert await auth.session(token) is None
    await auth.revoke_token(DEFAULT_WORKSPACE, token_id)
    assert await auth.bearer(token, peer="192.0.2.7") is None


async def test_an_expired_or_unknown_token_is_nobodys(auth: Auth) -> None:
    _, token = await auth.issue_token(DEFAULT_WORKSPACE, name="old", scopes={Scope.READ}, life=timedelta(seconds=-1))
    assert await auth.bearer(token, peer=HERE) is None
    assert await auth.bearer("", peer=HERE) is None
    assert await auth.bearer("ü", peer=HERE) is None


async def test_the_command_lines_own_token_is_good_on_this_machine_only(auth: Auth) -> None:
    caller = await auth.bearer(KEY.local_token, peer="127.0.0.1")
    assert isinstance(caller, Bearer)
    assert caller.scopes == {Scope.READ}
    assert await auth.bearer(KEY.local_token, peer="192.0.2.7") is None


async def test_a_short_password_is_refused(auth: Auth) -> None:
    with pytest.raises(SupportError, match="characters"):
        await auth.add_operator(DEFAULT_WORKSPACE, email=EMAIL, name="", role=Role.VIEWER, password="short")
