"""Fault points: dead unless a test asks for them."""

import pytest

from api.fault_points import boundary_of
from api.settings import Settings, load
from db.engine import no_boundary
from support_agents.domain.errors import SupportError


def test_without_a_fault_point_nothing_happens_at_a_boundary() -> None:
    assert boundary_of(load()) is no_boundary
    assert boundary_of(load({"testing": True})) is no_boundary


def test_a_fault_point_outside_of_tests_is_never_honoured() -> None:
    smuggled = Settings.model_construct(testing=False, fault_point="after:decide")
    assert boundary_of(smuggled) is no_boundary


@pytest.mark.parametrize("point", ["decide", "during:decide", "after:", "after:decide:x"])
def test_a_point_that_names_nothing_is_refused(point: str) -> None:
    with pytest.raises(SupportError, match="fault point"):
        boundary_of(load({"testing": True, "fault_point": point}))


def test_it_kills_this_process_at_the_named_occurrence_only(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr("os.kill", lambda pid, signal: killed.append((pid, signal)))
    boundary = boundary_of(load({"testing": True, "fault_point": "before:execution_result:2"}))
    for side, label in (
        ("before", "decide"),
        ("before", "execution_result"),
        ("after", "execution_result"),
    ):
        boundary(side, label)
    assert killed == []
    boundary("before", "execution_result")
    assert len(killed) == 1
    boundary("before", "execution_result")
    assert len(killed) == 1
