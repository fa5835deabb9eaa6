"""What workers are told, and what they take for it: an id and a number in our own form."""

import json
from typing import Any
from uuid import uuid4

import pytest
from kombu import Message

from api.worker.broker import TASK
from api.worker.gate import hint_of
from api.worker.hints import QUEUE_OF, Hint
from support_agents.domain.errors import SupportError
from support_agents.domain.events import EventName
from support_agents.domain.ids import OutboxId, new_id

EVENT = str(uuid4())
EMBED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def message(body: Any = None, **more: Any) -> Message:
    raw = body if isinstance(body, (bytes, str)) else json.dumps(body or [[EVENT, 0], {}, EMBED])
    given: dict[str, Any] = {
        "headers": {"task": TASK, "eta": None, "retries": 0, "timelimit": [None, None]},
        "content_type": "application/json",
        "content_encoding": "utf-8",
    }
    return Message(raw, **{**given, **more})


def test_every_event_has_a_queue() -> None:
    assert set(QUEUE_OF) == set(EventName)


def test_a_hint_comes_back_as_it_was_sent() -> None:
    hint = Hint(OutboxId(new_id()), 3)
    assert Hint.read(json.loads(json.dumps(hint.arguments))) == hint
    assert hint_of(message([list(hint.arguments), {}, EMBED])) == hint


@pytest.mark.parametrize(
    "arguments",
    [[], [EVENT], [EVENT, "0"], [EVENT, 0, 0], ["x", 0], [EVENT, -1], [EVENT, 10**9], [EVENT, True], {}, None, [[], 0]],
)
def test_other_arguments_are_refused_without_being_quoted(arguments: Any) -> None:
    with pytest.raises(SupportError) as refused:
        Hint.read(arguments)
    assert (refused.value.code, "x" in refused.value.message.split()) == ("not_a_hint", False)


@pytest.mark.parametrize(
    "hostile",
    [
        message(headers={"task": "os.system"}),
        message(headers={"task": "celery.chord_unlock"}),
        message(headers={}),
        message(headers={"task": TASK, "eta": "2030-01-01T00:00:00"}),
        message(headers={"task": TASK, "retries": 3}),
        message(headers={"task": TASK, "timelimit": [1, None]}),
        message(headers={"task": TASK, "stamps": {"a": 1}}),
        message(b"\x80\x04}.", content_type="application/x-python-serialize"),
        message(content_type="application/x-yaml"),
        message("not json"),
        message("[" * 900),
        message([[EVENT, 0], {"more": 1}, EMBED]),
        message([[EVENT, 0], {}, {**EMBED, "chain": [{"task": "x"}]}]),
        message([[EVENT, 0], {}, {**EMBED, "callbacks": [{"task": "x"}]}]),
        message([[EVENT, 0], {}, []]),
        message([[EVENT + " " * 2_000, 0], {}, EMBED]),
        message({"task": TASK, "id": EVENT, "args": [EVENT, 0]}),
    ],
)
def test_messages_that_are_not_ours_are_refused(hostile: Message) -> None:
    with pytest.raises(SupportError) as refused:
        hint_of(hostile)
    assert refused.value.code == "not_a_hint"
