"""Decisions from Slack: committed before the acknowledgement, by a proved person, on exactly the bytes of the card."""

import asyncio
from datetime import timedelta

import pytest

from approvals.adapters.slack.naming import Verb
from approvals.card import Card, DecisionNotice
from approvals.messaging import Replacing
from db.base import table_of
from db.models.runs import RunRow
from db.read_models.queue import queue_item
from support_agents.domain.approval import ExecutionStatus, RequestStatus, Role
from support_agents.domain.ids import RequestId
from tests.fixtures.slack import SlackPerson, Workspace, button, chosen, typed

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def status(slack: Workspace, request: RequestId) -> RequestStatus:
    async with slack.desk.installation.container.database.read() as uow:
        item = await queue_item(uow, request)
    assert item is not None
    return item.request.status


async def execution(slack: Workspace, request: RequestId) -> ExecutionStatus | None:
    async with slack.desk.installation.container.database.read() as uow:
        found = await uow.executions.by_request(request)
    return None if found is None else found.status


async def next_card(slack: Workspace, person: SlackPerson) -> None:
    assert (await slack.command(person, "next")).status_code == 200


async def test_a_case_unlike_earlier_ones_is_told_of_on_the_card_and_can_be_decided(slack: Workspace) -> None:
    request = await slack.desk.reply()
    assert not any("unlike" in flag.text for flag in (await slack.read(request)).flags)
    mark = {"features": [9.0], "version": "1", "score": 7.0, "limit": 3.0, "why": ["a much longer message"]}
    async with slack.desk.installation.container.database.write("mark") as uow:
        await uow.session.execute(table_of(RunRow).update().values(outlier=mark))
    card = await slack.read(request)
    assert "unlike earlier cases: a much longer message" in [flag.text for flag in card.flags]
    assert card.approvable
    async with slack.desk.installation.container.database.write("mark") as uow:
        await uow.session.execute(table_of(RunRow).update().values(outlier=mark | {"score": 2.0}))
    assert not any("unlike" in flag.text for flag in (await slack.read(request)).flags)


