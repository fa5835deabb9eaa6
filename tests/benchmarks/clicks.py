"""How fast Slack's clicks are acknowledged at fifty a second by a real server, each decision committed first.

The Slack that people see is a stand-in in this process, the clicks come from a third one: what is counted of the
processor is the server's own, with all that follows an acknowledgement for three seconds.
"""

import asyncio
import json
import sqlite3
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

from approvals.adapters.slack.naming import Callback, Target, Verb, metadata_of, named, value_of
from support_agents.domain.ids import RequestId
from tests.benchmarks.figures import Report, Shown, percentile, spread, table
from tests.benchmarks.installation import cpu_seconds, pid_of, url_of
from tests.fixtures.slack import SIGNING_SECRET, SlackPerson, Workspace, chosen, open_workspace, typed
from tests.peers.beside import beside
from tests.peers.product import Product, product
from tests.peers.program import COLD
from tests.peers.slack_server import BOT_TOKEN, TEAM, SlackMessage, SlackServer, serve_slack

ROUNDS, CLICKS, PER_SECOND, PEOPLE, WARM_UP = 2, 500, 50.0, 20, 60
MOST_P99_MS = 300.0
CHANNEL = "C0RISK"
_TO_REJECT, _TO_OPEN = 5, 10
_SETTLE_SECONDS = 3.0


@dataclass(frozen=True)
class Sent:
    """One round: how long each click took, what came back, what it cost the server, what stood right after it."""

    took: list[float]
    statuses: list[int]
    seconds: float
    cpu_ms: float
    decided: int


def measure() -> Report:
    """Approvals on channel cards and in place, rejections by form and opened forms, mixed, from twenty people."""
    # Time stands still for it: triggers were made before the clicks are sent.
    slack = SlackServer(monotonic=lambda: 0.0)
    with TemporaryDirectory(prefix="clicks-") as name, beside(serve_slack(slack)):
        folder = Path(name) / "data"
        deliveries = asyncio.run(_prepared(folder, slack))
        with product(folder, _environment(slack, Path(name)), COLD) as running:
            running.start()
            time.sleep(_SETTLE_SECONDS)
            _round(running, deliveries[:WARM_UP])
            rounds = [_round(running, deliveries[at : at + CLICKS]) for at in range(WARM_UP, len(deliveries), CLICKS)]
    return _report(rounds)


def _report(rounds: Sequence[Sent]) -> Report:
    rows = [
        (f"round {at}", len(one.took) / one.seconds, *spread(one.took).values(), one.cpu_ms, one.decided)
        for at, one in enumerate(rounds, 1)
    ]
    took = [each for one in rounds for each in one.took]
    figures = spread(took)
    rate, cpu_ms = len(took) / sum(one.seconds for one in rounds), fmean(one.cpu_ms for one in rounds)
    refused = sum(status != 200 for one in rounds for status in one.statuses)
    rows.append((f"all {len(took)}", rate, *figures.values(), cpu_ms, sum(one.decided for one in rounds)))
    columns = ("", "/s", "p50 ms", "p95 ms", "p99 ms", "max ms", "processor ms", "decided")
    p99 = percentile(took, 0.99)
    bounds = (
        Shown(f"p99 {p99:.0f} ms ≤ {MOST_P99_MS:.0f} ms", p99 <= MOST_P99_MS),
        Shown("every click was acknowledged", not refused),
        Shown("every decision stood when its click was acknowledged", all(one.decided == DECISIONS for one in rounds)),
    )
    return Report(
        "clicks",
        (table("Slack's clicks acknowledged", columns, rows),),
        {**figures, "per_second": rate, "processor_ms": cpu_ms, "refused": refused},
        bounds,
    )


DECISIONS = sum(at % _TO_OPEN != 0 for at in range(CLICKS))


def _environment(slack: SlackServer, folder: Path) -> dict[str, str]:
    routing = folder / "slack.yaml"
    routing.write_text(f"channel: {CHANNEL}\ncards: high_risk\nsummary: false\n", encoding="utf-8")
    return {
        "SUPPORT_PORT": "0",
        "SUPPORT_MODE": "reply",
        "SUPPORT_SMTP_HOST": "127.0.0.1",  # replies have a way out; none leaves while it can be taken back
        "SUPPORT_SMTP_FROM_ADDRESS": "help@shop.example",
        "SUPPORT_UNDO_REPLY_SECONDS": "3600",
        "SUPPORT_SLACK_SIGNING_SECRETS": SIGNING_SECRET,
        "SUPPORT_SLACK_BOT_TOKEN": BOT_TOKEN,
        "SUPPORT_SLACK_API_URL": slack.api_url,
        "SUPPORT_SLACK_ROUTING": str(routing),
        "SUPPORT_LOG_LEVEL": "ERROR",
    }


