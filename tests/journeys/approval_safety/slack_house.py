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
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.journeys.approval_safety.house import SHOP, Case, House, open_house
from tests.peers.beside import beside
from tests.peers.slack_server import BOT_TOKEN, SIGNING_SECRET, TEAM, SlackMessage, SlackServer, serve_slack

CHANNEL = "C0RISK"
STILL = 3.3  # a card that changed just now refuses the click
CODE = re.compile(r"/support link ([A-Z2-9-]+)")
CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass
class SlackHouse:
    """A house and its Slack; `accounts` maps people to their accounts."""

    house: House
    slack: SlackServer
    accounts: dict[str, str] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def link(self, name: str) -> str:
        """Link a person's new account by a code from their console; returns the account."""
        account = f"U0{name.upper()}"
        self.slack.add_user(account, name.title())
        person = self.house.people[name]
        page = person.http.get("/console/account/slack").text
        token = CSRF.search(page)
        assert token is not None, page
        made = CODE.search(person.http.post("/console/account/slack/code", data={"csrf": token[1]}).text)
        assert made is not None
        form = {
            "team_id": TEAM, "user_id": account, "user_name": name, "channel_id": CHANNEL, "command": "/support",
            "text": f"link {made[1]}", "trigger_id": self.slack.trigger(), "response_url": self.slack.response_url(),
        }  # fmt: skip
        assert self.deliver("/slack/commands", urlencode(form).encode()).is_success
        self.accounts[name] = account
        return account

    def card(self, case: Case, request: Mapping[str, Any]) -> SlackMessage:
        """Wait until a request's card stands in the channel, and has stood long enough to be clicked."""

        def found() -> SlackMessage | None:
            shown = (message for message in self.slack.shown(CHANNEL) if request["id"] in json.dumps(message.now))
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
            "team": {"id": TEAM, "domain": "shop"},
            "user": {"id": account, "username": "somebody", "name": "somebody", "team_id": TEAM},
            "container": {"type": "message", "message_ts": message.ts, "channel_id": message.channel},
            "trigger_id": self.slack.trigger(),
            "response_url": self.slack.response_url(),
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
    """Start Slack and the shop, and link Ben and Mia."""
    routing = folder / "slack.yaml"
    routing.write_text(f"channel: {CHANNEL}\ncards: all\n", encoding="utf-8")
    policy = folder / "policy.yaml"  # one that lets a refund of 500 euros be proposed at all
    told = (SHOP / "policy.yaml").read_text(encoding="utf-8")
    policy.write_text(re.sub(r"EUR: \d+", "EUR: 60000", told), encoding="utf-8")
    peer = _Peer()
    with beside(peer):
        slack = {
            "SUPPORT_POLICY": str(policy),
            "SUPPORT_SLACK_SIGNING_SECRETS": SIGNING_SECRET,
            "SUPPORT_SLACK_BOT_TOKEN": BOT_TOKEN,
            "SUPPORT_SLACK_API_URL": peer.server.api_url,
            "SUPPORT_SLACK_ROUTING": str(routing),
        }
        with open_house(folder, database_url, **slack) as house:
            made = SlackHouse(house, peer.server)
            for name in ("ben", "mia"):
                made.link(name)
            yield made
