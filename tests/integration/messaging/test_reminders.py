"""Reminders and summaries: each once, to whoever is there, and not while the messenger is away."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from approvals.business_hours import BusinessHours
from approvals.card import Reminder, Summary
from approvals.linking import Linking
from approvals.messaging import Place
from approvals.messenger_routing import Duty, Escalation
from approvals.ports import Person
from approvals.reminders import Due
from db.read_models.notices import Waiting, sent_notices
from db.repositories.slack import SlackAccount
from support_agents.domain.action import ActionKind
from support_agents.domain.ids import DEFAULT_WORKSPACE, RequestId, new_id
from tests.fixtures.approvals import REPLY, set_column
from tests.fixtures.messaging import CHANNEL, NoticeBoard

ROUND_THE_CLOCK = {"days": tuple(range(7)), "on_holidays": True}


class AllDay(BusinessHours):
    """Open without a break, so that a test may run at any hour."""

    def open_between(self, start, end):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
        return max(end - start, timedelta())

    def is_open(self, instant):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201, ARG002
        return True


@pytest.fixture
def open_board(board: NoticeBoard) -> NoticeBoard:
    return replace(board, hours=AllDay(ZoneInfo("UTC")))


async def aged(board: NoticeBoard, request: RequestId, *, share: float) -> None:
    """Make a request as old as if this share of its 100 minutes were over."""
    async with board.shop.database.write("age") as uow:
        now = await uow.now()
        made = now - timedelta(minutes=100 * share)
        await set_column(uow, "approval_requests", "created_at", made, request)
        await set_column(uow, "approval_requests", "expires_at", made + timedelta(minutes=100), request)


def reminders(board: NoticeBoard, place: str = CHANNEL) -> list[Reminder]:
    return [shown.now for shown in board.shown(place) if isinstance(shown.now, Reminder)]


async def test_each_share_is_told_once(open_board: NoticeBoard) -> None:
    (request,) = await open_board.shop.proposed(REPLY)
    sender = open_board.reminders
    assert await sender.send_due(DEFAULT_WORKSPACE) == 0
    await aged(open_board, request, share=0.55)
    assert [await sender.send_due(DEFAULT_WORKSPACE) for _ in range(3)] == [1, 0, 0]
    await aged(open_board, request, share=0.85)
    assert [await sender.send_due(DEFAULT_WORKSPACE) for _ in range(3)] == [1, 0, 0]
    assert [(each.share, each.request_id) for each in reminders(open_board)] == [(50, request), (80, request)]
    await open_board.shop.reject(request, await open_board.shop.person("ben"))
    assert await sender.send_due(DEFAULT_WORKSPACE) == 0


async def test_what_the_messenger_did_not_take_stays_due(open_board: NoticeBoard) -> None:
    (request,) = await open_board.shop.proposed(REPLY)
    await aged(open_board, request, share=0.6)
    open_board.fake.down = True
    assert await open_board.reminders.send_due(DEFAULT_WORKSPACE) == 0
    open_board.fake.down = False
    assert await open_board.reminders.send_due(DEFAULT_WORKSPACE) == 1


async def test_the_second_group_is_called_in_its_own_channel(open_board: NoticeBoard) -> None:
    escalation = Escalation(mention="S0SECOND", channel="C0LEADS")
    on_call = (Duty(mention="U0BEN", **ROUND_THE_CLOCK),)
    open_board.routing = open_board.routing.model_copy(update={"escalation": escalation, "on_call": on_call})
    (request,) = await open_board.shop.proposed(REPLY)
    await aged(open_board, request, share=0.6)
    await open_board.reminders.send_due(DEFAULT_WORKSPACE)
    await aged(open_board, request, share=0.9)
    await open_board.reminders.send_due(DEFAULT_WORKSPACE)
    assert [each.mention for each in reminders(open_board)] == ["U0BEN"]
    assert [each.mention for each in reminders(open_board, "C0LEADS")] == ["S0SECOND"]


async def linked(board: NoticeBoard, name: str, user: str) -> Person:
    person = await board.shop.person(name)
    linking = Linking(board.shop.database)
    code = await linking.make_code(person)
    await linking.link(DEFAULT_WORKSPACE, SlackAccount("T0SHOP", user), code)
    return person


async def test_the_one_on_duty_is_called_or_who_stands_in(open_board: NoticeBoard) -> None:
    ben, cara = await linked(open_board, "ben", "U0BEN"), await linked(open_board, "cara", "U0CARA")
    on_call = (Duty(operator=ben.email, **ROUND_THE_CLOCK),)
    open_board.routing = open_board.routing.model_copy(update={"on_call": on_call})
    (request,) = await open_board.shop.proposed(REPLY)
    await aged(open_board, request, share=0.6)
    await open_board.reminders.send_due(DEFAULT_WORKSPACE)
    async with open_board.shop.database.write("away") as uow:
        until = await uow.now() + timedelta(days=7)
        await uow.operators.set_desk(
            ben.operator_id, languages="", skills="", away_until=until, delegate=cara.operator_id
        )
    await aged(open_board, request, share=0.9)
    await open_board.reminders.send_due(DEFAULT_WORKSPACE)
    assert [each.mention for each in reminders(open_board)] == ["U0BEN", "U0CARA"]


async def test_many_at_once_are_one_line(open_board: NoticeBoard) -> None:
    async with open_board.shop.database.read() as uow:
        now = await uow.now()
    until = now + timedelta(minutes=40)
    waiting = [Waiting(RequestId(new_id()), ActionKind.SEND_REPLY, "My order", now, until, "") for _ in range(600)]
    group = [Due(each, 50) for each in waiting]
    assert await open_board.reminders._send(DEFAULT_WORKSPACE, group, "U0BEN", now) == 1
    (line,) = reminders(open_board)
    assert line.headline == "600 requests wait"
    async with open_board.shop.database.read() as uow:
        sent = await sent_notices(uow, DEFAULT_WORKSPACE, "reminder", [each.key for each in group])
    assert len(sent) == 600


async def test_nothing_is_sent_while_the_business_is_closed(board: NoticeBoard) -> None:
    closed = replace(board, hours=BusinessHours(ZoneInfo("UTC"), days=frozenset()))
    (request,) = await closed.shop.proposed(REPLY)
    await aged(closed, request, share=0.9)
    assert await closed.reminders.send_due(DEFAULT_WORKSPACE) == 0
    assert await closed.summaries.send_due(DEFAULT_WORKSPACE) == 0


async def test_the_hours_line_is_sent_once(open_board: NoticeBoard) -> None:
    assert await open_board.summaries.send_due(DEFAULT_WORKSPACE) == 0  # nothing to tell
    (request,) = await open_board.shop.proposed(REPLY)
    assert [await open_board.summaries.send_due(DEFAULT_WORKSPACE) for _ in range(2)] == [1, 0]
    (line,) = [shown.now for shown in open_board.shown()]
    assert isinstance(line, Summary)
    assert (line.waiting, line.decided) == (1, 0)
    await open_board.shop.reject(request, await open_board.shop.person("ben"))
    async with open_board.shop.database.write("next_hour") as uow:
        await set_column(uow, "notices", "key", "2026-01-01T00", CHANNEL, by="place")  # type: ignore[arg-type]
    assert await open_board.summaries.send_due(DEFAULT_WORKSPACE) == 1
    lines = [shown.now for shown in open_board.shown(Place(CHANNEL).id)]
    assert isinstance(lines[-1], Summary)
    assert (lines[-1].waiting, lines[-1].decided) == (0, 1)
