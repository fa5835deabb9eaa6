"""Times, numbers and codes in plain words; every code has some."""

from datetime import UTC, datetime, timedelta

import pytest

from approvals.canonical import Way
from approvals.wording import EXECUTIONS, ORDERS, OUTCOMES, REQUESTS, WAYS, ago, clock, counted, milliseconds, span
from support_agents.domain.approval import ExecutionStatus, RequestStatus
from support_agents.domain.orders import OrderStatus
from support_agents.domain.runs import Outcome


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (86_400, "1 day"),
        (200_000, "2 days"),
    ],
)
def test_a_length_of_time(seconds: float, words: str) -> None:
    assert span(timedelta(seconds=seconds)) == words


def test_an_instant() -> None:
    at = datetime(2026, 11, 2, 9, 5, 7, tzinfo=UTC)
    assert clock(at) == "2 Nov 2026, 09:05:07 UTC"
    assert ago(at, at) == "just now"
    assert ago(at, at + timedelta(minutes=3)) == "3 min ago"


@pytest.mark.parametrize(("value", "shown"), [(0.421, "0.42"), (9.26, "9.3"), (148.4, "148")])
def test_milliseconds_keep_the_digits_that_tell(value: float, shown: str) -> None:
    assert milliseconds(value) == shown


def test_counted() -> None:
    assert (counted(1, "fact"), counted(4, "fact"), counted(0, "try", "tries")) == ("1 fact", "4 facts", "0 tries")


def test_every_code_has_words() -> None:
    assert set(OUTCOMES) == set(Outcome)
    assert set(REQUESTS) == set(RequestStatus)
    assert set(EXECUTIONS) == set(ExecutionStatus)
    assert set(ORDERS) == set(OrderStatus)
    assert set(WAYS) == set(Way)
