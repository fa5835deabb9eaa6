"""Our Slack adapter against a Slack Web API that others wrote (npm `emulate`): not only we judge ourselves."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from approvals.adapters.slack.channel import SlackMessenger
from approvals.messaging import Connection, Done, Gone, Member, MemberProfile, MessageRef, Opened, Place, Posted
from approvals.ports import Refused
from tests.fixtures.cards import INSTALLATION, card, cards, contents, home, modals
from tests.peers.independent import SLACK_CHANNEL, SLACK_TEAM, SLACK_TOKEN, WHY_NOT, emulate

TOKEN, TEAM, CHANNEL, PERSON = SLACK_TOKEN, SLACK_TEAM, Place(SLACK_CHANNEL), Member(SLACK_TEAM, "U000000001")
SEED = """
slack:
  strict_scopes: true
  users:
    - {name: ben, real_name: Ben, email: ben@shop.example}
  tokens:
    - token: xoxb-emulated
      user: admin
      scopes: [chat:write, im:write, users:read, channels:read, groups:read, commands]
    - {token: xoxb-narrow, user: admin, scopes: [users:read]}
"""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "installed")]


@dataclass
class Peer:
    """The running peer and a messenger on it."""

    url: str
    messenger: SlackMessenger

    async def ask(self, method: str, **given: object) -> dict[str, object]:
        """Ask the peer itself, past our adapter."""
        async with httpx.AsyncClient(trust_env=False) as client:
            headers = {"authorization": f"Bearer {TOKEN}"}
            answer = await client.post(f"{self.url}/api/{method}", json=given, headers=headers)
        found: dict[str, object] = answer.json()
        return found

    async def user(self, name: str) -> str:
        """The id of a person."""
        members: Any = (await self.ask("users.list"))["members"]
        return str(next(member["id"] for member in members if member["name"] == name))


@pytest.fixture
async def peer(tmp_path: Path) -> AsyncIterator[Peer]:
    with emulate(SEED, tmp_path) as url:
        messenger = SlackMessenger.open(TOKEN, installation=INSTALLATION, base_url=f"{url}/api")
        try:
            assert isinstance(await messenger.connection(), Connection)
            yield Peer(url, messenger)
        finally:
            await messenger.close()


async def test_everything_that_is_shown_is_taken(peer: Peer) -> None:
    for content in (*cards().values(), *contents().values()):
        posted = await peer.messenger.post(CHANNEL, content)
        while not isinstance(posted, Posted):  # our own pace: a message a second
            await asyncio.sleep(1)
            posted = await peer.messenger.post(CHANNEL, content)


async def test_a_message_is_repainted_in_place(peer: Peer) -> None:
    posted = await peer.messenger.post(CHANNEL, card())
    assert isinstance(posted, Posted)
    painted = await peer.messenger.update(posted.ref, cards()["receipt"])
    assert painted == posted
    gone = await peer.messenger.update(MessageRef(CHANNEL, "1.000001"), card())
    assert isinstance(gone, Gone)


async def test_people_places_and_ourselves(peer: Peer) -> None:
    profile = await peer.messenger.profile(PERSON)
    assert isinstance(profile, MemberProfile)
    assert not profile.deactivated
    assert not profile.foreign
    assert await peer.messenger.find_place(CHANNEL) == Done()
    assert isinstance(await peer.messenger.find_place(Place("C0NOWHERE")), Refused)
    assert isinstance(await peer.messenger.post(Place("C0NOWHERE"), card()), Refused)


async def test_a_person_is_written_to_directly_and_has_a_home(peer: Peer) -> None:
    other = Member(TEAM, await peer.user("ben"))
    posted = await peer.messenger.direct(other, contents()["notice"])
    assert isinstance(posted, Posted)
    assert posted.ref.place != CHANNEL
    assert await peer.messenger.publish_home(other, home()) == Done()


async def test_modals_open_within_their_trigger_only(peer: Peer) -> None:
    for modal in modals().values():
        trigger = str((await peer.ask("views.generateTriggerId"))["trigger_id"])
        assert isinstance(await peer.messenger.open_modal(trigger, modal), Opened)
    assert isinstance(await peer.messenger.open_modal("1.2.expired", modals()["edit"]), Gone | Refused)
    trigger = str((await peer.ask("views.generateTriggerId"))["trigger_id"])
    opened = await peer.messenger.open_modal(trigger, modals()["loading"])
    assert isinstance(opened, Opened)
    assert isinstance(await peer.messenger.update_modal(opened.view, modals()["edit"]), Opened)
    assert isinstance(await peer.messenger.update_modal(opened.view, modals()["edit"]), Gone)


async def test_a_missing_scope_is_refused_with_advice(peer: Peer) -> None:
    narrow = SlackMessenger.open("xoxb-narrow", installation=INSTALLATION, base_url=f"{peer.url}/api")
    refused = await narrow.post(CHANNEL, card())
    await narrow.close()
    assert isinstance(refused, Refused)
    assert refused.code == "missing_scope"
    assert "manifest" in refused.message