async def _prepared(folder: Path, peer: SlackServer) -> list[dict[str, str]]:
    """Requests that wait, people with accounts, messages that show some of them; return a click for each."""
    async with open_workspace(folder, undo_reply_seconds=3_600) as slack:
        people = [await slack.person() for _ in range(PEOPLE)]
        for person in people:
            peer.add_user(person.user, person.user)
        made = []
        for at in range(WARM_UP + ROUNDS * CLICKS):
            request = await slack.desk.reply()
            ref = await _shown(slack, peer, request, at)
            payload = _payload(slack, peer, people[at % PEOPLE], await _target(slack, request), (at - WARM_UP, ref))
            made.append({"path": "/slack/interactivity", "body": urlencode({"payload": json.dumps(payload)})})
        return made


async def _shown(slack: Workspace, peer: SlackServer, request: RequestId, at: int) -> str:
    """Every other card stands in the channel, as it would have been posted; the others are whispered ones."""
    if at % 2:
        return ""
    card, ref = await slack.read(request), f"{1_763_000_000 + at}.000001"
    peer.messages[CHANNEL, ref] = SlackMessage(CHANNEL, ref, [{}])
    async with slack.desk.installation.container.database.write("shown") as uow:
        await uow.posted_cards.show(
            card.workspace, request, place=CHANNEL, ref=ref, fingerprint=card.fingerprint, at=await uow.now()
        )
    return ref


async def _target(slack: Workspace, request: RequestId) -> Target:
    async with slack.desk.installation.container.database.read() as uow:
        found = await uow.approvals.get(request)
    assert found is not None
    return Target(request, found.digest)


def _payload(
    slack: Workspace, peer: SlackServer, person: SlackPerson, target: Target, click: tuple[int, str]
) -> dict[str, Any]:
    own, (at, ref) = slack.door.installation, click
    who = {"team": {"id": TEAM}, "user": {"id": person.user, "team_id": TEAM}, "trigger_id": peer.trigger()}
    if at % _TO_REJECT == 1:
        view = {
            "id": "V1", "type": "modal", "callback_id": named(own, Callback.REJECT),
            "private_metadata": metadata_of(own, target),
            "state": {"values": {"reason": chosen("wrong_tone"), "note": typed("too stiff")}},
        }  # fmt: skip
        return {"type": "view_submission", **who, "view": view}
    verb = Verb.MORE if at % _TO_OPEN == 0 else Verb.APPROVE
    action = {"type": "button", "action_id": named(own, verb), "value": value_of(target)}
    place = {"type": "message", "channel_id": CHANNEL, "message_ts": ref or "1.1", "is_ephemeral": not ref}
    return {
        "type": "block_actions",
        **who,
        "container": place,
        "response_url": peer.response_url(),
        "actions": [action],
    }


def _round(running: Product, deliveries: Sequence[dict[str, str]]) -> Sent:
    """Send some clicks and wait for what follows them."""
    waiting, before = _pending(running.folder), cpu_seconds(pid_of(running))
    found = asyncio.run(_sent(url_of(running), deliveries))
    decided = waiting - _pending(running.folder)
    time.sleep(_SETTLE_SECONDS)
    used = (cpu_seconds(pid_of(running)) - before) * 1_000 / len(deliveries)
    return Sent(**found, cpu_ms=used, decided=decided)


async def _sent(url: str, deliveries: Sequence[dict[str, str]]) -> dict[str, Any]:
    """Have another process send them: its work does not keep the stand-in from answering."""
    words = ("-m", "tests.benchmarks.click_load", url, SIGNING_SECRET, str(PER_SECOND))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate("\n".join(map(json.dumps, deliveries)).encode())
    found: dict[str, Any] = json.loads(out)
    return found


def _pending(folder: Path) -> int:
    """Requests that nobody has decided, as another process reads them now."""
    with sqlite3.connect(f"file:{folder / 'support.db'}?mode=ro", uri=True) as connection:
        query = "SELECT count(*) FROM approval_requests WHERE status = 'pending'"
        return int(connection.execute(query).fetchone()[0])
