"""Logs carry ids and codes only."""

from typing import Any

import pytest

from api import logging
from api.worker.survival import survived
from support_agents.domain.errors import SupportError


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
