"""Cards in a messenger are what is stored: posted once, repainted, and none lost while the messenger is away."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from approvals.card import Stage
from approvals.consequences import UndoWindows
from approvals.messaging import Content, Gone, MessageRef, Throttled, Unreachable
from approvals.messenger_routing import ChannelRule, MessengerRouting
from approvals.ports import Refused
from db.base import table_of
from db.models.messaging import PostedCardRow
from support_agents.domain.approval import DecisionVerdict, Role
from support_agents.domain.ids import DEFAULT_WORKSPACE
from tests.fixtures.approvals import REPLY, refund, set_column
from tests.fixtures.messaging import CHANNEL, NoticeBoard


async def test_a_request_is_posted_once_and_shows_what_is_stored(board: NoticeBoard) -> None:
    (request,) = await board.shop.proposed(REPLY)
    assert await board.deliver() == 1
    assert board.card() == await board.current(request)
    assert await board.deliver() == 0
    assert len(board.shown()) == 1
    letter = board.card().letter
    assert letter is not None
    assert letter.text == REPLY.text


async def test_a_card_follows_its_request_to_the_receipt(board: NoticeBoard) -> None:
    (request,) = await board.shop.proposed(refund())
    await board.deliver()
    assert board.card().approvable
    board.shop.windows = UndoWindows(reply=timedelta(hours=1), refund=timedelta(hours=1))
    execution = await board.shop.approve(request, await board.shop.person("ben"))
    assert execution is not None
    await board.deliver()
    undo = board.card()
    assert undo.state.stage is Stage.UNDO
    assert undo.state.undo_until is not None
    assert "ben approved it" in undo.state.decisions[0]
    async with board.shop.database.write("window") as uow:
        await set_column(uow, "executions", "not_before", await uow.now() - timedelta(seconds=1), execution)
    await board.shop.executions.carry_out(execution)
    await board.deliver()
    assert board.card().state.stage is Stage.DONE
    assert board.card().state.receipt.startswith("refund-")
    assert len(board.shown()) == 1


async def test_the_version_and_the_time_of_a_rendering_are_stored(board: NoticeBoard) -> None:
    (request,) = await board.shop.proposed(REPLY)
    await board.deliver()
    (shown,) = board.shown()
    async with board.shop.database.read() as uow:
        first = await uow.posted_cards.at(DEFAULT_WORKSPACE, place=CHANNEL, ref=shown.ref.id)
    assert first is not None
    assert (first.request_id, first.version) == (request, 1)
    await board.shop.reject(request, await board.shop.person("ben"))
    await board.deliver()
    async with board.shop.database.read() as uow:
        second = await uow.posted_cards.at(DEFAULT_WORKSPACE, place=CHANNEL, ref=shown.ref.id)
    assert second is not None
    assert second.version == 2
    assert first.rendered_at is not None
    assert second.rendered_at is not None
    assert second.rendered_at >= first.rendered_at
    assert second.fingerprint == (await board.current(request)).fingerprint


async def test_the_same_again_is_not_sent_again(board: NoticeBoard) -> None:
    (request,) = await board.shop.proposed(REPLY)
    await board.deliver()
    calls = board.fake.calls
    async with board.shop.database.write("again") as uow:
        await uow.outbox.request_changed(request, workspace=DEFAULT_WORKSPACE)
    assert await board.deliver() == 1
    assert board.fake.calls == calls
    assert await board.waiting() == 0


async def test_a_messenger_away_for_an_hour_loses_nothing(board: NoticeBoard) -> None:
    board.fake.down = True
    (request,) = await board.shop.proposed(REPLY)
    person = await board.shop.person("ben")
    for _ in range(60):  # more often than the relay would bury anything
        await board.deliver()
        assert await board.waiting() == 1
        await board.later()
    await board.shop.reject(request, person)  # the console stays a full equal
    (other,) = await board.shop.proposed(REPLY, key="m-1", minute=1)
    board.fake.down = False
    for _ in range(3):
        await board.later()
        await board.deliver()
    (shown,) = board.shown()
    assert shown.now == await board.current(other)
    assert await board.waiting() == 0


async def test_a_card_on_show_when_the_messenger_went_away_is_repainted_afterwards(board: NoticeBoard) -> None:
    (request,) = await board.shop.proposed(REPLY)
    await board.deliver()
    board.fake.down = True
    await board.shop.reject(request, await board.shop.person("ben"))
    await board.deliver()
    assert board.card().state.stage is Stage.PENDING
    board.fake.down = False
    await board.later()
    await board.deliver()
    assert board.card().state.stage is Stage.ENDED
    assert await board.waiting() == 0


@pytest.mark.parametrize("trouble", [Throttled(2.5), Unreachable("x"), Refused("not_in_channel", "invite it")])
async def test_trouble_is_put_off_and_not_counted_as_a_failed_try(
    board: NoticeBoard, trouble: Throttled | Unreachable | Refused
) -> None:
    board.fake.coming = [trouble]
    await board.shop.proposed(REPLY)
    await board.deliver()
    assert board.shown() == []
    assert await board.deliver() == 0  # not at once
    await board.later()
    events = await board.claim()
    assert [event.attempts for event in events] == [1]
    await board.notification.changed(events[0])
    assert len(board.shown()) == 1


async def test_a_deleted_message_stays_deleted(board: NoticeBoard) -> None:
    (request,) = await board.shop.proposed(REPLY)
    await board.deliver()
    (shown,) = board.shown()
    board.fake.delete(shown.ref)
    await board.shop.reject(request, await board.shop.person("ben"))
    await board.deliver()
    assert board.shown() == []
    assert await board.waiting() == 0


async def test_a_view_that_is_gone_meanwhile_does_not_stop_the_others(board: NoticeBoard) -> None:
    (request,) = await board.shop.proposed(REPLY)
    await board.deliver()
    async with board.shop.database.write("show") as uow:
        await uow.posted_cards.show(
            DEFAULT_WORKSPACE, request, place="D1", ref="9.1", fingerprint="0" * 64, at=await uow.now()
        )
    board.fake.coming = [Gone("message_not_found")]
    await board.shop.reject(request, await board.shop.person("ben"))
    await board.deliver()
    async with board.shop.database.read() as uow:
        left = await uow.posted_cards.of(request)
    assert len(left) <= 1
    assert await board.waiting() == 0


async def test_many_workers_at_once_post_one_message(board: NoticeBoard) -> None:
    (request,) = await board.shop.proposed(REPLY)
    for _ in range(5):
        async with board.shop.database.write("more") as uow:
            await uow.outbox.request_changed(request, workspace=DEFAULT_WORKSPACE)
    events = await board.claim()
    assert len(events) == 6
    await asyncio.gather(*(board.notification.changed(event) for event in events))
    await board.later()
    await board.deliver()
    assert len(board.shown()) == 1
    assert await board.waiting() == 0


async def test_a_change_while_the_messenger_is_written_to_is_shown_next(board: NoticeBoard) -> None:
    (request,) = await board.shop.proposed(REPLY)
    person = await board.shop.person("ben")
    post = board.fake.post

    async def slow(place: object, content: object) -> object:
        await board.shop.reject(request, person)
        board.fake.post = post  # type: ignore[method-assign]
        return await post(place, content)  # type: ignore[arg-type]

    board.fake.post = slow  # type: ignore[assignment,method-assign]
    (event,) = await board.claim()
    await board.notification.changed(event)
    await board.deliver()
    assert board.card() == await board.current(request)
    assert board.card().state.stage is Stage.ENDED


async def test_whoever_outlived_their_lease_does_not_keep_an_old_card_on_show(board: NoticeBoard) -> None:
    (request,) = await board.shop.proposed(REPLY)
    await board.deliver()
    before, update = await board.current(request), board.fake.update
    await board.shop.reject(request, await board.shop.person("ben"))

    async def late(ref: MessageRef, _content: Content) -> object:
        board.fake.update = update  # type: ignore[method-assign]
        async with board.shop.database.write("the lease lapses") as uow:
            await uow.session.execute(table_of(PostedCardRow).update().values(leased_until=None))
            await uow.outbox.request_changed(request, workspace=DEFAULT_WORKSPACE)
        await board.deliver()
        return await update(ref, before)

    board.fake.update = late  # type: ignore[assignment,method-assign]
    (event,) = await board.claim()
    await board.notification.changed(event)
    assert board.card() == before
    await board.later()
    await board.deliver()
    assert board.card() == await board.current(request)
    assert await board.waiting() == 0


async def test_a_request_over_before_it_was_shown_is_not_shown(board: NoticeBoard) -> None:
    board.fake.down = True
    (request,) = await board.shop.proposed(REPLY)
    await board.deliver()
    await board.shop.reject(request, await board.shop.person("ben"))
    board.fake.down = False
    await board.later()
    await board.deliver()
    assert board.shown() == []
    assert await board.waiting() == 0


async def test_a_card_that_no_channel_wants_is_not_posted(board: NoticeBoard) -> None:
    board.routing = MessengerRouting()
    await board.shop.proposed(refund(), REPLY)
    assert await board.deliver() == 2
    assert board.fake.messages == {}
    assert await board.waiting() == 0


async def test_a_card_goes_to_the_channel_of_its_rule(board: NoticeBoard) -> None:
    rule = ChannelRule(channel="C0MONEY", from_minor={"EUR": 1_000})
    board.routing = board.routing.model_copy(update={"rules": (rule,)})
    await board.shop.proposed(refund(), REPLY)
    await board.deliver()
    assert len(board.shown("C0MONEY")) == 1
    assert len(board.shown(CHANNEL)) == 1


async def test_a_claim_is_shown_while_it_holds(board: NoticeBoard) -> None:
    (request,) = await board.shop.proposed(REPLY)
    person = await board.shop.person("dora")
    await board.deliver()
    async with board.shop.database.write("claim_card") as uow:
        until = await uow.now() + timedelta(minutes=3)
        assert await uow.card_claims.take(DEFAULT_WORKSPACE, request, person.operator_id, until=until)
    await board.deliver()
    assert board.card().claimed_by == "dora"
    async with board.shop.database.write("lapse") as uow:
        past = await uow.now() - timedelta(seconds=1)
        await set_column(uow, "card_claims", "claimed_until", past, request, by="request_id")
    await board.later()
    await board.deliver()
    assert board.card().claimed_by == ""


async def test_a_claim_from_before_the_card_was_shown_lapses_on_it_too(board: NoticeBoard) -> None:
    (request,) = await board.shop.proposed(REPLY)
    person = await board.shop.person("dora")
    async with board.shop.database.write("claim_card") as uow:
        until = await uow.now() + timedelta(minutes=3)
        assert await uow.card_claims.take(DEFAULT_WORKSPACE, request, person.operator_id, until=until)
    await board.deliver()
    assert board.card().claimed_by == "dora"
    assert await board.waiting() == 1
    async with board.shop.database.write("lapse") as uow:
        past = await uow.now() - timedelta(seconds=1)
        await set_column(uow, "card_claims", "claimed_until", past, request, by="request_id")
    await board.later()
    await board.deliver()
    assert board.card().claimed_by == ""


async def test_a_claim_that_no_message_shows_tells_nobody(board: NoticeBoard) -> None:
    (request,) = await board.shop.proposed(REPLY)
    person = await board.shop.person("dora")
    board.routing = MessengerRouting()
    await board.deliver()
    async with board.shop.database.write("claim_card") as uow:
        until = await uow.now() + timedelta(minutes=3)
        assert await uow.card_claims.take(DEFAULT_WORKSPACE, request, person.operator_id, until=until)
        await uow.card_claims.release(DEFAULT_WORKSPACE, request, person.operator_id)
    assert await board.waiting() == 0


async def test_a_claim_is_one_persons_until_it_lapses(board: NoticeBoard) -> None:
    (request,) = await board.shop.proposed(REPLY)
    first, second = await board.shop.person("ben"), await board.shop.person("cara")
    async with board.shop.database.write("claim_card") as uow:
        until = await uow.now() + timedelta(minutes=3)
        took = [
            await uow.card_claims.take(DEFAULT_WORKSPACE, request, each.operator_id, until=until)
            for each in (first, second, first)
        ]
    assert took == [True, False, True]


async def test_a_messenger_connected_later_is_caught_up_with(board: NoticeBoard) -> None:
    (request,) = await board.shop.proposed(REPLY)
    for event in await board.claim():
        async with board.shop.database.write("lost") as uow:
            await uow.outbox.done(event.id)
    assert await board.notification.catch_up(DEFAULT_WORKSPACE) == 1
    await board.deliver()
    assert board.card() == await board.current(request)


async def test_two_approvals_are_counted_on_the_card(board: NoticeBoard) -> None:
    (request,) = await board.shop.proposed(refund(minor=4_990))
    async with board.shop.database.write("two") as uow:
        needed = await uow.approvals.get(request)
    assert needed is not None
    await board.deliver()
    manager = await board.shop.person("mo", Role.MANAGER)
    await board.shop.queue.decide(request, digest=needed.digest, verdict=DecisionVerdict.APPROVE, person=manager)
    await board.deliver()
    assert "mo approved it" in board.card().state.decisions[0]


async def test_without_a_listener_nothing_is_put_into_the_outbox(board: NoticeBoard) -> None:
    deaf = replace(board.shop, database=type(board.shop.database)(board.shop.database._store))
    await deaf.proposed(REPLY)
    assert await board.waiting() == 0
