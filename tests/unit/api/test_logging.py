"""Logs carry ids and codes only."""

import json
import logging as stdlib_logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from api import logging
from api.settings import load
from api.worker.survival import survived
from support_agents.domain.errors import SupportError
from support_agents.domain.events import EventName, OutboxEvent
from support_agents.domain.ids import DEFAULT_WORKSPACE, OutboxId, new_id


@pytest.fixture
def unconfigured() -> Iterator[None]:
    """Nothing that a test sets up outlives it."""
    root = stdlib_logging.getLogger()
    handlers, level = [*root.handlers], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def as_json() -> None:
    logging.configure(load({"log_format": "json", "log_level": "INFO"}))


def test_only_fields_that_cannot_hold_personal_text_get_through() -> None:
    event: dict[str, Any] = {
        "event": "x",
        "ticket": "id",
        "text": "Dear",
        "email": "a@b.c",
        "password": "p",
        "raw": b"r",
    }
    assert logging.only_allowed(None, "info", event) == {"event": "x", "ticket": "id"}


def test_an_exception_is_logged_by_its_type() -> None:
    assert logging.error_type(ValueError("Anna wrote this")) == "ValueError"
    assert logging.error_type(SupportError("x", "y")) == "support_agents.domain.errors.SupportError"


async def test_what_failed_is_told_by_code_or_type_and_never_by_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    async def fail(error: Exception) -> None:
        raise error

    assert await survived("work", fail(SupportError("busy", "Anna wrote this"))) == "busy"
    assert await survived("work", fail(KeyError("Anna wrote this"))) == "KeyError"
    printed = capsys.readouterr()
    assert "Anna" not in printed.out + printed.err


@pytest.mark.usefixtures("unconfigured")
def test_a_line_is_one_json_object_that_names_what_it_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    as_json()
    event = OutboxEvent(
        id=OutboxId(new_id()), workspace=DEFAULT_WORKSPACE, name=EventName.TICKET_RECEIVED, subject=new_id(), attempts=1
    )
    with logging.about_event(event), logging.about(run="r-1"):
        logging.get().info("run_finished", outcome="macro", text="Dear Anna", ms=12)
    logging.get().info("after")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "event": "run_finished",
        "level": "info",
        "outbox": str(event.id),
        "ticket": str(event.subject),
        "run": "r-1",
        "outcome": "macro",
        "ms": 12,
    }
    assert second.keys() == {"event", "level", "timestamp"}


@pytest.mark.usefixtures("unconfigured")
def test_what_a_library_says_is_a_line_of_ours_without_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    as_json()
    stdlib_logging.getLogger("some.client").error("cannot send %s", "Dear Anna", exc_info=ValueError("Anna wrote this"))
    stdlib_logging.getLogger("some.client").info("Dear Anna")
    (line,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert "Anna" not in json.dumps(line)
    assert (line["event"], line["level"], line["logger"], line["error_type"]) == (
        "library",
        "error",
        "some.client",
        "ValueError",
    )
