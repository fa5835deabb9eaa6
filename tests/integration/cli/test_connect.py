"""`connect slack`: the manifest asks for exactly what is used, and every check fails when it should."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from approvals.adapters.slack.manifest import SCOPES, manifest
from tests.peers.independent import free_port
from tests.peers.product import Product, product
from tests.peers.slack_server import APP_TOKEN, BOT_TOKEN, NEEDED, SIGNING_SECRET, SlackServer, serve_slack

ME = "U0ME"


@dataclass
class Joining:
    """The command, and Slack on the other side."""

    slack: SlackServer
    folder: Path
    environment: Mapping[str, str]

    async def connect(self, *words: str, **environment: str) -> str:
        """Run the command to its end and return what it said, failed or not."""
        made = Product(self.folder, {**self.environment, **environment})
        try:
            return await asyncio.to_thread(made.command, "connect", "slack", *words)
        except AssertionError as failed:
            return str(failed)


@pytest.fixture
async def joining(tmp_path: Path) -> AsyncIterator[Joining]:
    routing = tmp_path / "slack.yaml"
    routing.write_text("channel: C0RISK\nrules: [{channel: C0OTHER, languages: [de]}]\n", encoding="utf-8")
    async with serve_slack() as slack:
        slack.add_user(ME, "Mia")
        slack.scopes = set(SCOPES)
        environment = {
            "SUPPORT_SLACK_BOT_TOKEN": BOT_TOKEN,
            "SUPPORT_SLACK_API_URL": slack.api_url,
            "SUPPORT_SLACK_ROUTING": str(routing),
            "SUPPORT_SLACK_SIGNING_SECRETS": SIGNING_SECRET,
            "SUPPORT_PORT": str(free_port()),
        }
        yield Joining(slack, tmp_path / "data", environment)


def test_the_manifest_asks_for_what_is_used() -> None:
    made = manifest(public_url="https://support.example.com")
    assert set(made["oauth_config"]["scopes"]["bot"]) == set(SCOPES)
    used = {*NEEDED.values(), "commands", "groups:read"}  # a private channel is looked up with a scope of its own
    assert set(SCOPES) == used
    assert made["settings"]["interactivity"]["request_url"] == "https://support.example.com/slack/interactivity"
    assert made["settings"]["socket_mode_enabled"] is False


def test_without_a_public_address_the_manifest_is_for_sockets() -> None:
    made = manifest(public_url="")
    assert made["settings"]["socket_mode_enabled"] is True
    assert "request_url" not in json.dumps(made)


async def test_without_a_token_it_says_what_to_do(joining: Joining) -> None:
    said = await joining.connect(SUPPORT_SLACK_BOT_TOKEN="", SUPPORT_SLACK_ROUTING="")
    assert json.loads(said)["oauth_config"]["scopes"]["bot"] == list(SCOPES)
    assert joining.slack.calls == []
    assert json.loads(await joining.connect("--manifest"))["features"]["slash_commands"][0]["command"] == "/support"


async def test_a_wrong_token_is_told(joining: Joining) -> None:
    said = await joining.connect(SUPPORT_SLACK_BOT_TOKEN="xoxb-wrong")
    assert "✗ token" in said
    assert "xoxb-wrong" not in said


async def test_scopes_channels_and_an_absent_server_are_told(joining: Joining) -> None:
    joining.slack.scopes.discard("users:read")
    joining.slack.channels["C0OTHER"] = False
    said = await joining.connect("--me", ME)
    assert "✗ scopes: missing: users:read" in said
    assert "✓ channel: C0RISK: we are in it" in said
    assert "✗ channel: C0OTHER: invite the app to C0OTHER" in said
    assert "✗ signature" in said
    assert "start `support-agents serve`" in said
    joining.slack.scopes |= {"users:read", "files:write"}
    assert "more than needed: files:write" in await joining.connect()


async def test_everything_in_order_ends_with_a_card_to_me_only(joining: Joining) -> None:
    with product(joining.folder, joining.environment) as server:
        await asyncio.to_thread(server.start)
        said = await joining.connect("--me", ME)
        other = await joining.connect(SUPPORT_SLACK_SIGNING_SECRETS="another secret")
    assert "✗" not in said
    assert "takes what is signed and refuses what is not" in said
    assert "test card: sent to Mia only" in said
    assert {message.channel for message in joining.slack.messages.values()} == {f"D{ME[1:]}"}
    assert joining.slack.refusals == []
    assert "✗ signature" in other


async def test_a_socket_is_asked_for(joining: Joining) -> None:
    assert "✓ clicks: a socket can be opened" in await joining.connect(SUPPORT_SLACK_APP_TOKEN=APP_TOKEN)
    assert "✗ clicks" in await joining.connect(SUPPORT_SLACK_APP_TOKEN="xapp-wrong")


async def test_a_card_goes_to_nobody_who_is_not_of_the_team(joining: Joining) -> None:
    joining.slack.add_user("U0GONE", "Gone", deleted=True)
    joining.slack.add_user("U0FOREIGN", "Foreign", team_id="T0OTHER")
    for user in ("U0GONE", "U0FOREIGN", "U0NOBODY"):
        assert "✗ test card" in await joining.connect("--me", user)
    assert joining.slack.messages == {}
