"""Operators and what they sign in with, on both databases."""

from datetime import timedelta

import pytest

from db.engine import Database
from db.repositories.operators import NewSession, Session
from db.uow import UnitOfWork
from support_agents.domain.approval import Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, OperatorId, SessionId

HOUR = timedelta(hours=1)


async def add(uow: UnitOfWork, email: str = "Ben@Shop.example") -> OperatorId:
    return await uow.operators.add(DEFAULT_WORKSPACE, email=email, name="Ben", role=Role.APPROVER, password_hash="h")


async def sign_in(uow: UnitOfWork, *, idle: timedelta = HOUR) -> SessionId:
    operator = await add(uow)
    now = await uow.now()
    return await uow.operators.open_session(
        NewSession(
            operator=operator,
            origin="password",
            token_hash="t1",
            csrf_secret="c",
            idle_until=now + idle,
            expires_at=now + 8 * HOUR,
        )
    )


async def live(uow: UnitOfWork, token: str, grace: timedelta = timedelta(minutes=1)) -> Session | None:
    return await uow.operators.session(token, rotated_since=await uow.now() - grace)


async def test_an_operator_is_found_whatever_the_case(database: Database) -> None:
    async with database.write("operator") as uow:
        operator = await add(uow)
        found = await uow.operators.by_email(DEFAULT_WORKSPACE, " ben@shop.EXAMPLE")
        assert found is not None
        assert (found.id, found.role, found.email) == (operator, Role.APPROVER, "Ben@Shop.example")
        assert await uow.operators.get(operator) == found
        assert await uow.operators.all(DEFAULT_WORKSPACE) == (found,)
        with pytest.raises(SupportError, match="exists"):
            await add(uow, "BEN@shop.example")


async def test_a_session_lives_until_it_is_ended(database: Database) -> None:
    async with database.write("session") as uow:
        session = await sign_in(uow)
        found = await live(uow, "t1")
        assert found is not None
        assert (found.id, found.operator.name, found.csrf_secret) == (session, "Ben", "c")
        await uow.operators.touch_session(session, idle_until=found.idle_until + HOUR)
        await uow.operators.end_session(session)
        assert await live(uow, "t1") is None


async def test_an_idle_session_is_over(database: Database) -> None:
    async with database.write("session") as uow:
        await sign_in(uow, idle=timedelta(0))
        assert await live(uow, "t1") is None


async def test_a_rotated_token_counts_only_for_requests_under_way(database: Database) -> None:
    async with database.write("session") as uow:
        session = await sign_in(uow)
        assert await uow.operators.rotate_session(session, old_hash="t1", new_hash="t2")
        assert not await uow.operators.rotate_session(session, old_hash="t1", new_hash="t3")
        assert await live(uow, "t2") is not None
        assert await live(uow, "t1") is not None
        assert await live(uow, "t1", grace=-HOUR) is None


@pytest.mark.parametrize("change", ["set_password", "set_role", "disable"])
async def test_a_change_of_person_ends_every_session(database: Database, change: str) -> None:
    async with database.write("session") as uow:
        await sign_in(uow)
        found = await live(uow, "t1")
        assert found is not None
        operators, operator = uow.operators, found.operator.id
        match change:
            case "set_password":
                await operators.set_password(operator, "new")
            case "set_role":
                await operators.set_role(operator, Role.VIEWER)
            case _:
                await operators.disable(operator)
        assert await live(uow, "t1") is None


async def test_a_link_works_once_and_in_time(database: Database) -> None:
    async with database.write("link") as uow:
        operator, now = await add(uow), await uow.now()
        await uow.operators.add_link(operator, token_hash="a", expires_at=now + HOUR)
        await uow.operators.add_link(operator, token_hash="b", expires_at=now - HOUR)
        assert await uow.operators.use_link("a") == operator
        assert await uow.operators.use_link("a") is None
        assert await uow.operators.use_link("b") is None


async def test_a_token_lives_until_it_is_revoked_or_too_old(database: Database) -> None:
    async with database.write("token") as uow:
        now = await uow.now()
        token = await uow.api_tokens.add(
            DEFAULT_WORKSPACE, name="ci", token_hash="a", scopes={"read", "cancel"}, expires_at=now + HOUR
        )
        await uow.api_tokens.add(DEFAULT_WORKSPACE, name="old", token_hash="b", scopes=["read"], expires_at=now)
        found = await uow.api_tokens.find("a")
        assert found is not None
        assert (found.name, found.scopes) == ("ci", frozenset({"read", "cancel"}))
        assert await uow.api_tokens.find("b") is None
        await uow.api_tokens.used(token)
        await uow.api_tokens.revoke(token)
        assert await uow.api_tokens.find("a") is None


async def test_failures_are_counted_within_a_window_and_lock(database: Database) -> None:
    async with database.write("failures") as uow:
        failures, now = uow.sign_in_failures, await uow.now()
        counts = [await failures.count(DEFAULT_WORKSPACE, "k", now=now, window=HOUR) for _ in range(3)]
        assert counts == [1, 2, 3]
        assert await failures.count(DEFAULT_WORKSPACE, "k", now=now + 2 * HOUR, window=HOUR) == 1
        assert await failures.locked_until(DEFAULT_WORKSPACE, ["k", "other"]) is None
        await failures.lock(DEFAULT_WORKSPACE, "k", until=now + HOUR)
        assert await failures.locked_until(DEFAULT_WORKSPACE, ["k", "other"]) == now + HOUR
        await failures.clear(DEFAULT_WORKSPACE, "k")
        assert await failures.locked_until(DEFAULT_WORKSPACE, ["k"]) is None
