"""The notification against Slack's own answers over HTTP: storms of 429, lost answers, messages too long, outages."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from approvals.adapters.slack.channel import SlackMessenger
from approvals.adapters.slack.pace import METHODS, Pace, Rate
from approvals.card import Notice
from approvals.messaging import Place, Posted, Replacing, Throttled, Unreachable
from approvals.ports import Refused
from support_agents.domain.action import SendReply
from tests.fixtures.approvals import REPLY, refund
from tests.fixtures.cards import INSTALLATION, card, refund_card
from tests.fixtures.inbound import ANNA
from tests.fixtures.messaging import CHANNEL, NoticeBoard
from tests.peers.slack_limits import texts_in
from tests.peers.slack_server import BOT_TOKEN, Fault, SlackServer, serve_slack


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind of database is enough here: what differs is Slack."""
    return sqlite_url


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with serve_slack() as server:
        yield server


@pytest.fixture
async def live(board: NoticeBoard, slack: SlackServer) -> AsyncIterator[NoticeBoard]:
    """The board with Slack's adapter; our own pace is off, so that Slack's is felt."""
    messenger = SlackMessenger.open(BOT_TOKEN, installation=INSTALLATION, base_url=slack.api_url, seconds=2)
    fast = Rate(1_000, 1_000)
    messenger.pace = Pace(messenger.pace.monotonic, dict.fromkeys(METHODS, fast), fast)
    yield replace(board, messenger=messenger)
    await messenger.close()
    assert slack.refusals == []


async def until_quiet(board: NoticeBoard, rounds: int) -> None:
    for _ in range(rounds):
        await board.later()
        await board.deliver()
        if await board.waiting() == 0:
            return


async def test_a_storm_of_429_ends_with_every_card_shown_once(live: NoticeBoard, slack: SlackServer) -> None:
    await live.shop.proposed(refund(), REPLY)
    slack.faults.append(Fault("chat.postMessage", 429, times=7, retry_after=0.01))
    for _ in range(10):
        await until_quiet(live, 3)
    shown = slack.shown(CHANNEL)
    assert len(shown) == 2
    assert await live.waiting() == 0


async def test_after_429_nothing_is_sent_to_the_channel_until_slack_said(live: NoticeBoard, slack: SlackServer) -> None:
    await live.shop.proposed(REPLY)
    slack.faults.append(Fault("chat.postMessage", 429, times=1, retry_after=300))
    await until_quiet(live, 5)
    assert slack.count("chat.postMessage") == 1
    assert await live.waiting() == 1


@pytest.mark.parametrize("what", [500, 503, "garbage", "internal_error", "fatal_error"])
async def test_an_answer_without_sense_is_tried_again(live: NoticeBoard, slack: SlackServer, what: str | int) -> None:
    await live.shop.proposed(REPLY)
    slack.faults.append(Fault("chat.postMessage", what, times=2))
    await until_quiet(live, 5)
    assert len(slack.shown(CHANNEL)) == 1


async def test_a_post_whose_answer_was_lost_leaves_a_second_message_that_is_followed(
    live: NoticeBoard, slack: SlackServer
) -> None:
    """Slack's posts have no key of ours: the first message stays as it was and decides nothing by itself."""
    (request,) = await live.shop.proposed(REPLY)
    slack.faults.append(Fault("chat.postMessage", "lost"))
    await until_quiet(live, 5)
    assert len(slack.shown(CHANNEL)) == 2
    await live.shop.reject(request, await live.shop.person("ben"))
    await until_quiet(live, 5)
    painted = [len(message.states) for message in slack.shown(CHANNEL)]
    assert painted == [1, 2]


async def test_a_reply_too_long_for_slack_is_shown_as_far_as_it_goes_and_not_approvable(
    live: NoticeBoard, slack: SlackServer
) -> None:
    long = SendReply(to=ANNA.email, subject="My order", text="All that there is to say about it. " * 500)
    await live.shop.proposed(long)
    await until_quiet(live, 2)
    (message,) = slack.shown(CHANNEL)
    texts = [text for _, text in texts_in(message.now["blocks"])]
    assert any("do not fit here" in text for text in texts)
    assert "Approve" not in texts
    assert "Reject" in texts


async def test_our_own_pace_is_a_message_a_second_a_channel(slack: SlackServer) -> None:
    moments = [100.0]
    messenger = SlackMessenger.open(
        BOT_TOKEN, installation=INSTALLATION, base_url=slack.api_url, monotonic=lambda: moments[0]
    )
    answers = [await messenger.post(Place(CHANNEL), refund_card()) for _ in range(7)]
    waits = [round(answer.retry_after) for answer in answers if isinstance(answer, Throttled)]
    assert [type(answer) for answer in answers[:4]] == [Posted] * 4
    assert waits == [1, 2, 3]  # each its own moment, so that all do not come back at once
    assert isinstance(await messenger.post(Place("C0OTHER"), card()), Posted)
    moments[0] += 1.0
    assert isinstance(await messenger.post(Place(CHANNEL), refund_card()), Posted)
    await messenger.close()


async def test_a_stalled_slack_is_unreachable_and_the_token_is_told_nowhere(slack: SlackServer) -> None:
    messenger = SlackMessenger.open(BOT_TOKEN, installation=INSTALLATION, base_url=slack.api_url, seconds=1)
    slack.faults.append(Fault("chat.postMessage", "stall"))
    answer = await messenger.post(Place(CHANNEL), card())
    assert isinstance(answer, Unreachable)
    assert BOT_TOKEN not in repr(answer) + repr(messenger)
    await messenger.close()


@pytest.mark.parametrize(
    "address", ["https://evil.example/x", "http://169.254.169.254/", "http://hooks.slack.com/x", ""]
)
async def test_only_slacks_own_addresses_are_answered(slack: SlackServer, address: str) -> None:
    messenger = SlackMessenger.open(BOT_TOKEN, installation=INSTALLATION)
    answer = await messenger.respond(address, Notice(lines=("x",)), Replacing.NOTHING)
    assert isinstance(answer, Refused)
    assert slack.calls == []
