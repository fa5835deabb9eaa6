"""What Slack delivers becomes a typed thing or a typed refusal; nothing raises, and no word becomes an id."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.adapters.slack.interactions import Reader
from approvals.adapters.slack.naming import Callback, Target, Verb, metadata_of, named, value_of
from approvals.interactions import (
    Approve,
    ApproveSheet,
    Correct,
    CorrectSubmitted,
    Edit,
    EditSubmitted,
    Foreign,
    Help,
    HomeOpened,
    Ignored,
    LinkAccount,
    More,
    Next,
    NotMe,
    Open,
    Redraft,
    Refused,
    Reject,
    RejectSubmitted,
    ShowSheet,
    TakeAlternative,
    Told,
    Undo,
    UnlinkAccount,
    Unreadable,
    Verification,
)
from approvals.modals import Alternative
from support_agents.domain.approval import RejectReason
from support_agents.domain.ids import RequestId

MINE = Reader("abc123")
REQUEST = RequestId(UUID(int=7))
TARGET = Target(REQUEST, "a" * 64)
OTHER = Target(RequestId(UUID(int=8)), "b" * 64)


def clicked(verb: str, value: str = "", *, detail: str = "", installation: str = "abc123", **more: Any) -> Told:
    action = {"type": "button", "action_id": f"sa:{installation}:{verb}" + (f":{detail}" if detail else "")}
    payload = {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": "U1", "team_id": "T1", "name": "ben"},
        "container": {"type": "message", "channel_id": "C1", "message_ts": "1.1", "is_ephemeral": True},
        "trigger_id": "t",
        "response_url": "https://hooks.slack.com/actions/1",
        "actions": [{**action, "value": value, "action_ts": "1"}],
    }
    return MINE.interactivity(json.dumps(payload | more))


def submitted(callback: str, values: dict[str, Any], *, metadata: str = "", kind: str = "view_submission") -> Told:
    view = {
        "id": "V1",
        "type": "modal",
        "hash": "h",
        "callback_id": named("abc123", Callback(callback)),
        "private_metadata": metadata or metadata_of("abc123", TARGET),
        "state": {"values": values},
    }
    return MINE.interactivity(json.dumps({"type": kind, "team": {"id": "T1"}, "user": {"id": "U1"}, "view": view}))


def command(text: str) -> Told:
    return MINE.command({"team_id": "T1", "user_id": "U1", "command": "/support", "text": text, "response_url": "u"})


@pytest.mark.parametrize(
    ("verb", "kind"),
    [
        (Verb.APPROVE, Approve),
        (Verb.EDIT, Edit),
        (Verb.REJECT, Reject),
        (Verb.MORE, More),
        (Verb.CORRECT, Correct),
        (Verb.UNDO, Undo),
        (Verb.NOT_ME, NotMe),
        (Verb.REDRAFT, Redraft),
    ],
)
def test_each_button_is_read_with_its_request_and_digest(verb: Verb, kind: type[Approve]) -> None:
    told = clicked(verb, value_of(TARGET))
    assert isinstance(told, kind)
    assert (told.about.request_id, told.about.digest) == (REQUEST, "a" * 64)
    assert (told.where.channel, told.where.message, told.where.whispered) == ("C1", "1.1", True)
    assert (told.who.account.team, told.who.account.user, told.who.foreign) == ("T1", "U1", False)


def test_buttons_without_a_digest() -> None:
    assert isinstance(clicked(Verb.NEXT), Next)
    told = clicked(Verb.SHOW, value_of(TARGET))
    assert isinstance(told, Open)
    assert told.request_id == REQUEST
    assert isinstance(clicked(Verb.CONSOLE), Ignored)
    one_tap = clicked(Verb.ALTERNATIVE, value_of(TARGET), detail=Alternative.SHORTER)
    assert isinstance(one_tap, TakeAlternative)
    assert one_tap.which is Alternative.SHORTER


@pytest.mark.parametrize(
    "value",
    ["", "x", str(REQUEST), f"{REQUEST}.", f"{REQUEST}.{'a' * 63}", f"{REQUEST}.{'A' * 64}", f"x.{'a' * 64}",
     f"{REQUEST}.{'a' * 64}.", f"{REQUEST}.{'a' * 65}", f" {REQUEST}.{'a' * 63}ä"],
)  # fmt: skip
def test_a_value_that_is_not_as_we_made_it_is_refused(value: str) -> None:
    told = clicked(Verb.APPROVE, value)
    assert isinstance(told, Refused)
    assert told.code == "tampered"


@pytest.mark.parametrize("verb", ["approve_all", "", "Approve", "rm"])
def test_a_verb_that_is_not_ours_asks_for_nothing(verb: str) -> None:
    assert not isinstance(clicked(verb, value_of(TARGET)), Approve)


def test_another_installations_button_is_left_alone() -> None:
    assert isinstance(clicked(Verb.APPROVE, value_of(TARGET), installation="other"), Foreign)
    assert isinstance(submitted(Callback.EDIT, {}, metadata=metadata_of("other", TARGET)), Refused)


def test_another_apps_button_is_no_business_of_ours() -> None:
    action = {"type": "button", "action_id": "approve", "value": value_of(TARGET)}
    assert isinstance(clicked(Verb.APPROVE, actions=[action]), Ignored)


def test_who_belongs_elsewhere_is_foreign_and_a_name_is_nothing() -> None:
    told = clicked(Verb.APPROVE, value_of(TARGET), user={"id": "U1", "team_id": "T9", "name": "ben"})
    assert isinstance(told, Approve)
    assert told.who.foreign
    grid = clicked(Verb.APPROVE, value_of(TARGET), user={"id": "U1", "team_id": "T9"}, enterprise={"id": "E1"})
    assert isinstance(grid, Approve)
    assert (grid.who.foreign, grid.who.account.enterprise) == (False, "E1")
    nowhere = clicked(Verb.APPROVE, value_of(TARGET), team=None, user={"id": "U1"})
    assert isinstance(nowhere, Approve)
    assert nowhere.who.foreign


def test_a_long_reply_comes_back_whole_and_in_order() -> None:
    texts = [f"part {place}\n" + "x" * 2_900 for place in range(12)]
    values = {
        f"text.{place}": {"input": {"type": "plain_text_input", "value": texts[place]}} for place in range(11, -1, -1)
    }
    told = submitted(Callback.EDIT, values)
    assert isinstance(told, EditSubmitted)
    assert told.text == "".join(texts)


def test_a_rejection_needs_a_reason_of_the_list() -> None:
    def option(value: str) -> dict[str, Any]:
        return {"input": {"type": "static_select", "selected_option": {"value": value}}}

    note = {"input": {"type": "plain_text_input", "value": "  too stiff  "}}
    boxes = {"input": {"type": "checkboxes", "selected_options": [{"value": "redraft"}]}}
    told = submitted(Callback.REJECT, {"reason": option("wrong_tone"), "note": note, "redraft": boxes})
    assert isinstance(told, RejectSubmitted)
    assert (told.reason, told.words, told.redraft) == (RejectReason.WRONG_TONE, "too stiff", True)
    for values in ({}, {"reason": option("because")}, {"note": note}):
        assert isinstance(submitted(Callback.REJECT, values), Refused)


def test_a_correction_names_one_intent_of_a_list_or_none() -> None:
    option = {"input": {"type": "static_select", "selected_option": {"value": "refund_request"}}}
    for values, intent in (({"intent": option}, "refund_request"), ({}, ""), ({"group": option}, "")):
        told = submitted(Callback.CORRECT, values)
        assert isinstance(told, CorrectSubmitted)
        assert (told.about.request_id, told.about.digest, told.intent) == (REQUEST, "a" * 64, intent)


def test_a_closed_form_submits_nothing() -> None:
    assert isinstance(submitted(Callback.EDIT, {}, kind="view_closed"), Ignored)


def sheet(*groups: list[str]) -> Told:
    values = {
        f"rows.{place}": {f"sa:abc123:tick:{place}": {"selected_options": [{"value": value} for value in values]}}
        for place, values in enumerate(groups)
    }
    return clicked(Verb.BATCH_APPROVE, "sheet-1", state={"values": values})


def test_a_sheet_carries_exactly_what_is_ticked() -> None:
    told = sheet([value_of(TARGET)], [value_of(OTHER)])
    assert isinstance(told, ApproveSheet)
    assert [about.request_id for about in told.ticked] == [TARGET.request_id, OTHER.request_id]
    empty = sheet([], [])
    assert isinstance(empty, ApproveSheet)
    assert empty.ticked == ()


def test_a_sheet_with_a_strange_or_doubled_row_approves_nothing() -> None:
    assert isinstance(sheet([value_of(TARGET)], ["x"]), Refused)
    assert isinstance(sheet([value_of(TARGET)], [value_of(TARGET)]), Refused)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("next", Next), ("", Next), ("NEXT ", Next), ("batch", ShowSheet), ("unlink", UnlinkAccount), ("what?", Help)],
)
def test_commands(text: str, kind: type) -> None:
    assert isinstance(command(text), kind)


def test_a_code_is_cut_and_kept_as_typed() -> None:
    told = command("link  ABCD-EFGH " + "x" * 500)
    assert isinstance(told, LinkAccount)
    assert told.code.startswith("ABCD-EFGH")
    assert len(told.code) <= 64


def test_events() -> None:
    assert MINE.event('{"type": "url_verification", "challenge": "c", "token": "t"}') == Verification("c")
    home = {"type": "app_home_opened", "user": "U1", "tab": "home"}
    body = {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": home}
    told = MINE.event(json.dumps(body))
    assert isinstance(told, HomeOpened)
    assert (told.who.account.user, told.event_id) == ("U1", "Ev1")
    assert isinstance(MINE.event(json.dumps(body | {"event": {"type": "message", "text": "hi"}})), Ignored)
    assert isinstance(MINE.event("[]"), Unreadable)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
KEYS = ("team", "user", "container", "actions", "view", "state", "enterprise", "response_url", "trigger_id")


@given(st.dictionaries(st.sampled_from(KEYS), JSON), st.sampled_from(["block_actions", "view_submission", "shortcut"]))
def test_no_shape_raises(changes: dict[str, Any], kind: str) -> None:
    told = clicked(Verb.APPROVE, value_of(TARGET), **(changes | {"type": kind}))
    assert not isinstance(told, ApproveSheet)
    assert isinstance(MINE.event(json.dumps(changes | {"type": kind})), Ignored | Unreadable)


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_no_text_raises(raw: str | bytes) -> None:
    for told in (MINE.interactivity(raw), MINE.event(raw)):
        assert isinstance(told, Ignored | Unreadable)


@given(
    st.dictionaries(st.sampled_from(["team_id", "user_id", "text", "command", "trigger_id"]), st.text(max_size=5_000))
)
def test_no_command_raises(form: dict[str, str]) -> None:
    MINE.command(form)


def test_depth_is_no_way_to_stop_us() -> None:
    deep = "[" * 50_000 + "]" * 50_000
    assert isinstance(MINE.interactivity(deep), Unreadable)
    told = submitted(Callback.EDIT, {}, metadata="[" * 2_900)
    assert isinstance(told, Refused)
