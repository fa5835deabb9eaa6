"""The database goes away in the middle of a decision: it is on record whole or not at all, and one effect follows."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from typing import TypeVar

import psycopg
import pytest

from approvals.ports import Person
from db.engine import Database
from db.repositories.executions import Execution
from support_agents.domain.approval import ExecutionStatus, Mode, RequestStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RequestId
from tests.fixtures.approvals import ORDER, Shop, refund
from tests.fixtures.inbound import ANNA

STRIKES = 12
T = TypeVar("T")


def require_retryable(error: SupportError) -> None:
    """Anything but "not now" is a failure of the test."""
    if not error.retryable:
        raise error


async def until_decided(shop: Shop, request: RequestId, person: Person, tries: int = 400) -> int:
    """Click as a person does who is told that it did not work: again; returns how often it did not."""
    for failed in range(tries):
        try:
            await shop.approve(request, person)
        except SupportError as error:
            if error.code == "already_decided":
                return failed  # it had worked, and only its answer was lost
            require_retryable(error)
            await asyncio.sleep(0.01)
        else:
            return failed
    raise AssertionError("the database never came back")


async def again(work: Callable[[], Awaitable[T]]) -> T:
    """Do something that only reads, or is harmless to repeat, until the database answers."""
    for _ in range(40):
        try:
            return await work()
        except SupportError as error:
            require_retryable(error)
    raise AssertionError("the database never came back")


async def assert_one_effect(shop: Shop, request: RequestId) -> None:
    async def read() -> tuple[int, Execution | None]:
        async with shop.database.read() as uow:
            return len(await uow.approvals.decisions(request)), await uow.executions.by_request(request)

    decisions, execution = await again(read)
    assert (await again(lambda: shop.request(request))).status is RequestStatus.APPROVED
    assert decisions == 1
    assert execution is not None
    await again(lambda: shop.executions.carry_out(execution.id))
    assert await again(lambda: shop.status(execution.id)) is ExecutionStatus.SUCCEEDED
    assert len([order for order in shop.payments.booked.values() if order.action == execution.action_id]) == 1


@pytest.mark.postgres
async def test_connections_ended_by_the_server_in_the_midst_of_decisions(
    postgres_url: str, open_database: Callable[..., Database]
) -> None:
    ended = 0

    def strike(side: str, label: str) -> None:
        """The server ends every connection right before and right after some commits of decisions."""
        nonlocal ended
        if label == "decide" and ended < STRIKES and (side == "before") == (ended % 2 == 0):
            with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as admin:
                count = admin.execute(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                ).fetchone()
            assert count is not None
            ended += count[0]

    shop = Shop(open_database(postgres_url, strike))
    await shop.mode(Mode.REPLY)
    ben = await shop.person("ben")
    failed = 0
    for minute in range(6):
        order = ORDER.model_copy(update={"order_id": f"B-{minute}"})
        shop.orders.orders = {ANNA.email: (order,)}
        (request,) = await shop.proposed(refund(order, minor=100), key=f"m-{minute}", minute=minute, order=order)
        failed += await until_decided(shop, request, ben)
        await assert_one_effect(shop, request)
    assert failed > 0
    assert ended > 0


@pytest.mark.postgres
async def test_connections_that_a_restart_has_ended_are_handed_to_nobody(
    postgres_url: str, open_database: Callable[..., Database]
) -> None:
    shop = Shop(open_database(postgres_url))
    await shop.mode(Mode.REPLY)
    (request,) = await shop.proposed(refund())
    ben = await shop.person("ben")
    await asyncio.gather(*(shop.request(request) for _ in range(6)))  # several connections, idle from here on
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as admin:
        ended = admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state = 'idle'"
        ).fetchall()
    assert len(ended) > 1
    await shop.approve(request, ben)  # at the first click
    await assert_one_effect(shop, request)


async def test_a_file_locked_by_another_process_delays_a_decision_and_loses_nothing(
    sqlite_url: str, open_database: Callable[..., Database]
) -> None:
    shop = Shop(open_database(sqlite_url))
    await shop.mode(Mode.REPLY)
    (request,) = await shop.proposed(refund())
    ben = await shop.person("ben")
    other = sqlite3.connect(
        sqlite_url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None, check_same_thread=False
    )
    other.execute("BEGIN IMMEDIATE")
    asyncio.get_running_loop().call_later(6.0, other.execute, "ROLLBACK")  # longer than the product waits for a lock
    assert await until_decided(shop, request, ben) > 0
    other.close()
    await assert_one_effect(shop, request)


async def test_a_file_that_is_closed_and_opened_again_in_the_midst_of_a_decision(
    database_url: str, open_database: Callable[..., Database]
) -> None:
    class GoneError(BaseException):
        """The process that decides is gone."""

    for side, stands in (("before", False), ("after", True)):

        def strike(at: str, label: str, when: str = side) -> None:
            if (at, label) == (when, "decide"):
                raise GoneError

        shop = Shop(open_database(database_url, strike))
        await shop.mode(Mode.REPLY)
        minute = int(stands)
        (request,) = await shop.proposed(refund(minor=100), key=f"m-{minute}", minute=minute)
        ben = await shop.person(f"ben{minute}")
        with pytest.raises(GoneError):
            await shop.approve(request, ben)
        await shop.database.close()
        shop.database = open_database(database_url)
        assert (await shop.request(request)).status is (RequestStatus.APPROVED if stands else RequestStatus.PENDING)
        await until_decided(shop, request, ben)
        await assert_one_effect(shop, request)
