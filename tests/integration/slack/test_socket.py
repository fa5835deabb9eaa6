"""Socket Mode: the same clicks by the same path, through connections that Slack breaks whenever it likes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from approvals.adapters.slack.interactions import Reader
from approvals.adapters.slack.naming import Verb
from approvals.adapters.slack.socket import SlackSocket
from approvals.card import Card
from support_agents.domain.approval import RequestStatus
from tests.fixtures.slack import SlackPerson, Workspace, button
from tests.integration.slack.test_deciding import status
from tests.peers.slack_server import APP_TOKEN, SlackServer, serve_slack

pytestmark = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def connected(slack: Workspace, server: SlackServer, token: str = APP_TOKEN) -> AsyncIterator[SlackSocket]:
    door = slack.door
    made = SlackSocket(
        token, Reader(door.installation), door.deliveries, door.clicks, door.afterwards.do_now, door.afterwards.do,
        base_url=server.api_url,
    )  # fmt: skip
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def until(happened: Any, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not (await happened() if asyncio.iscoroutinefunction(happened) else happened()):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.02)


def click(slack: Workspace, person: SlackPerson, card: Card) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "team": {"id": person.team},
        "user": {"id": person.user, "team_id": person.team},
        "container": {"type": "message", "channel_id": "C1", "message_ts": "1.1"},
        "trigger_id": "t",
        "response_url": "https://hooks.slack.example/1",
        "actions": [{"type": "button", **button(slack.blocks.message(card), Verb.APPROVE)}],
    }


async def test_a_click_over_the_socket_is_decided_before_it_is_acknowledged(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    payload = click(slack, ben, await slack.read(request))
    async with serve_slack() as server, connected(slack, server):
        await until(lambda: server.sockets)
        acknowledged = await server.deliver("interactive", payload)
        assert "payload" not in acknowledged or not acknowledged["payload"]
        assert await status(slack, request) is RequestStatus.APPROVED
    await slack.settled()
    assert len(slack.directly(ben)) == 1


async def test_a_broken_connection_is_made_anew_and_nothing_is_done_twice(slack: Workspace) -> None:
    first, second, ben = await slack.desk.reply(), await slack.desk.reply(), await slack.person()
    async with serve_slack() as server, connected(slack, server) as socket:
        await until(lambda: server.sockets)
        await server.deliver("interactive", click(slack, ben, await slack.read(first)))
        before = server.count("apps.connections.open")
        old = list(server.sockets)
        await server.disconnect()
        await until(lambda: any(each not in old for each in server.sockets))
        await until(socket.connected)
        assert server.count("apps.connections.open") > before
        await server.deliver("interactive", click(slack, ben, await slack.read(second)))
        assert await status(slack, second) is RequestStatus.APPROVED
    await slack.settled()


async def test_commands_events_and_forms_go_the_same_way(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    event = {"type": "app_home_opened", "user": ben.user, "tab": "home"}
    body = {"type": "event_callback", "team_id": ben.team, "event_id": "Ev1", "event": event}
    command = {"team_id": ben.team, "user_id": ben.user, "command": "/support", "text": "next", "response_url": "u"}
    async with serve_slack() as server, connected(slack, server):
        await until(lambda: server.sockets)
        await server.deliver("slash_commands", command)
        await server.deliver("events_api", body)
        await slack.settled()
        calls = slack.messenger.calls
        await server.deliver("events_api", body)
        await slack.settled()
    assert slack.card().request_id == request
    assert slack.messenger.homes[ben.member].waiting == 1
    assert slack.messenger.calls == calls


async def test_a_token_that_slack_refuses_is_not_tried_again(slack: Workspace) -> None:
    async with serve_slack() as server, connected(slack, server, "xapp-wrong") as socket:
        await until(lambda: server.count("apps.connections.open") == 1)
        await slack.settled()
        assert server.count("apps.connections.open") == 1
        assert not await socket.connected()


async def test_slack_out_of_reach_at_the_start_is_tried_again(slack: Workspace) -> None:
    server = SlackServer(down=True)
    async with serve_slack(server), connected(slack, server) as socket:
        await until(lambda: server.count("apps.connections.open") >= 1)
        assert not await socket.connected()
        server.down = False
        await until(socket.connected)