async def test_a_click_approves_and_its_owner_is_told(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    await next_card(slack, ben)
    slack.still(timedelta())
    answer = await slack.press(ben, slack.card(), Verb.APPROVE, whispered=True)
    assert (answer.status_code, answer.content) == (200, b"")
    assert await status(slack, request) is RequestStatus.APPROVED
    assert await execution(slack, request) is ExecutionStatus.SCHEDULED
    (told,) = slack.directly(ben)
    assert isinstance(told, DecisionNotice)
    assert (told.request_id, told.until is not None) == (request, True)


async def test_the_next_one_appears_in_place(slack: Workspace) -> None:
    first, second, ben = await slack.desk.reply(), await slack.desk.reply(), await slack.person()
    await next_card(slack, ben)
    assert slack.card().request_id == first
    slack.still(timedelta())
    await slack.press(ben, slack.card(), Verb.APPROVE, whispered=True)
    assert slack.card().request_id == second
    assert slack.messenger.answers[-1][2] is Replacing.ORIGINAL
    await slack.press(ben, slack.card(), Verb.APPROVE, whispered=True)
    assert "nothing waits" in slack.lines().lower()


async def test_a_second_tap_on_what_appeared_just_now_decides_nothing(slack: Workspace) -> None:
    _, second, ben = await slack.desk.reply(), await slack.desk.reply(), await slack.person()
    await next_card(slack, ben)
    slack.still(timedelta())
    await slack.press(ben, slack.card(), Verb.APPROVE, whispered=True)
    slack.still(timedelta(seconds=3))
    await slack.press(ben, slack.card(), Verb.APPROVE, whispered=True)
    assert await status(slack, second) is RequestStatus.PENDING
    assert "changed a moment ago" in slack.lines()


async def test_a_tap_in_haste_is_not_made_slow_by_waiting_for_its_turn(slack: Workspace) -> None:
    """Others write for longer than a card must have stood; the tap came before, and is judged by when it came."""
    _, second, ben = await slack.desk.reply(), await slack.desk.reply(), await slack.person()
    await next_card(slack, ben)
    slack.still(timedelta())
    await slack.press(ben, slack.card(), Verb.APPROVE, whispered=True)
    slack.still(timedelta(seconds=3))
    async with slack.desk.installation.container.database.write("somebody else"):
        tap = asyncio.create_task(slack.press(ben, slack.card(), Verb.APPROVE, whispered=True))
        await asyncio.sleep(3.5)
    await tap
    assert await status(slack, second) is RequestStatus.PENDING
    assert "changed a moment ago" in slack.lines()


async def test_losers_are_told_who_was_first(slack: Workspace) -> None:
    request, ben, eva = await slack.desk.reply(), await slack.person(name="ben"), await slack.person(name="eva")
    await next_card(slack, ben)
    card = slack.card()
    slack.still(timedelta())
    await slack.press(ben, card, Verb.APPROVE, whispered=True)
    await slack.press(eva, card, Verb.APPROVE)
    assert "was first: approved" in slack.lines()
    assert ben.user.lower() in slack.lines()
    await slack.press(ben, card, Verb.APPROVE)
    assert await status(slack, request) is RequestStatus.APPROVED


async def test_undo_takes_it_back_while_the_window_is_open(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    await next_card(slack, ben)
    slack.still(timedelta())
    await slack.press(ben, slack.card(), Verb.APPROVE, whispered=True)
    await slack.press(ben, slack.directly(ben)[0], Verb.UNDO)
    assert await execution(slack, request) is ExecutionStatus.CANCELLED
    await slack.press(ben, slack.directly(ben)[0], Verb.UNDO)
    assert "no longer be taken back" in slack.lines()


async def test_rejecting_asks_why_and_returns_the_ticket_with_the_reason(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    await next_card(slack, ben)
    await slack.press(ben, slack.card(), Verb.REJECT)
    view, _ = slack.form()
    missing = await slack.submit(ben, view, {"note": typed("too stiff")})
    assert missing.json()["response_action"] == "errors"
    assert await status(slack, request) is RequestStatus.PENDING
    done = await slack.submit(ben, view, {"reason": chosen("wrong_tone"), "note": typed("too stiff")})
    assert (done.status_code, done.content) == (200, b"")
    assert await status(slack, request) is RequestStatus.REJECTED
    async with slack.desk.installation.container.database.read() as uow:
        ticket = await uow.tickets.get(await slack.desk.ticket_of(request))
    assert ticket is not None
    assert "The tone is wrong: too stiff" in (ticket.needs_person_reason or "")


async def test_money_is_sent_to_the_console(slack: Workspace) -> None:
    refund, ben = await slack.desk.refund(), await slack.person(Role.MANAGER)
    await next_card(slack, ben)
    assert "nothing waits" in slack.lines().lower()
    card = await slack.read(refund)
    await slack.press(ben, card, Verb.APPROVE)
    assert "decided in the console" in slack.lines()
    assert await status(slack, refund) is RequestStatus.PENDING


async def test_nobody_approves_what_concerns_themselves(slack: Workspace) -> None:
    request = await slack.desk.reply()
    anna = SlackPerson("UANNA")
    await slack.link(anna, await slack.operator(Role.ADMIN, "Anna+work@example.com"))
    await next_card(slack, anna)
    assert "nothing waits" in slack.lines().lower()
    await slack.press(anna, await slack.read(request), Verb.APPROVE)
    assert "own address" in slack.lines()
    assert await status(slack, request) is RequestStatus.PENDING


async def test_a_viewer_decides_nothing(slack: Workspace) -> None:
    request, vic = await slack.desk.reply(), await slack.person(Role.VIEWER)
    await slack.press(vic, await slack.read(request), Verb.APPROVE)
    assert "needs the role approver" in slack.lines()
    assert await status(slack, request) is RequestStatus.PENDING


async def test_what_nobody_can_see_cannot_be_approved(slack: Workspace) -> None:
    request, ben = await slack.desk.reply("Dear Anna,\n\nit is on its way.\u202e"), await slack.person()
    card = await slack.read(request)
    assert card.blocked
    forged = card.model_copy(update={"blocked": ()})
    await slack.press(ben, forged, Verb.APPROVE)
    assert "nobody can see" in slack.lines()
    assert await status(slack, request) is RequestStatus.PENDING


async def test_a_claim_is_shown_to_others_and_keeps_them_from_getting_the_same(slack: Workspace) -> None:
    first, second = await slack.desk.reply(), await slack.desk.reply()
    ben, eva = await slack.person(name="ben"), await slack.person(name="eva")
    await next_card(slack, ben)
    await next_card(slack, eva)
    assert slack.card().request_id == second
    assert ben.user.lower() in (await slack.read(first)).claimed_by
    await next_card(slack, ben)
    assert "nothing" not in slack.lines()
    assert slack.card().request_id == first


async def test_a_posted_card_that_was_repainted_just_now_refuses_the_click(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    card = await slack.read(request)
    database = slack.desk.installation.container.database

    async def painted(fingerprint: str) -> None:
        async with database.write("painted") as uow:
            await uow.posted_cards.show(
                card.workspace, request, place="C1", ref="1.1", fingerprint=fingerprint, at=await uow.now()
            )

    await painted("first")
    await painted("second")
    await slack.press(ben, card, Verb.APPROVE, channel="C1", ref="1.1")
    assert "changed a moment ago" in slack.lines()
    assert await status(slack, request) is RequestStatus.PENDING
    slack.still(timedelta())
    await slack.press(ben, card, Verb.APPROVE, channel="C1", ref="1.1")
    assert await status(slack, request) is RequestStatus.APPROVED


async def test_a_card_from_the_home_tab_comes_directly_and_is_known_from_then_on(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    await slack.event({"type": "app_home_opened", "user": ben.user, "tab": "home"}, event_id="Ev1")
    drawn = slack.blocks.home(slack.messenger.homes[ben.member])
    home = {"id": "V0HOME", "type": "home"}
    await slack.click(ben, button(drawn, Verb.SHOW), view=home)
    (shown,) = slack.directly(ben)
    assert isinstance(shown, Card)
    async with slack.desk.installation.container.database.read() as uow:
        (posted,) = await uow.posted_cards.of(request)
    assert (posted.place, posted.version) == (ben.place, 1)
    await slack.press(ben, shown, Verb.APPROVE, channel=posted.place, ref=posted.ref or "")
    assert await status(slack, request) is RequestStatus.APPROVED


async def test_the_same_click_by_two_people_at_once_has_one_winner(slack: Workspace) -> None:
    request = await slack.desk.reply()
    people = [await slack.person() for _ in range(6)]
    card = await slack.read(request)
    await asyncio.gather(*(slack.press(each, card, Verb.APPROVE) for each in people))
    async with slack.desk.installation.container.database.read() as uow:
        assert len(await uow.approvals.decisions(request)) == 1
    told = [shown for _, shown, _ in slack.messenger.answers if "was first" in str(shown)]
    assert len(told) == len(people) - 1


async def test_money_ahead_in_the_queue_does_not_hide_the_replies_behind_it(
    slack: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("approvals.desk_queue._PAGE", 2)
    refunds = [await slack.desk.refund() for _ in range(5)]
    reply, ben = await slack.desk.reply(), await slack.person(Role.MANAGER)
    await next_card(slack, ben)
    assert slack.card().request_id == reply
    assert reply not in refunds
