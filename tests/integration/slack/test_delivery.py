"""Deliveries: signed, taken once by whichever process, and another installation's are left alone."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from approvals.adapters.slack.naming import Target, Verb, named, value_of
from approvals.deliveries import Deliveries
from db.engine import Database
from support_agents.domain.approval import RequestStatus
from tests.fixtures.slack import TEAM, Workspace, signed
from tests.integration.slack.test_deciding import status

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_delivery_is_taken_once_by_any_process(slack: Workspace, shared_url: str) -> None:
    raw = b"team_id=T1&user_id=U1&command=%2Fsupport&text=help&response_url=x"
    headers = signed(raw, datetime.now(UTC))
    client = slack.desk.installation.client
    assert (await client.post("/slack/commands", content=raw, headers=headers)).status_code == 200
    again = await client.post("/slack/commands", content=raw, headers=headers)
    assert (again.status_code, again.json()["code"]) == (401, "replayed")
    database = Database.open(shared_url)  # as another process would
    other, here = Deliveries(database), slack.door.deliveries
    assert [await other.first("k"), await here.first("k"), await other.first("k")] == [True, False, False]
    await database.close()


async def test_what_is_unsigned_stale_or_signed_by_another_is_refused(slack: Workspace) -> None:
    raw, now = b"payload=%7B%7D", datetime.now(UTC)
    client = slack.desk.installation.client
    for path in ("/slack/interactivity", "/slack/commands", "/slack/events"):
        for headers, code in (
            ({}, "bad_signature"),
            (signed(raw, now, secret="another"), "bad_signature"),
            (signed(raw, now - timedelta(seconds=310)), "stale_signature"),
            (signed(raw + b" ", now), "bad_signature"),
        ):
            answer = await client.post(path, content=raw, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, code), path


async def test_without_slack_the_routes_are_closed(slack: Workspace) -> None:
    container = slack.desk.installation.container
    object.__setattr__(container, "slack", None)
    answer = await slack.desk.installation.client.post(
        "/slack/events", content=b"{}", headers=signed(b"{}", datetime.now(UTC))
    )
    object.__setattr__(container, "slack", slack.door)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_source")


async def test_another_installations_click_is_ignored_politely(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    card = await slack.read(request)
    action = {"action_id": named("another", Verb.APPROVE), "value": value_of(Target(request, card.digest))}
    answer = await slack.click(ben, action)
    assert answer.status_code == 200
    assert "another installation" in slack.lines()
    assert await status(slack, request) is RequestStatus.PENDING


async def test_a_tampered_button_is_refused_in_words(slack: Workspace) -> None:
    request, ben = await slack.desk.reply(), await slack.person()
    own = slack.door.installation
    for value in (f"{request}.{'0' * 63}", str(request), ""):
        await slack.click(ben, {"action_id": named(own, Verb.APPROVE), "value": value})
        assert "does not carry what we put in it" in slack.lines()
    await slack.click(ben, {"action_id": named(own, Verb.APPROVE), "value": f"{request}.{'0' * 64}"})
    assert "not the version that is up for approval" in slack.lines()
    assert await status(slack, request) is RequestStatus.PENDING


async def test_what_has_no_shape_of_slacks_is_a_bad_request(slack: Workspace) -> None:
    for path, raw in (
        ("/slack/interactivity", b"payload=%5B%5D"),
        ("/slack/interactivity", b""),
        ("/slack/interactivity", urlencode({"payload": json.dumps({"type": "block_actions"})}).encode()),
        ("/slack/interactivity", b"&".join(b"a=1" for _ in range(60))),
        ("/slack/commands", b"text=next"),
        ("/slack/commands", b"\xff=\xff"),
        ("/slack/events", b"[]"),
    ):
        answer = await slack.send(path, raw)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_request"), (path, raw)


async def test_an_event_that_slack_repeats_is_handled_once(slack: Workspace) -> None:
    ben = await slack.person()
    event = {"type": "app_home_opened", "user": ben.user, "tab": "home", "channel": "D1"}
    for _ in range(3):
        assert (await slack.event(event, event_id="Ev1")).status_code == 200
    before = slack.messenger.calls
    await slack.event(event, event_id="Ev1")
    assert slack.messenger.calls == before
    assert slack.messenger.homes[ben.member].waiting == 0
    await slack.event(event, event_id="Ev2")
    assert slack.messenger.calls == before + 1


async def test_slack_is_told_that_the_address_is_ours(slack: Workspace) -> None:
    raw = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a", "token": "x"}).encode()
    assert (await slack.send("/slack/events", raw)).json() == {"challenge": "3eZbrw1a"}


async def test_the_home_tab_is_ones_own_queue_money_first(slack: Workspace) -> None:
    reply, refund, ben = await slack.desk.reply(), await slack.desk.refund(), await slack.person()
    event = {"type": "app_home_opened", "user": ben.user, "tab": "home", "channel": "D1"}
    await slack.event(event, event_id="Ev3", team=TEAM)
    home = slack.messenger.homes[ben.member]
    assert [row.request_id for row in home.rows] == [refund, reply]
    assert (home.waiting, home.more) == (2, 0)


async def test_old_deliveries_are_forgotten_and_recent_ones_are_not(slack: Workspace) -> None:
    deliveries = slack.door.deliveries
    assert await deliveries.first("old", life=timedelta(seconds=-1))
    assert await deliveries.first("new")
    assert await deliveries.forget() == 1
    assert not await deliveries.first("new")
