"""The model against what must hold of any such system; and that reading what was measured loses nothing."""

import json
from pathlib import Path
from statistics import fmean

import pytest

from tests.simulation.measured import Costs, Lone, Measured
from tests.simulation.model import Installation, Size
from tests.simulation.planning import FULLEST, PROMISED_MS, planned

COSTS = Costs(api=6, relay=3, broker=1, worker=50, embedding=20, postgres=12, background=2)
ALONE = Lone([80.0, 90.0, 100.0], COSTS)


def machine(cores: int, others: float = 0.0) -> Installation:
    return Installation(COSTS, ALONE, Size(shared_cores=cores, others_cores=others, worker=2))


def test_a_lone_ticket_takes_what_lone_tickets_took() -> None:
    outcome = machine(2).run(1, 200, evenly=True)
    assert fmean(outcome.card_ms) == pytest.approx(ALONE.mean, rel=0.05)
    assert min(outcome.card_ms) >= 0.95 * min(ALONE.card_ms)


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_more_than_the_cores_can_do_is_done_as_fast_as_they_can(cores: int) -> None:
    workers = Installation(COSTS, ALONE, Size(shared_cores=cores, worker=8, api=4, relay=4, postgres_cores=4))
    outcome = workers.run(400, 800)
    assert outcome.per_second == pytest.approx(cores * 1_000 / COSTS.total, rel=0.05)
    assert outcome.card_ms[-1] > outcome.card_ms[0] * 5


def test_a_machine_of_which_others_use_half_does_half() -> None:
    whole, half = (machine(2, others).run(100, 400).per_second for others in (0.0, 1.0))
    assert half == pytest.approx(whole / 2, rel=0.15)


def test_processor_time_that_cannot_have_been_on_the_way_is_beside_it() -> None:
    quick = Lone([each / 2 for each in ALONE.card_ms], COSTS)
    outcome = Installation(COSTS, quick, Size(shared_cores=4)).run(1, 200, evenly=True)
    assert fmean(outcome.card_ms) == pytest.approx(quick.mean, rel=0.05)
    full = Installation(COSTS, quick, Size(shared_cores=1, worker=8, api=4, relay=4)).run(200, 800)
    assert full.per_second == pytest.approx(1_000 / COSTS.total, rel=0.05)


def test_a_worker_does_no_more_than_its_interpreter_lets_through() -> None:
    alone = Installation(COSTS, ALONE, Size(shared_cores=8, api=4, relay=4, postgres_cores=4)).run(200, 600)
    assert 0.8 <= alone.per_second * (COSTS.worker - COSTS.embedding) / 1_000 <= 1


def test_the_same_seed_gives_the_same_figures() -> None:
    assert machine(2).run(10, 100) == machine(2).run(10, 100)


def test_a_plan_keeps_the_promise_and_leaves_room() -> None:
    plan = planned(Measured(2, COSTS, ALONE, ()), 100)
    assert plan.p99 <= PROMISED_MS
    assert max(plan.full.values()) <= FULLEST
    assert plan.size.worker == 6
    assert plan.million > 0


def test_brokers_are_planned_for_like_everything_else() -> None:
    many = planned(Measured(2, COSTS, ALONE, ()), 2_000)
    assert many.size.brokers == 3
    assert many.p99 <= PROMISED_MS


def test_what_was_measured_is_read_by_kind(tmp_path: Path) -> None:
    spent = {"api 0": 6, "worker 3": 25, "worker 4": 25, "relay 2": 3, "scheduler 1": 2, "postgres": 12, "broker": 1}
    phase = {
        "rates": [[2, 20]], "card_ms": {"p50": 90, "p95": 99}, "per_second": 2.0, "others_cores": 0.25,
        "client_cores": 0.05, "second_thread_ms": {"worker 3": 10, "worker 4": 10, "api 0": 0},
        "processor_ms": spent, "samples_ms": ALONE.card_ms,
    }  # fmt: skip
    file = tmp_path / "redis.json"
    file.write_text(json.dumps({"cores": 2, "phases": {"ramp 2/s": phase, "soak": {}}}))
    read = Measured.read(file)
    assert (read.costs, read.lone) == (COSTS, ALONE)
    assert [(step.rate, step.others_cores, step.costs) for step in read.steps] == [(2, 0.3, COSTS)]
    assert read.steps[0].cores_used == pytest.approx(0.148)
