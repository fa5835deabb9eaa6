"""The model against what must hold of any such system; and that reading what was measured loses nothing."""

import json
from pathlib import Path
from statistics import fmean

import pytest

from tests.simulation.measured import Costs, Measured
from tests.simulation.model import Installation, Size
from tests.simulation.planning import FULLEST, PROMISED_MS, planned

COSTS = Costs(api=6, relay=3, broker=1, worker=50, postgres=12, background=2)
ALONE = [80.0, 90.0, 100.0]


def machine(cores: float) -> Installation:
    return Installation(COSTS, ALONE, Size(shared_cores=cores, worker=2))


def test_a_lone_ticket_takes_what_lone_tickets_took() -> None:
    outcome = machine(2).run(1, 200, evenly=True)
    assert fmean(outcome.card_ms) == pytest.approx(fmean(ALONE), rel=0.05)
    assert min(outcome.card_ms) >= 0.95 * min(ALONE)


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_more_than_the_cores_can_do_is_done_as_fast_as_they_can(cores: int) -> None:
    workers = Installation(COSTS, ALONE, Size(shared_cores=cores, worker=8, api=4, relay=4, postgres_cores=4))
    outcome = workers.run(400, 800)
    assert outcome.per_second == pytest.approx(cores * 1_000 / COSTS.total, rel=0.05)
    assert outcome.card_ms[-1] > outcome.card_ms[0] * 5


def test_a_machine_of_which_others_use_half_does_half() -> None:
    whole, half = (machine(cores).run(100, 400).per_second for cores in (2, 1))
    assert half == pytest.approx(whole / 2, rel=0.15)


def test_the_same_seed_gives_the_same_figures() -> None:
    assert machine(2).run(10, 100) == machine(2).run(10, 100)


def test_a_plan_keeps_the_promise_and_leaves_room() -> None:
    plan = planned(Measured(COSTS, ALONE, ()), 100)
    assert plan.p99 <= PROMISED_MS
    assert max(plan.full.values()) <= FULLEST
    assert plan.size.worker == 6
    assert plan.million > 0


def test_what_was_measured_is_read_by_kind(tmp_path: Path) -> None:
    spent = {"api 0": 6, "worker 3": 25, "worker 4": 25, "relay 2": 3, "scheduler 1": 2, "postgres": 12, "broker": 1}
    phase = {
        "rates": [[2, 20]], "card_ms": {"p50": 90, "p95": 99}, "per_second": 2.0, "others_cores": 0.25,
        "processor_ms": spent, "samples_ms": ALONE,
    }  # fmt: skip
    file = tmp_path / "redis.json"
    file.write_text(json.dumps({"cores": 2, "phases": {"ramp 2/s": phase, "soak": {}}}))
    read = Measured.read(file)
    assert (read.costs, read.alone_ms) == (COSTS, ALONE)
    assert [(step.rate, step.free_cores) for step in read.steps] == [(2, 1.75)]
    assert read.steps[0].cores_used == pytest.approx(0.148)
