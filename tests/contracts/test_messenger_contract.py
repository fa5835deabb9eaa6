"""What every messenger does, the one in memory and Slack's adapter over HTTP alike."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import pytest

from approvals.adapters.slack.channel import SlackMessenger
from approvals.card import Notice
from approvals.messaging import (
    Connection,
    Done,
    Gone,
    Member,
    MemberProfile,
    MessageRef,
    Messenger,
    Opened,
    Place,
    Posted,
    Replacing,
    Throttled,
    Unreachable,
    ViewRef,
)
from approvals.ports import Refused
from approvals.testing_messaging import FakeMessenger
from tests.fixtures.cards import INSTALLATION, card, cards, contents, home, modals
from tests.peers.slack_server import BOT_TOKEN, TEAM, Fault, SlackServer, serve_slack

RISK, BEN = Place("C0RISK"), Member(TEAM, "U0BEN")


class Outside(Protocol):
    """What a test does to the messenger's other side."""

    def trigger(self) -> str: ...

    def address(self) -> str: ...

    def throttle(self) -> None: ...

    def cut(self) -> None: ...

    def delete(self, ref: MessageRef) -> None: ...


@dataclass
class FakeOutside:
    fake: FakeMessenger

    def trigger(self) -> str:
        self.fake.triggers.add("t")
        return "t"

    def address(self) -> str:
        return "address"

    def throttle(self) -> None:
        self.fake.coming.append(Throttled(7))

    def cut(self) -> None:
        self.fake.down = True

    def delete(self, ref: MessageRef) -> None:
        self.fake.delete(ref)


@dataclass
class ServerOutside:
    server: SlackServer

    def trigger(self) -> str:
        return self.server.trigger()

    def address(self) -> str:
        return self.server.response_url()

    def throttle(self) -> None:
        self.server.faults.append(Fault("*", 429, retry_after=7))

    def cut(self) -> None:
        self.server.down = True

    def delete(self, ref: MessageRef) -> None:
        self.server.messages[ref.place.id, ref.id].deleted = True


@dataclass
class Case:
    messenger: Messenger
    outside: Outside


@asynccontextmanager
async def slack_case() -> AsyncIterator[Case]:
    async with serve_slack() as server:
        server.add_user(BEN.user, "Ben")
        messenger = SlackMessenger.open(BOT_TOKEN, installation=INSTALLATION, base_url=server.api_url)
        yield Case(messenger, ServerOutside(server))
        await messenger.close()
        assert server.refusals == []


@pytest.fixture(params=["fake", "slack"])
async def case(request: pytest.FixtureRequest) -> AsyncIterator[Case]:
    if request.param == "fake":
        profile = MemberProfile(BEN, "Ben", deactivated=False, bot=False, foreign=False)
        fake = FakeMessenger(places={RISK.id}, profiles={BEN: profile})
        fake.places = {RISK.id, fake.conversation(BEN).id}
        yield Case(fake, FakeOutside(fake))
    else:
        async with slack_case() as made:
            yield made


async def test_a_message_is_posted_and_repainted(case: Case) -> None:
    posted = await case.messenger.post(RISK, card())
    assert isinstance(posted, Posted)
    assert posted.ref.place == RISK
    again = await case.messenger.update(posted.ref, cards()["receipt"])
    assert isinstance(again, Posted)
    assert again.ref == posted.ref


@pytest.mark.parametrize("kind", [*cards(), *contents()])
async def test_every_content_is_taken(case: Case, kind: str) -> None:
    content = (cards() | contents())[kind]
    assert isinstance(await case.messenger.post(RISK, content), Posted)


async def test_two_messages_are_two(case: Case) -> None:
    first, second = await case.messenger.post(RISK, card()), await case.messenger.post(RISK, card())
    assert isinstance(first, Posted)
    assert isinstance(second, Posted)
    assert first.ref != second.ref


async def test_a_deleted_message_is_gone(case: Case) -> None:
    posted = await case.messenger.post(RISK, card())
    assert isinstance(posted, Posted)
    case.outside.delete(posted.ref)
    assert isinstance(await case.messenger.update(posted.ref, card()), Gone)


