"""A short round of chaos finds nothing, and the books find what is planted: what cannot fail proves nothing."""

import pytest

from tests.chaos.faults import WEIGHTS, plan
from tests.chaos.round import Round
from tests.peers.servers import MissingServerError
from tests.soak.state import BREAKS

# Those that take seconds each are left to the long run.
LONG = ("disk full", "clock behind", "pause worker", "postgres held up", "broker held up", "mail answer lost")


def test_a_plan_meets_every_kind_and_is_the_same_each_time() -> None:
    made = plan(7, faults=60, tickets=500)
    assert made == plan(7, faults=60, tickets=500)
    assert {fault.kind for fault in made} == set(WEIGHTS)
    assert [fault.after for fault in made] == sorted(fault.after for fault in made)
    assert made[-1].after < 500


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("broker", ["redis"])
def test_nothing_is_lost_or_doubled_while_everything_breaks(broker: str) -> None:
    made = Round(seed=3, broker=broker, tickets=30, faults=8, per_second=5, without=LONG)
    try:
        line = made.run(lambda _: None)
    except MissingServerError as missing:
        pytest.skip(f"needs {missing}")
    assert [(kind, line[kind]) for kind in BREAKS if line.get(kind)] == []
    assert line["tickets"] == 30
    assert sum(line["faults"].values()) + sum(line["impossible"].values()) == 8
    assert line["faults"]
