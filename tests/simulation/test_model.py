"""The model against what must hold of any such system; and that reading what was measured loses nothing."""

import json
from pathlib import Path
from statistics import fmean

import pytest

from tests.simulation.__main__ import Compared, Figures
from tests.simulation.measured import Costs, Lone, Measured, Step, Weather
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


def test_a_core_that_others_slow_down_delays_what_runs_on_it_and_an_embedding_less() -> None:
    half = {"at": [0.0, 50.0], "core 0": [1.0, 3.0], "core 1": [1.0, 3.0]}
    weather = Weather.of(half)
    quick, slow = (weather.slowness(0, now, embedding=False) for now in (40_000, 60_000))
    assert (quick + slow) / 2 == pytest.approx(1)
    assert slow / quick > weather.slowness(0, 60_000, embedding=True) / weather.slowness(0, 40_000, embedding=True) > 1
    machine = Installation(COSTS, ALONE, Size(shared_cores=2), weather=weather).run(2, 200, evenly=True)
    assert fmean(machine.card_ms[:90]) < ALONE.mean < fmean(machine.card_ms[110:])


def test_a_look_at_the_weather_holds_until_the_next() -> None:
    weather = Weather([100.0, 200.0], most=[[0.5, 1.5]], embedding=[[1.0, 1.0]])
    assert [weather.slowness(0, now, embedding=False) for now in (0, 100, 199, 200, 999)] == [0.5, 0.5, 0.5, 1.5, 1.5]
    assert Weather().slowness(1, 7, embedding=False) == 1


def test_near_the_limit_a_latency_may_be_had_at_a_rate_close_by() -> None:
    step = Step(20, 20, 0.1, COSTS, p50=200, p95=450, per_second=19.7, cores_used=1.5, weather=Weather())
    near = {19.6: Figures(190, 300, 19.6), 20.4: Figures(500, 900, 20), 19.0: Figures(150, 400, 19)}
    compared = Compared(step, Figures(320, 430, 19.7), near)
    assert compared.moved == pytest.approx({"p50": -0.02})
    assert compared.agrees == 3
    assert Compared(step, Figures(320, 600, 15), near).agrees == 2
    assert Compared(step, Figures(100, 430, 19.7), {}).agrees == 2


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
        "processor_ms": spent, "samples_ms": ALONE.card_ms, "speed": {"at": [0.1], "core 0": [0.2], "core 1": [0.2]},
    }  # fmt: skip
    file = tmp_path / "redis.json"
    file.write_text(json.dumps({"cores": 2, "phases": {"ramp 2/s": phase, "soak": {}}}))
    read = Measured.read(file)
    assert (read.costs, read.lone) == (COSTS, ALONE)
    assert [(step.rate, step.others_cores, step.costs) for step in read.steps] == [(2, 0.3, COSTS)]
    assert read.steps[0].weather.slowness(1, 5_000, embedding=True) == 1
    assert read.steps[0].cores_used == pytest.approx(0.148)
