"""What a body lacks is told in words, with the place and none of the sender's."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from api.intake.payload import Reading
from api.intake.protocol import Unparseable
from api.intake.standard import StandardIntake
from support_agents.domain.ids import DEFAULT_WORKSPACE

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
READING = Reading(workspace=DEFAULT_WORKSPACE, source="standard", body_key=lambda _: "", find_marker=lambda _: None)
STANDARD = StandardIntake(keys=(), reading=READING)
TICKET = {"id": "T-1", "requester": {"email": "ada@example.com", "verified": True}}
MESSAGE = {"id": "M-1", "text": "Where is my order?", "author": "customer"}
EVENT: dict[str, Any] = {
    "type": "message.created",
    "occurred_at": "2026-11-02T08:59:59Z",
    "ticket": TICKET,
    "message": MESSAGE,
}


def with_message(**changes: object) -> dict[str, Any]:
    return EVENT | {"message": MESSAGE | changes}


def with_ticket(**changes: object) -> dict[str, Any]:
    return EVENT | {"ticket": TICKET | changes}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (EVENT | {"message": None}, "message is missing"),
        (EVENT | {"occurred_at": "yesterday"}, "occurred_at is no time (as 2026-01-31T12:00:00Z)"),
        (EVENT | {"type": "pizza"}, "type is none of the known words"),
        (with_ticket(id=""), "ticket.id is empty"),
        (with_ticket(id="x" * 201), "ticket.id is too long"),
        (with_ticket(revision=2**70), "ticket.revision is too large"),
        (with_ticket(revision=-1), "ticket.revision is too small"),
        (with_ticket(requester="ada"), "ticket.requester is no object"),
        (
            with_message(text=["x"], author="robot"),
            "message.text is no text; message.author is none of the known words",
        ),
        (with_message(attachments=[{"size": "big"}] * 7), "; and 2 more"),
        ([], "the body is no object"),
        (with_message(headers={"Ada, DE89 3704": None}), "message.headers is no text"),
        (EVENT | {"occurred_at": "9999-01-01T00:00:00Z"}, "occurred_at is not plausible"),
    ],
)
def test_an_unknown_shape_is_told_in_words(body: object, reason: str) -> None:
    answer = STANDARD.parse(json.dumps(body).encode(), NOW)
    assert isinstance(answer, Unparseable)
    assert answer.reason.endswith(reason)
