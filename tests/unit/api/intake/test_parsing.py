"""Parsing of bodies: documented shapes, tolerance, keys, echoes, and that nothing ever raises."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.intake.payload import Reading
from api.intake.protocol import Unparseable
from api.intake.standard import StandardIntake
from api.intake.zendesk import ZendeskIntake
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.ticket import Author, Channel, EventKind, InboundMessage

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
READING = Reading(
    workspace=DEFAULT_WORKSPACE,
    source="standard",
    body_key=lambda raw: f"body:{len(raw)}",
    find_marker=lambda text: "ours" if "[ours]" in text else None,
)
STANDARD = StandardIntake(keys=(), reading=READING)
ZENDESK = ZendeskIntake(keys=(), reading=READING, api_user="77")

TICKET = {
    "id": "T-1",
    "subject": "Where is it?",
    "requester": {"email": "ada@example.com", "name": "Ada", "verified": True},
    "channel": "email",
    "order_id": "1001",
    "revision": 3,
}
MESSAGE = {
    "id": "M-1",
    "text": "Where is my order?",
    "created_at": "2026-11-02T08:59:58Z",
    "author": "customer",
    "public": True,
    "attachments": [{"id": "A", "filename": "a.png", "content_type": "image/png", "size": 12, "url": "https://x/a"}],
}
EVENT: dict[str, Any] = {
    "type": "message.created",
    "occurred_at": "2026-11-02T08:59:59Z",
    "ticket": TICKET,
    "message": MESSAGE,
}


def read(body: object, intake: StandardIntake | ZendeskIntake = STANDARD) -> InboundMessage | Unparseable:
    return intake.parse(json.dumps(body).encode(), NOW)


def understood(body: object, intake: StandardIntake | ZendeskIntake = STANDARD) -> InboundMessage:
    inbound = read(body, intake)
    assert isinstance(inbound, InboundMessage), inbound
    return inbound


def with_message(**changes: object) -> dict[str, Any]:
    return EVENT | {"message": MESSAGE | changes}


def with_ticket(**changes: object) -> dict[str, Any]:
    return EVENT | {"ticket": TICKET | changes}


def test_the_documented_body_is_read_whole() -> None:
    inbound = understood(EVENT)
    assert inbound.kind is EventKind.MESSAGE_CREATED
    assert inbound.event_key == "M-1"
    assert inbound.received_at == NOW
    assert inbound.ticket.requester.verified
    assert (inbound.ticket.channel, inbound.ticket.order_id, inbound.ticket.revision) == (Channel.EMAIL, "1001", 3)
    assert inbound.message is not None
    assert inbound.message.attachments[0].filename == "a.png"
    assert not inbound.automatic
    assert inbound.marker is None


@pytest.mark.parametrize("kind", ["ticket.solved", "ticket.closed", "ticket.merged", "requester.changed"])
def test_an_event_without_message_is_keyed_by_its_occurrence(kind: str) -> None:
    inbound = understood({"type": kind, "occurred_at": "2026-11-02T09:59:59+01:00", "ticket": TICKET})
    assert inbound.event_key == "2026-11-02T08:59:59+00:00"
    assert inbound.message is None


def test_i4_the_key_does_not_depend_on_spelling_of_the_time() -> None:
    spellings = ["2026-11-02T08:59:59Z", "2026-11-02T09:59:59+01:00", "2026-11-02T08:59:59", 1793609999]
    keys = {understood({"type": "ticket.solved", "occurred_at": s, "ticket": TICKET}).event_key for s in spellings}
    assert len(keys) == 1


def test_i4_a_message_without_id_is_keyed_by_its_body() -> None:
    assert understood(with_message(id="")).event_key.startswith("body:")
    assert understood(with_message(id=None)).event_key.startswith("body:")


@pytest.mark.parametrize("verified", [False, None, "false", 0])
def test_a_requester_is_verified_only_when_the_payload_says_so(verified: object) -> None:
    requester: dict[str, object] = {"email": "ada@example.com"}
    if verified is not None:
        requester["verified"] = verified
    assert not understood(with_ticket(requester=requester)).ticket.requester.verified


def test_numbers_are_taken_as_ids() -> None:
    inbound = understood(EVENT | {"ticket": TICKET | {"id": 17}, "message": MESSAGE | {"id": 4}})
    assert (inbound.ticket.external_id, inbound.event_key) == ("17", "4")


def test_an_unknown_channel_is_other_and_missing_parts_are_empty() -> None:
    inbound = understood(EVENT | {"ticket": {"id": "1", "channel": "carrier pigeon"}})
    assert (inbound.ticket.channel, inbound.ticket.requester.email, inbound.ticket.order_id) == (
        Channel.OTHER,
        "",
        None,
    )


def test_line_breaks_cannot_reach_a_header() -> None:
    inbound = understood(with_ticket(subject="a\r\nBcc: x@y.z", requester={"email": "a@b.c\nd", "name": "A\x00\x1fB"}))
    assert inbound.ticket.subject == "a Bcc: x@y.z"
    assert inbound.ticket.requester.email == "a@b.c d"
    assert inbound.ticket.requester.name == "A B"


def test_nul_and_lone_surrogates_never_reach_the_database() -> None:
    raw = json.dumps(with_message(text="a\x00b\ud800c")).encode()
    inbound = ZENDESK.parse(raw, NOW)
    assert isinstance(inbound, InboundMessage)
    assert inbound.message is not None
    assert inbound.message.text == "ab?c"
    assert isinstance(STANDARD.parse(raw, NOW), InboundMessage | Unparseable)


def test_a_message_with_html_only_is_read_as_text() -> None:
    inbound = understood(with_message(text="", html="<p>One<br>two &amp; three</p><script>evil()</script>"))
    assert inbound.message is not None
    assert inbound.message.text == "One\ntwo & three"


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: Order",
        "Out of Office",
        "Abwesenheitsnotiz: Urlaub",
        "Réponse automatique : x",
        "Auto-Reply",
        "Respuesta automática: pedido",
        "Undelivered Mail Returned to Sender",
        "Delivery Status Notification (Failure)",
    ],
)
def test_auto_replies_are_known_by_their_subject(subject: str) -> None:
    assert understood(with_ticket(subject=subject)).automatic


@pytest.mark.parametrize(
    "subject", ["Re: Automatic reply: Order", "My autoclave is broken", "Office chair out of stock"]
)
def test_a_persons_subject_is_not_an_auto_reply(subject: str) -> None:
    assert not understood(with_ticket(subject=subject)).automatic


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Auto-Submitted": "auto-replied"}, True),
        ({"auto-submitted": "no"}, False),
        ({"Precedence": "bulk"}, True),
        ({"Return-Path": "<>"}, True),
        ({"List-Id": "<news.example>"}, True),
        ({"X-Mailer": "x"}, False),
    ],
)
def test_auto_replies_are_known_by_their_headers(headers: dict[str, str], expected: bool) -> None:  # noqa: FBT001 - a table
    assert understood(with_message(headers=headers)).automatic is expected


def test_our_own_marker_is_found() -> None:
    assert understood(with_message(author="operator", text="Hello [ours]")).marker == "ours"


@pytest.mark.parametrize(
    "body",
    [
        [],
        "x",
        1,
        None,
        {},
        EVENT | {"type": "ticket.exploded"},
        EVENT | {"message": None},
        EVENT | {"occurred_at": "soon"},
        EVENT | {"occurred_at": "0001-01-01T00:00:00+14:00"},
        with_ticket(id=""),
        with_ticket(id="x" * 201),
        with_ticket(revision=2**70),
        with_ticket(requester="ada"),
        with_message(author="robot"),
        with_message(attachments=[{"size": -1}]),
        with_message(text=["x"]),
    ],
)
def test_an_unknown_shape_is_an_answer_that_quotes_nothing(body: object) -> None:
    for intake in (STANDARD, ZENDESK):
        answer = read(body, intake)
        assert isinstance(answer, Unparseable)
        assert "ada" not in answer.reason


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"type":' + b"[" * 100_000,
        b"9" * 6_000,
        b'{"type":' + b"9" * 6_000 + b"}",
    ],
)
def test_hostile_bytes_are_unparseable(raw: bytes) -> None:
    assert isinstance(STANDARD.parse(raw, NOW), Unparseable)
    assert isinstance(ZENDESK.parse(raw, NOW), Unparseable)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["message.created", "zen:event-type:ticket.comment_added"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "ticket",
                    "message",
                    "id",
                    "detail",
                    "event",
                    "comment",
                    "time",
                    "occurred_at",
                    "requester",
                    "author",
                    "via",
                ]
            )
            | st.text(max_size=3),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


@given(JSON)
def test_any_json_gets_a_typed_answer(body: object) -> None:
    raw = json.dumps(body).encode()
    for intake in (STANDARD, ZENDESK):
        assert isinstance(intake.parse(raw, NOW), InboundMessage | Unparseable)


@given(st.binary(max_size=200))
def test_any_bytes_get_a_typed_answer(raw: bytes) -> None:
    for intake in (STANDARD, ZENDESK):
        assert isinstance(intake.parse(raw, NOW), InboundMessage | Unparseable)


@given(
    place=st.sampled_from([("ticket",), ("message",), ("ticket", "requester"), ()]),
    name=st.text(max_size=5),
    value=JSON,
)
def test_a_damaged_event_gets_a_typed_answer(place: tuple[str, ...], name: str, value: object) -> None:
    event = json.loads(json.dumps(EVENT))
    target = event
    for part in place:
        target = target[part]
    for key in [*target, name]:
        damaged = json.loads(json.dumps(event))
        inner = damaged
        for part in place:
            inner = inner[part]
        inner[key] = value
        assert isinstance(read(damaged), InboundMessage | Unparseable)
        assert isinstance(read(damaged, ZENDESK), InboundMessage | Unparseable)


# -- Zendesk ------------------------------------------------------------------------------------------

NATIVE: dict[str, Any] = {
    "account_id": 22129848,
    "detail": {
        "actor_id": "8447388090494",
        "id": "5158",
        "requester_id": "8447388090494",
        "status": "OPEN",
        "subject": "Where is it?",
        "via": {"channel": "mail"},
    },
    "event": {
        "comment": {"id": "9", "body": "Hello", "is_public": True, "author": {"id": "8447388090494", "is_staff": False}}
    },
    "id": "cbe4028c-7239-495d-b020-f22348516046",
    "subject": "zen:ticket:5158",
    "time": "2026-11-02T08:58:00.1234567Z",
    "type": "zen:event-type:ticket.comment_added",
    "zendesk_event_version": "2022-11-06",
}


def test_a_triggers_body_may_hold_strings_only_and_raw_line_breaks() -> None:
    raw = (
        b'{"type":"message.created","occurred_at":"2026-11-02T08:59:59Z","ticket":{"id":"17","subject":"Hi","channel":"Mail",'
        b'"order_id":"","requester":{"email":"ada@example.com","name":"Ada","verified":"false"}},'
        b'"message":{"author":"customer","author_id":"5","id":"","text":"one\ntwo"}}'
    )
    inbound = ZENDESK.parse(raw, NOW)
    assert isinstance(inbound, InboundMessage)
    assert inbound.message is not None
    assert inbound.message.text == "one\ntwo"
    assert (inbound.ticket.channel, inbound.ticket.order_id, inbound.by_api_user) == (Channel.EMAIL, None, False)
    assert inbound.event_key.startswith("body:")


def test_our_api_user_is_an_operator_whatever_the_trigger_says() -> None:
    inbound = understood(with_message(author="customer", author_id=77), ZENDESK)
    assert inbound.message is not None
    assert (inbound.message.author, inbound.by_api_user) == (Author.OPERATOR, True)


def test_a_native_comment_by_the_requester_is_the_customers_and_unverified() -> None:
    inbound = understood(NATIVE, ZENDESK)
    assert inbound.message is not None
    assert (inbound.message.author, inbound.event_key) == (Author.CUSTOMER, "9")
    assert (inbound.ticket.channel, inbound.ticket.requester.verified) == (Channel.EMAIL, False)


def test_files_of_a_native_comment_are_named_and_what_is_no_file_costs_no_message() -> None:
    file = {
        "id": 5,
        "file_name": "a\u202e.pdf",
        "content_url": "https://acme.zendesk.com/a",
        "size": 7,
        "deleted": False,
    }
    odd = [file, "x", {"size": -1, "file_name": {"a": 1}}]
    body = NATIVE | {"event": {"comment": NATIVE["event"]["comment"] | {"attachments": odd}}}
    message = understood(body, ZENDESK).message
    assert message is not None
    found = [(one.id, one.size, one.url) for one in message.attachments]
    assert found == [("5", 7, "https://acme.zendesk.com/a"), ("1", 0, "")]
    without = understood(NATIVE | {"event": {"comment": NATIVE["event"]["comment"] | {"attachments": 3}}}, ZENDESK)
    assert without.message is not None
    assert without.message.attachments == ()


@pytest.mark.parametrize(
    "author", [{"id": "1", "is_staff": True}, {"id": "2"}, {}, {"id": "8447388090494", "is_staff": True}]
)
def test_a_native_comment_by_anyone_else_starts_nothing(author: dict[str, object]) -> None:
    body = NATIVE | {"event": {"comment": NATIVE["event"]["comment"] | {"author": author}}}
    message = understood(body, ZENDESK).message
    assert message is not None
    assert message.author is Author.OPERATOR


@pytest.mark.parametrize(
    ("kind", "event", "expected"),
    [
        ("status_changed", {"current": "SOLVED", "previous": "OPEN"}, EventKind.TICKET_SOLVED),
        ("status_changed", {"current": "CLOSED"}, EventKind.TICKET_CLOSED),
        ("merged", {}, EventKind.TICKET_MERGED),
        ("requester_changed", {}, EventKind.REQUESTER_CHANGED),
    ],
)
def test_native_ticket_events(kind: str, event: dict[str, object], expected: EventKind) -> None:
    body = NATIVE | {"type": f"zen:event-type:ticket.{kind}", "event": event}
    assert understood(body, ZENDESK).kind is expected


@pytest.mark.parametrize("kind", ["status_changed", "tags_changed", "priority_changed"])
def test_native_events_that_change_nothing_for_us_are_buried(kind: str) -> None:
    assert isinstance(
        read(NATIVE | {"type": f"zen:event-type:ticket.{kind}", "event": {"current": "PENDING"}}, ZENDESK), Unparseable
    )
