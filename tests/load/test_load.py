"""What a load test makes of what it saw; the load itself is measured by `make load` only."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.load.client import Tally, _due
from tests.load.phases import Phase, Result, phases
from tests.load.shown import HEADING, plot, put, section
from tests.load.shown import memory as shown_memory
from tests.load.speed import Speed
from tests.load.watching import Memory

PHASE = Phase("ramp 2/s", ((2.0, 5.0),))
TALLY = Tally(
    sent_at=[0.5 * at for at in range(10)],
    webhook_ms=[float(at) for at in range(1, 11)],
    card_ms=[*(100.0 * at for at in range(1, 9)), 2_500.0, None],
    statuses={"202": 10},
    seconds=9.0,
)
SPENT = {"api 0": 6.0, "worker 3": 50.0, "worker 4": 10.0, "postgres": 12.0}
RESULT = Result(PHASE, TALLY, SPENT, {"api 0": 0.5, "worker 3": 20.0}, others_cores=0.25, client_cores=0.1)


def test_messages_are_due_evenly_at_each_rate() -> None:
    assert _due(((2.0, 1.0), (4.0, 0.5), (1.0, 2.0))) == [0.0, 0.5, 1.0, 1.25, 1.5, 2.5]


def test_an_accepted_message_without_a_card_is_lost_and_a_late_card_is_late() -> None:
    assert (RESULT.lost, RESULT.per_second) == (1, 1.0)
    assert RESULT.in_time == pytest.approx(8 / 9)
    refused = replace(TALLY, statuses={"202": 9, "429": 1})
    assert replace(RESULT, tally=refused).lost == 0


def test_each_core_is_timed_from_the_first_message_on() -> None:
    with Speed() as speed:
        while len(speed.at) < 3:
            time.sleep(0.01)
    found = speed.since(speed.at[1])
    cores = [f"core {core}" for core in os.sched_getaffinity(0)]
    assert [*found] == ["at", *sorted(cores)]
    assert found["at"][0] == 0
    assert all(len(found[core]) == len(found["at"]) == len(speed.at) - 1 and min(found[core]) > 0 for core in cores)


def test_memory_that_grows_is_told_from_memory_that_wobbles() -> None:
    memory = Memory({"grows": 0, "wobbles": 0})
    memory.samples = [(60.0 * at, {"grows": 400 + at / 30, "wobbles": 400 + at % 2}) for at in range(120)]
    slopes = memory.slopes()
    assert slopes["grows"].mb_an_hour == pytest.approx(2.0)
    assert [(each.grows, each.is_flat) for each in slopes.values()] == [(True, False), (False, True)]


def test_what_fills_before_it_settles_is_no_growth() -> None:
    memory = Memory({"fills": 0})
    memory.samples = [(60.0 * at, {"fills": min(400.0 + at, 412.0)}) for at in range(60)]
    assert memory.slopes()["fills"].is_flat


@pytest.mark.parametrize("minutes", [1, 2, 15, 34])
def test_a_short_soak_tells_nothing_and_says_so(minutes: int) -> None:
    soak = Memory({"worker 3": 0})
    soak.samples = [(60.0 * at, {"worker 3": 400.0 + at}) for at in range(minutes + 1)]
    slope = soak.slopes()["worker 3"]
    assert (slope.grows, slope.is_flat) == (False, False)
    told = shown_memory({"soak": {"memory": {"worker 3": vars(slope)}}})
    (line,) = told
    assert line.endswith(f": worker 3 too short to tell ({400 + minutes}).")


def test_steps_make_a_slope_less_certain_than_as_many_independent_samples() -> None:
    even, steps = Memory({"a": 0}), Memory({"a": 0})
    even.samples = [(60.0 * at, {"a": 400.0 + at % 2}) for at in range(80)]
    steps.samples = [(60.0 * at, {"a": 400.0 + at // 10 % 2}) for at in range(80)]
    assert steps.slopes()["a"].error > 2 * even.slopes()["a"].error


def test_a_section_takes_the_place_of_its_older_self_and_no_other(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\nfirst\n\n{HEADING}\n\nold\n\n## Last\n\nkept\n")
    phase = {**RESULT.figures(), "samples_ms": RESULT.cards}
    made = section({"redis": {"title": "Several", "phases": {PHASE.name: phase}}})
    for _ in range(2):
        put(page, HEADING, made)
    told = page.read_text()
    assert told.startswith("# Page\n\nfirst\n\n## Load\n")
    assert told.endswith("\n\n## Last\n\nkept\n")
    assert "old" not in told
    assert "| ramp 2/s | 10 | 1.0 | 500 / 2,500 / 2,500 | 88.9% | 5 / 10 | 0 | 1 | 78 | 0.2 |" in told
    assert "worker 60.0, postgres 12.0, api 6.0" in told


def test_the_plot_grows_with_the_latency() -> None:
    slow = {"card_ms": {"p50": 1_000.0, "p95": 60_000.0}}
    fast = {"card_ms": {"p50": 50.0, "p95": 100.0}}
    _, low, high, _ = plot({"ramp 2/s": fast, "ramp 20/s": slow})
    assert low.count("=") < high.count("=")
    assert (high.count("=") + high.count("-"), high.rstrip().endswith("60,000 ms p95")) == (48, True)


def test_phases_are_those_asked_for() -> None:
    soak, spike = phases(["soak", "spike"], steady=20, seconds=10, minutes=2)
    assert (soak.count, soak.soak) == (720, True)
    assert [rate for rate, _ in spike.rates] == [2.0, 20, 2.0]
