"""Slack as npm emulate has it, for journeys: who is there and what stands in a channel; it has no faults to plant."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.peers.independent import SLACK_CHANNEL, SLACK_TEAM, SLACK_TOKEN, emulate
from tests.peers.slack_server import SlackMessage

_READER = "xoxb-reader"
_SEED = f"""
slack:
  strict_scopes: true
  users:
    - {{name: ben, real_name: Ben, email: ben@shop.example}}
    - {{name: mia, real_name: Mia, email: mia@shop.example}}
  tokens:
    - token: {SLACK_TOKEN}
      user: admin
      scopes: [chat:write, im:write, users:read, channels:read, groups:read, commands]
    - {{token: {_READER}, user: admin, scopes: [users:read, channels:read, channels:history]}}
"""


@dataclass(frozen=True)
class EmulatedSlack:
    """The running peer, asked with a token of the test's own."""

    url: str
    team: str = SLACK_TEAM
    token: str = SLACK_TOKEN
    channel: str = SLACK_CHANNEL

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    def join(self, name: str) -> str:
        """The account of a person who is there."""
        members: Any = self._ask("users.list")["members"]
        return str(next(each["id"] for each in members if each["name"] == name))

    def trigger(self) -> str:
        """A trigger as a click brings it."""
        return str(self._ask("views.generateTriggerId")["trigger_id"])

    def response_url(self) -> str:
        """None: it answers at no such address, so the product answers directly."""
        return ""

    def shown(self, channel: str) -> list[SlackMessage]:
        """What stands in a channel, oldest first."""
        messages: Any = self._ask("conversations.history", channel=channel, limit=200)["messages"]
        return [SlackMessage(channel, each["ts"], [each]) for each in reversed(messages)]

    def _ask(self, method: str, **given: object) -> dict[str, object]:
        with httpx.Client(trust_env=False, headers={"authorization": f"Bearer {_READER}"}) as client:
            answer: dict[str, object] = client.post(f"{self.url}/api/{method}", json=given).json()
        assert answer["ok"], answer
        return answer


@contextmanager
def emulated_slack(folder: Path) -> Iterator[EmulatedSlack]:
    """Start it."""
    with emulate(_SEED, folder) as url:
        yield EmulatedSlack(url)
