import pytest

from support_agents.domain.errors import AskedToWaitError, SupportError
from support_agents.llm.breaker import Breaker, Circuit


class Now:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


BROKEN = SupportError("llm_unavailable", "broken", retryable=True)


def breaker(now: Now) -> Breaker:
    return Breaker(failures=3, seconds=10, broken_seconds=60, now=now)


def test_failures_in_a_row_open_it_and_a_success_between_does_not() -> None:
    now = Now()
    one = breaker(now)
    for _ in range(2):
        one.failed(BROKEN)
    one.succeeded()
    for _ in range(2):
        one.failed(BROKEN)
    assert one.allows()
    one.failed(BROKEN)
    assert (one.circuit, one.allows(), one.fault) == (Circuit.OPEN, False, "llm_unavailable")


def test_half_open_lets_one_probe_through() -> None:
    now = Now()
    one = breaker(now)
    for _ in range(3):
        one.failed(BROKEN)
    now.seconds = 10.0
    assert one.circuit is Circuit.HALF_OPEN
    assert [one.allows(), one.allows()] == [True, False]
    one.failed(BROKEN)
    assert (one.circuit, one.opens_in) == (Circuit.OPEN, 10.0)
    now.seconds = 20.0
    assert one.allows()
    one.succeeded()
    assert [one.allows(), one.allows()] == [True, True]
    assert one.fault == ""


def test_a_probe_that_nobody_waited_for_says_nothing() -> None:
    now = Now()
    one = breaker(now)
    for _ in range(3):
        one.failed(BROKEN)
    now.seconds = 10.0
    assert one.allows()
    one.abandoned()
    assert one.allows()


@pytest.mark.parametrize("code", ["llm_auth", "llm_quota", "llm_not_found", "llm_bad_request"])
def test_a_wrong_configuration_opens_at_once_and_is_named(code: str) -> None:
    now = Now()
    one = breaker(now)
    one.failed(SupportError(code, "no"))
    assert (one.circuit, one.misconfigured, one.opens_in) == (Circuit.OPEN, code, 60.0)


def test_a_provider_s_own_wait_is_kept() -> None:
    now = Now()
    one = breaker(now)
    one.failed(AskedToWaitError("llm_rate_limited", "slow down", seconds=7))
    assert (one.allows(), one.opens_in, one.misconfigured) == (False, 7.0, "")
    now.seconds = 7.0
    assert one.allows()


@pytest.mark.parametrize("code", ["llm_busy", "llm_budget", "llm_spent"])
def test_what_is_ours_says_nothing_of_the_provider(code: str) -> None:
    one = breaker(Now())
    for _ in range(9):
        one.failed(SupportError(code, "ours"))
    assert (one.circuit, one.fault) == (Circuit.CLOSED, "")
