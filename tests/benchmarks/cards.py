"""From card ready to accepted by a messenger: signed webhooks to a real server, its cards to a Slack on loopback."""

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import Report, Shown, percentile, spread, table
from tests.benchmarks.installation import installed
from tests.benchmarks.messages import samples
from tests.benchmarks.sending import send_all
from tests.peers.beside import beside
from tests.peers.product import Product
from tests.peers.slack_server import BOT_TOKEN, SlackServer, serve_slack

MESSAGES, WARM_UP = 40, 10
P95_MS = 150.0
# A channel takes about one message a second: slower than that, nothing waits for its turn.
_EVERY_SECONDS = 1.1
_SETTLE_SECONDS = 3.0


def measure() -> Report:
    """Send messages one by one, each a little later than a channel's pace."""
    slack = SlackServer()
    with beside(serve_slack(slack)), installed(WARM_UP + MESSAGES) as running:
        routing = Path(running.folder).parent / "slack.yaml"
        routing.write_text("channel: C0RISK\ncards: all\nsummary: false\n", encoding="utf-8")
        more = {
            "SUPPORT_SLACK_BOT_TOKEN": BOT_TOKEN,
            "SUPPORT_SLACK_API_URL": slack.api_url,
            "SUPPORT_SLACK_ROUTING": str(routing),
        }
        running.environment = {**running.environment, **more}
        running.start()
        asyncio.run(_sent(running, WARM_UP, first=0))
        slack.messages.clear()
        asyncio.run(_sent(running, MESSAGES, first=WARM_UP))
        took = _took(running.folder, slack)
    return _report(took)


async def _sent(running: Product, count: int, *, first: int) -> None:
    """Send so many, one by one."""
    for at in range(first, first + count):
        await send_all(running, samples(1, series=f"C{at}", first=at), at_once=1)
        await asyncio.sleep(_EVERY_SECONDS)
    await asyncio.sleep(_SETTLE_SECONDS)


def _took(folder: Path, slack: SlackServer) -> Sequence[float]:
    """Milliseconds of every card, counted from when its request was written: a little before it could be read."""
    with sqlite3.connect(f"file:{folder / 'support.db'}?mode=ro", uri=True) as connection:
        made = dict(connection.execute("SELECT id, created_at FROM approval_requests").fetchall())
    accepted = {_request(message.states[0]): message.accepted_at for message in slack.messages.values()}
    return [(at - datetime.fromisoformat(made[name])).total_seconds() * 1_000 for name, at in accepted.items()]


def _request(message: Mapping[str, Any]) -> str:
    """The request that a card's buttons are about, as the database writes it."""
    values = [e["value"] for block in message["blocks"] for e in block.get("elements", []) if e["type"] == "button"]
    return str(values[0]).partition(".")[0].replace("-", "")


def _report(took: Sequence[float]) -> Report:
    figures = spread(took)
    columns = (f"card ready to accepted by Slack, {len(took)} cards", *figures)
    shown = table("milliseconds", columns, [("one by one", *figures.values())])
    p95 = percentile(took, 0.95)
    bound = Shown(f"p95 {p95:.0f} ms ≤ {P95_MS:.0f} ms", p95 <= P95_MS)
    return Report("cards", (shown,), {"cards": len(took), "card_ready_to_accepted_ms": figures}, (bound,))