async def test_an_unknown_channel_is_refused_with_advice(case: Case) -> None:
    refused = await case.messenger.post(Place("C0NOWHERE"), card())
    assert isinstance(refused, Refused)
    assert refused.code == "channel_not_found"
    assert "invite the app" in refused.message


async def test_a_person_is_written_to_directly(case: Case) -> None:
    first = await case.messenger.direct(BEN, contents()["decision"])
    second = await case.messenger.direct(BEN, contents()["notice"])
    assert isinstance(first, Posted)
    assert isinstance(second, Posted)
    assert first.ref.place == second.ref.place != RISK


async def test_a_whisper_is_taken(case: Case) -> None:
    assert await case.messenger.whisper(RISK, BEN, Notice(lines=("Ben was first",))) == Done()


@pytest.mark.parametrize("kind", modals())
async def test_every_modal_opens(case: Case, kind: str) -> None:
    assert isinstance(await case.messenger.open_modal(case.outside.trigger(), modals()[kind]), Opened)


async def test_a_modal_is_filled_once_per_state(case: Case) -> None:
    opened = await case.messenger.open_modal(case.outside.trigger(), modals()["loading"])
    assert isinstance(opened, Opened)
    filled = await case.messenger.update_modal(opened.view, modals()["edit"])
    assert isinstance(filled, Opened)
    assert isinstance(await case.messenger.update_modal(opened.view, modals()["edit"]), Gone)
    assert isinstance(await case.messenger.update_modal(ViewRef(opened.view.id), modals()["checked"]), Opened)
    assert isinstance(await case.messenger.update_modal(ViewRef("V0NONE"), modals()["edit"]), Gone)


async def test_a_trigger_works_once(case: Case) -> None:
    trigger = case.outside.trigger()
    assert isinstance(await case.messenger.open_modal(trigger, modals()["edit"]), Opened)
    assert isinstance(await case.messenger.open_modal(trigger, modals()["edit"]), Gone)


async def test_a_home_tab_is_published(case: Case) -> None:
    assert await case.messenger.publish_home(BEN, home()) == Done()


async def test_a_click_is_answered_five_times(case: Case) -> None:
    address = case.outside.address()
    answers = [await case.messenger.respond(address, card(), Replacing.ORIGINAL) for _ in range(6)]
    assert answers[:5] == [Done()] * 5
    assert isinstance(answers[5], Gone)


async def test_who_we_are(case: Case) -> None:
    connection = await case.messenger.connection()
    assert isinstance(connection, Connection)
    assert "chat:write" in connection.scopes


async def test_who_a_person_is(case: Case) -> None:
    profile = await case.messenger.profile(BEN)
    assert isinstance(profile, MemberProfile)
    assert (profile.name, profile.deactivated, profile.foreign) == ("Ben", False, False)
    assert isinstance(await case.messenger.profile(Member(TEAM, "U0NOBODY")), Refused)


async def test_too_fast_says_how_long_to_wait(case: Case) -> None:
    case.outside.throttle()
    throttled = await case.messenger.post(RISK, card())
    assert isinstance(throttled, Throttled)
    assert throttled.retry_after == pytest.approx(7, abs=0.5)


async def test_an_outage_is_typed_everywhere(case: Case) -> None:
    posted = await case.messenger.post(RISK, card())
    assert isinstance(posted, Posted)
    trigger, address = case.outside.trigger(), case.outside.address()
    case.outside.cut()
    messenger = case.messenger
    answers = await asyncio.gather(
        messenger.post(RISK, card()),
        messenger.update(posted.ref, card()),
        messenger.whisper(RISK, BEN, card()),
        messenger.direct(BEN, card()),
        messenger.open_modal(trigger, modals()["edit"]),
        messenger.update_modal(ViewRef("V1"), modals()["edit"]),
        messenger.publish_home(BEN, home()),
        messenger.respond(address, card(), Replacing.NOTHING),
        messenger.profile(BEN),
        messenger.connection(),
    )
    assert [type(answer) for answer in answers] == [Unreachable] * len(answers)


async def test_a_place_is_found_or_refused(case: Case) -> None:
    assert await case.messenger.find_place(RISK) == Done()
    assert isinstance(await case.messenger.find_place(Place("C0NOWHERE")), Refused)
