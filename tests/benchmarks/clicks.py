"""How fast Slack's clicks are acknowledged at fifty a second, each decision committed first, before our own Slack."""

import asyncio
import json
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

import uvicorn

from api.slack_bootstrap import connect_slack
from approvals.adapters.slack.channel import SlackMessenger
from approvals.adapters.slack.naming import Callback, Target, Verb, metadata_of, named, value_of
from support_agents.domain.ids import DEFAULT_WORKSPACE, RequestId
from tests.benchmarks.figures import Report, Shown, percentile, spread, table
from tests.fixtures.slack import SIGNING_SECRET, SlackPerson, Workspace, chosen, open_workspace, typed
from tests.peers.slack_server import BOT_TOKEN, TEAM, SlackServer, serve_slack

CLICKS, PER_SECOND, PEOPLE = 500, 50.0, 20
MOST_P99_MS = 300.0
_TO_REJECT, _TO_OPEN = 5, 10


@dataclass(frozen=True)
class Sent:
    """One way of asking: what came back and how long it took."""

    took: list[float]
    statuses: list[int]
    seconds: float
    cpu_ms: float = 0.0


def measure() -> Report:
    """Approvals, rejections by form and opened forms, mixed, from twenty people.

    The processor's time for a click includes what follows its acknowledgement and the Slack that it is shown to.
    """
    sent, decided = asyncio.run(_measured())
    figures = spread(sent.took)
    refused = sum(status != 200 for status in sent.statuses)
    rate = len(sent.took) / sent.seconds
    row = (f"{len(sent.took)} clicks", rate, *figures.values(), sent.cpu_ms, decided, refused)
    shown = table(
        "Slack's clicks acknowledged",
        ("", "/s", "p50 ms", "p95 ms", "p99 ms", "max ms", "processor ms", "decided", "refused"),
        [row],
    )
    p99 = percentile(sent.took, 0.99)
    bounds = (
        Shown(f"p99 {p99:.0f} ms ≤ {MOST_P99_MS:.0f} ms", p99 <= MOST_P99_MS),
        Shown("every click was acknowledged", not refused),
        Shown("every decision stood when its click was acknowledged", decided == _decisions()),
    )
    return Report(
        "clicks",
        (shown,),
        {**figures, "per_second": rate, "processor_ms": sent.cpu_ms, "decided": decided, "refused": refused},
        bounds,
    )


def _decisions() -> int:
    return sum(at % _TO_OPEN != 0 for at in range(CLICKS))


async def _measured() -> tuple[Sent, int]:
    with TemporaryDirectory(prefix="clicks-") as folder:
        async with serve_slack() as peer, open_workspace(Path(folder) / "data", undo_reply_seconds=3_600) as slack:
            people = [await slack.person() for _ in range(PEOPLE)]
            for person in people:
                peer.add_user(person.user, person.user)
            requests = [await slack.desk.reply() for _ in range(CLICKS)]
            deliveries = [json.dumps(each) for each in await _deliveries(slack, peer, people, requests)]
            messenger = _connect(slack, peer)
            async with _serving(slack) as port:
                before = time.process_time()
                sent = await _sent(port, deliveries)
                used = (time.process_time() - before) * 1_000 / CLICKS
                decided = await _count(slack)
                await slack.settled()
            await messenger.close()
            return replace(sent, cpu_ms=used), decided


def _connect(slack: Workspace, peer: SlackServer) -> SlackMessenger:
    """From here on it is the real messenger over HTTP."""
    container = slack.desk.installation.container
    messenger = SlackMessenger.open(BOT_TOKEN, installation=slack.door.installation, base_url=peer.api_url)
    slack.door = connect_slack(container, messenger)
    object.__setattr__(container, "slack", slack.door)
    return messenger


async def _deliveries(
    slack: Workspace, peer: SlackServer, people: Sequence[SlackPerson], requests: Sequence[RequestId]
) -> list[dict[str, str]]:
    made = []
    async with slack.desk.installation.container.database.read() as uow:
        for at, request in enumerate(requests):
            found = await uow.approvals.get(request)
            assert found is not None
            payload = _payload(slack, peer, people[at % len(people)], Target(request, found.digest), at)
            made.append({"path": "/slack/interactivity", "body": urlencode({"payload": json.dumps(payload)})})
    return made


def _payload(slack: Workspace, peer: SlackServer, person: SlackPerson, target: Target, at: int) -> dict[str, Any]:
    own = slack.door.installation
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
    place = {"type": "message", "channel_id": "C0RISK", "message_ts": "1.1"}
    return {
        "type": "block_actions",
        **who,
        "container": place,
        "response_url": peer.response_url(),
        "actions": [action],
    }


@asynccontextmanager
async def _serving(slack: Workspace) -> AsyncIterator[int]:
    """The application behind a real port; its container is open already."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        slack.desk.installation.app, log_config=None, access_log=False, lifespan="off", server_header=False
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        while not server.started:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await serving


async def _sent(port: int, deliveries: Sequence[str]) -> Sent:
    """Have another process send them: its work does not count in the server's."""
    words = ("-m", "tests.benchmarks.click_load", str(port), SIGNING_SECRET, str(PER_SECOND))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate("\n".join(deliveries).encode())
    return Sent(**json.loads(out))


async def _count(slack: Workspace) -> int:
    """Decisions that stand right after the last acknowledgement."""
    async with slack.desk.installation.container.database.read() as uow:
        return CLICKS - await uow.approvals.count_pending(DEFAULT_WORKSPACE)
