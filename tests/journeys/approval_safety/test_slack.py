"""Slack at its worst: forged, repeated and renamed clicks, storms, outages; nothing leaves but what was approved."""

import json
import time
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.journeys.approval_safety.house import Case
from tests.journeys.approval_safety.slack_house import SlackHouse, signed
from tests.peers.slack_server import Fault

pytestmark = pytest.mark.long
QUESTION = "How long may I send an item back?"
INTERACTIVITY = "/slack/interactivity"


def reply_of(slack_house: SlackHouse) -> tuple[Case, Mapping[str, Any]]:
    case = slack_house.house.case()
    case.says(QUESTION)
    (reply,) = case.asked("send_reply")
    return case, reply


def decisions(slack_house: SlackHouse, request: Mapping[str, Any]) -> list[Any]:
    found: list[Any] = slack_house.house.shown(request)["decisions"]
    return found


def test_a_replayed_click_and_one_signed_anew_decide_once(slack_house: SlackHouse) -> None:
    case, reply = reply_of(slack_house)
    raw = slack_house.click(slack_house.card(case, reply), reply, slack_house.accounts["ben"])
    headers = signed(raw)
    assert slack_house.send(INTERACTIVITY, raw, headers).is_success
    assert slack_house.send(INTERACTIVITY, raw, headers).status_code == httpx.codes.UNAUTHORIZED
    slack_house.send(INTERACTIVITY, raw, signed(raw, ago=2))
    assert slack_house.deliver(INTERACTIVITY, raw, ago=400).status_code == httpx.codes.UNAUTHORIZED
    assert slack_house.deliver(INTERACTIVITY, raw, secret="guessed").status_code == httpx.codes.UNAUTHORIZED
    assert case.settled("send_reply") == "succeeded"
    assert (len(decisions(slack_house, reply)), len(case.letters)) == (1, 1)


def test_a_name_in_the_payload_decides_nothing(slack_house: SlackHouse) -> None:
    case, reply = reply_of(slack_house)
    message = slack_house.card(case, reply)
    mia = slack_house.accounts["mia"]
    named: dict[str, Any] = {
        "user": {"id": "U0MALLORY", "username": "mia", "name": "mia", "real_name": mia, "team_id": slack_house.team}
    }
    elsewhere: dict[str, Any] = {
        "user": {"id": mia, "name": "mia", "team_id": "T0EVIL"},
        "team": {"id": "T0EVIL", "domain": "shop"},
    }
    for forged in (named, elsewhere):
        slack_house.deliver(INTERACTIVITY, slack_house.click(message, reply, mia, **forged))
    time.sleep(2)
    assert (decisions(slack_house, reply), case.timeline["executions"], case.effects) == ([], [], 0)


def test_a_forged_but_perfectly_signed_click_on_500_euros_moves_nothing(slack_house: SlackHouse) -> None:
    case = slack_house.house.case(minor=50_000)
    case.says()
    (refund,) = case.asked("issue_refund")
    (reply,) = case.asked("send_reply")
    message = slack_house.card(case, refund)
    drawn = json.dumps(slack_house.peer.shown(slack_house.channel)[-1].now)
    assert ":approve" in drawn  # the buttons of another card are there to be misused
    action = next(slack_house.buttons(slack_house.card(case, reply), "approve"))
    value = action["value"].replace(reply["id"], refund["id"]).replace(reply["digest"], refund["digest"])
    for user in (slack_house.accounts["ben"], slack_house.accounts["mia"]):
        slack_house.deliver(INTERACTIVITY, slack_house.forged(message, {**action, "value": value}, user))
    time.sleep(2)
    assert (decisions(slack_house, refund), case.refunds) == ([], [])


def test_a_storm_of_429_loses_no_card_and_holds_up_no_decision(slack_house: SlackHouse) -> None:
    slack_house.slack.faults.append(Fault("chat.postMessage", 429, times=8, retry_after=1.0))
    cases = [reply_of(slack_house) for _ in range(3)]
    case, reply = cases[0]
    assert slack_house.house.ben.decide(reply).is_success
    assert case.settled("send_reply") == "succeeded"
    for other, asked in cases[1:]:
        slack_house.card(other, asked)
    assert slack_house.slack.refusals == []


def test_slack_may_be_down_and_the_console_is_a_full_equal(slack_house: SlackHouse) -> None:
    slack_house.slack.down = True
    try:
        case, reply = reply_of(slack_house)
        _, waiting = other = reply_of(slack_house)
        assert slack_house.house.ben.decide(reply).is_success
        assert case.settled("send_reply") == "succeeded"
    finally:
        slack_house.slack.down = False
    message = slack_house.card(other[0], waiting)
    assert slack_house.deliver(
        INTERACTIVITY, slack_house.click(message, waiting, slack_house.accounts["ben"])
    ).is_success
    assert other[0].settled("send_reply") == "succeeded"
    assert (len(case.letters), len(other[0].letters)) == (1, 1)


def test_an_expired_trigger_opens_no_form_and_decides_nothing(slack_house: SlackHouse) -> None:
    case, reply = reply_of(slack_house)
    message = slack_house.card(case, reply)
    raw = slack_house.click(message, reply, slack_house.accounts["ben"], "edit", trigger_id="1.expired")
    opened = len(slack_house.slack.views)
    assert slack_house.deliver(INTERACTIVITY, raw).is_success
    time.sleep(2)
    assert (len(slack_house.slack.views), slack_house.house.shown(reply)["status"]) == (opened, "pending")
    approve = slack_house.click(message, reply, slack_house.accounts["ben"])
    assert slack_house.deliver(INTERACTIVITY, approve).is_success
    assert case.settled("send_reply") == "succeeded"


def test_a_reply_too_long_for_slack_is_approved_nowhere_unread(slack_house: SlackHouse) -> None:
    case, reply = reply_of(slack_house)
    text = " ".join(f"Sentence number {number} of a very long answer." for number in range(400))
    edited = slack_house.house.eva.post(f"/v1/approvals/{reply['id']}/edits", {"text": text, "digest": reply["digest"]})
    assert edited.is_success, edited.text
    (new,) = case.asked("send_reply")
    message = slack_house.card(case, new)
    buttons = list(slack_house.buttons(message, "approve"))
    told = json.dumps(message.now)
    assert (buttons == []) or "number 399" in told
    assert slack_house.slack.refusals == []
    assert (decisions(slack_house, new), case.effects) == ([], 0)
