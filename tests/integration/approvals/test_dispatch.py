"""The kill switches: everything, one kind, one way; at once, on record, and by the right people."""

import asyncio
from datetime import timedelta

import pytest

from approvals.canonical import Way
from approvals.dispatch import DispatchSwitch, Extent
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import ExecutionStatus, Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.fixtures.approvals import REPLY, Shop, refund

REFUNDS, MAIL = Extent(kind=ActionKind.ISSUE_REFUND), Extent(way=Way.EMAIL)


async def test_a_kind_that_is_stopped_waits_and_all_others_leave(shop: Shop) -> None:
    switch = DispatchSwitch(shop.database)
    refunding = await shop.approved(refund())
    (reply,) = await shop.proposed(REPLY, source="zendesk")
    replying = await shop.approve(reply, await shop.person("eva"))
    assert replying is not None
    mia, ada = await shop.person("mia", Role.MANAGER), await shop.person("ada", Role.ADMIN)
    await switch.stop(mia, REFUNDS)
    assert await shop.executions.carry_out(refunding) is ExecutionStatus.SCHEDULED
    assert shop.payments.booked == {}
    assert await shop.executions.carry_out(replying) is ExecutionStatus.SUCCEEDED
    await switch.resume(ada, REFUNDS)
    assert await shop.executions.carry_out(refunding) is ExecutionStatus.SUCCEEDED


async def test_a_way_that_is_stopped_waits_and_all_others_leave(shop: Shop) -> None:
    switch = DispatchSwitch(shop.database)
    by_mail = await shop.approved(REPLY)
    await switch.stop_here(DEFAULT_WORKSPACE, MAIL)
    await switch.stop_here(DEFAULT_WORKSPACE, MAIL)
    assert [(stop.scope, stop.what) for stop in (await switch.state(DEFAULT_WORKSPACE)).stops] == [("way", "email")]
    assert await shop.executions.carry_out(by_mail) is ExecutionStatus.SCHEDULED
    assert shop.mail.sent == []
    requests = await shop.proposed(REPLY, source="zendesk")
    by_desk = await shop.approve(requests[-1], await shop.person("eva"))
    assert by_desk is not None
    assert await shop.executions.carry_out(by_desk) is ExecutionStatus.SUCCEEDED


async def test_stopping_takes_a_manager_and_going_on_an_admin(shop: Shop) -> None:
    switch = DispatchSwitch(shop.database)
    people = {role: await shop.person(role, role) for role in Role}

    async def refused(role: Role, *, stop: bool) -> bool:
        try:
            await (switch.stop if stop else switch.resume)(people[role], REFUNDS)
        except SupportError as error:
            return error.code == "not_allowed"
        return False

    assert [await refused(role, stop=True) for role in Role] == [True, True, False, False]
    assert [await refused(role, stop=False) for role in Role] == [True, True, True, False]
    async with shop.database.write("out") as uow:
        await uow.operators.end_session(people[Role.ADMIN].session_id)
    assert await refused(Role.ADMIN, stop=True)


async def test_every_switch_is_on_record_with_who_and_what(shop: Shop) -> None:
    switch = DispatchSwitch(shop.database)
    ada = await shop.person("ada", Role.ADMIN)
    await switch.stop_here(DEFAULT_WORKSPACE, Extent())
    await switch.resume(ada, Extent())
    await switch.stop(ada, MAIL)
    async with shop.database.read() as uow:
        entries = [e for e in await uow.audit.of(DEFAULT_WORKSPACE) if e.event.startswith("dispatch.")]
    told = [(entry.event, entry.actor, entry.data["scope"], entry.data["what"]) for entry in entries]
    assert told == [
        ("dispatch.off", "command line", "all", "all"),
        ("dispatch.on", str(ada.operator_id), "all", "all"),
        ("dispatch.off", str(ada.operator_id), "way", "email"),
    ]


async def test_once_stopped_nothing_of_it_begins_however_many_workers_there_are(shop: Shop) -> None:
    switch = DispatchSwitch(shop.database)
    execution = await shop.approved(refund())
    shop.call_limit = timedelta(seconds=5)

    async def stop() -> bool:
        """Stop, and tell whether anything had begun before; from here on nothing may."""
        await switch.stop_here(DEFAULT_WORKSPACE, REFUNDS)
        return await shop.status(execution) is not ExecutionStatus.SCHEDULED

    begun, *_ = await asyncio.gather(stop(), *(shop.executions.carry_out(execution) for _ in range(4)))
    if not begun:
        assert await shop.executions.carry_out(execution) is ExecutionStatus.SCHEDULED
        assert shop.payments.booked == {}


def test_a_switch_is_about_one_thing() -> None:
    with pytest.raises(SupportError):
        Extent(kind=ActionKind.SEND_REPLY, way=Way.EMAIL)
