"""The state machine, a little of it, and the breaks that it finds: `make soak` runs a great deal."""

import asyncio

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.soak.machine import ApprovalMachine
from tests.soak.plants import Plant, a_blind_retry, an_approval_of_ones_own, mail_without_its_marker
from tests.soak.stage import Home

SOME = settings(
    max_examples=8, stateful_step_count=30, deadline=None, derandomize=True, database=None, print_blob=False,
    suppress_health_check=list(HealthCheck), phases=(Phase.generate,),
)  # fmt: skip


def walked(url: str, some: settings) -> int:
    """Walk, and return how many steps it were."""
    with asyncio.Runner() as runner:
        ApprovalMachine.home = home = Home.at(url, runner)
        try:
            run_state_machine_as_test(ApprovalMachine, settings=some)
        finally:
            home.reader.dispose()
    return home.steps


def test_nothing_that_people_workers_and_clocks_do_breaks_an_invariant(database_url: str) -> None:
    assert walked(database_url, SOME) > 100


@pytest.mark.long
@pytest.mark.parametrize("plant", [a_blind_retry, mail_without_its_marker, an_approval_of_ones_own])
def test_a_planted_break_is_found(sqlite_url: str, monkeypatch: pytest.MonkeyPatch, plant: Plant) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        walked(sqlite_url, settings(SOME, max_examples=60, stateful_step_count=50))
