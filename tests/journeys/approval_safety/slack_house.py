"""The shop with Slack around it: signed clicks on buttons as they were drawn, by people whose accounts are linked."""

import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

import httpx
import pytest

from tests.journeys.approval_safety.house import SHOP, Case, House, Others, independent, open_house
from tests.peers.beside import beside
from tests.peers.emulated_slack import emulated_slack
from tests.peers.independent import SLACK_CHANNEL, SLACK_TEAM
from tests.peers.slack_server import BOT_TOKEN, SIGNING_SECRET, TEAM, SlackMessage, SlackServer, serve_slack

CHANNEL = "C0RISK"
STILL = 3.3  # a card that changed just now refuses the click
CODE = re.compile(r"/support link ([A-Z2-9-]+)")
CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class Slack(Protocol):
    """What a click needs of Slack, ours or another's."""

    @property
    def api_url(self) -> str: ...

    def join(self, name: str) -> str: ...

    def trigger(self) -> str: ...

    def response_url(self) -> str: ...

    def shown(self, channel: str) -> list[SlackMessage]: ...


@dataclass
class SlackHouse:
    """A house and its Slack; `accounts` maps people to their accounts."""

    house: House
    peer: Slack
    team: str = TEAM
    channel: str = CHANNEL
    accounts: dict[str, str] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def slack(self) -> SlackServer:
        """The stand-in of our own, which can be told to fail; a journey that needs it skips with another."""
        if not isinstance(self.peer, SlackServer):
            pytest.skip("the independent peer cannot be told to fail, nor does it count or judge what it is sent")
        return self.peer

    def link(self, name: str) -> str:
        """Link a person's new account by a code from their console; returns the account."""
        account = self.peer.join(name)
        person = self.house.people[name]
        page = person.http.get("/console/account/slack").text
        token = CSRF.search(page)
        assert token is not None, page
        made = CODE.search(person.http.post("/console/account/slack/code", data={"csrf": token[1]}).text)
        assert made is not None
        form = {
            "team_id": self.team, "user_id": account, "user_name": name, "channel_id": self.channel,
            "command": "/support",
            "text": f"link {made[1]}", "trigger_id": self.peer.trigger(), "response_url": self.peer.response_url(),
        }  # fmt: skip
        assert self.deliver("/slack/commands", urlencode(form).encode()).is_success
        self.accounts[name] = account
        return account

    def card(self, case: Case, request: Mapping[str, Any]) -> SlackMessage:
        """Wait until a request's card stands in the channel, and has stood long enough to be clicked."""

        def found() -> SlackMessage | None:
            shown = (message for message in self.peer.shown(self.channel) if request["id"] in json.dumps(message.now))
            return next(shown, None)

        message = case.house.until(found, "no card")
        time.sleep(STILL)
        return message

    def buttons(self, message: SlackMessage, verb: str) -> Iterator[dict[str, str]]:
        """The buttons of a message that ask for this."""
        return (each for each in _buttons(message.now) if f":{verb}" in each["action_id"])

    def click(
        self, message: SlackMessage, request: Mapping[str, Any], account: str, verb: str = "approve", **more: Any
    ) -> bytes:
        """A click on a button as it was drawn, as Slack would send it; `more` are parts of the payload."""
        button = next(each for each in self.buttons(message, verb) if request["id"] in each["value"])
        return self.forged(message, button, account, **more)

    def forged(self, message: SlackMessage, button: Mapping[str, str], account: str, **more: Any) -> bytes:
        """A click on a button that may never have been drawn."""
        payload: dict[str, Any] = {
            "type": "block_actions",
            "team": {"id": self.team, "domain": "shop"},
            "user": {"id": account, "username": "somebody", "name": "somebody", "team_id": self.team},
            "container": {"type": "message", "message_ts": message.ts, "channel_id": message.channel},
            "trigger_id": self.peer.trigger(),
            "response_url": self.peer.response_url(),
            "actions": [{"type": "button", "block_id": "b", "action_ts": f"{next(self.numbers)}.2", **button}],
        }
        return urlencode({"payload": json.dumps(payload | more)}).encode()

    def deliver(self, path: str, raw: bytes, *, ago: float = 0.0, secret: str = SIGNING_SECRET) -> httpx.Response:
        """Deliver a body signed so many seconds ago."""
        return self.send(path, raw, signed(raw, ago=ago, secret=secret))

    def send(self, path: str, raw: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """Deliver a body with these very headers."""
        return self.house.ada.http.post(path, content=raw, headers=dict(headers))


def signed(raw: bytes, *, ago: float = 0.0, secret: str = SIGNING_SECRET) -> dict[str, str]:
    """Headers as Slack sends them, made from its description and not by our own code."""
    stamp = str(int(time.time() - ago))
    mac = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + raw, hashlib.sha256).hexdigest()
    return {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": f"v0={mac}",
    }


def _buttons(drawn: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    blocks = drawn["blocks"] if isinstance(drawn["blocks"], list) else json.loads(drawn["blocks"])
    for block in blocks:
        for element in (*block.get("elements", ()), *([block["accessory"]] if "accessory" in block else [])):
            if "action_id" in element:
                yield {"action_id": element["action_id"], "value": element.get("value", "")}


class _Peer:
    """Slack on a thread of its own."""

    def __init__(self) -> None:
        self.server = SlackServer()
        self._serving = serve_slack(self.server)

    async def __aenter__(self) -> SlackServer:
        return await self._serving.__aenter__()

    async def __aexit__(self, *_: object) -> None:
        await self._serving.__aexit__(None, None, None)


@contextmanager
def open_slack_house(folder: Path, database_url: str) -> Iterator[SlackHouse]:
    """Start our own stand-in for Slack, and the shop with it."""
    peer = _Peer()
    with beside(peer), _shop_with(peer.server, folder, database_url, token=BOT_TOKEN) as made:
        yield made


@contextmanager
def open_emulated_house(folder: Path, database_url: str) -> Iterator[SlackHouse]:
    """Start the Slack that others wrote, and the shop with it and with their Stripe and mail server."""
    with (
        emulated_slack(folder) as slack,
        independent() as others,
        _shop_with(slack, folder, database_url, token=slack.token, others=others) as made,
    ):
        yield made


@contextmanager
def _shop_with(
    slack: Slack, folder: Path, database_url: str, *, token: str, others: Others | None = None
) -> Iterator[SlackHouse]:
    """Start the shop, and link Ben and Mia."""
    team, channel = (TEAM, CHANNEL) if others is None else (SLACK_TEAM, SLACK_CHANNEL)
    routing = folder / "slack.yaml"
    routing.write_text(f"channel: {channel}\ncards: all\n", encoding="utf-8")
    policy = folder / "policy.yaml"  # one that lets a refund of 500 euros be proposed at all
    told = (SHOP / "policy.yaml").read_text(encoding="utf-8")
    policy.write_text(re.sub(r"EUR: \d+", "EUR: 60000", told), encoding="utf-8")
    connected = {
        "SUPPORT_POLICY": str(policy),
        "SUPPORT_SLACK_SIGNING_SECRETS": SIGNING_SECRET,
        "SUPPORT_SLACK_BOT_TOKEN": token,
        "SUPPORT_SLACK_API_URL": slack.api_url,
        "SUPPORT_SLACK_ROUTING": str(routing),
    }
    with open_house(folder, database_url, others, **connected) as house:
        made = SlackHouse(house, slack, team, channel)
        for name in ("ben", "mia"):
            made.link(name)
        yield made
