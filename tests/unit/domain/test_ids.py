"""Identifiers are UUIDv7 in the order they were made in, those of one millisecond included."""

from uuid import RFC_4122

import pytest

from support_agents.domain.ids import new_id


def test_identifiers_of_one_millisecond_sort_as_they_were_made(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(1_700_000_000_000_000_000, 1_700_000_000_001_000_000, 250))
    monkeypatch.setattr("support_agents.domain.ids.time.time_ns", lambda: next(ticks))
    made = [new_id() for _ in range(4_000)]
    assert made == sorted(made)
    assert {one.int >> 80 for one in made} == {1_700_000_000_000}


def test_an_identifier_is_a_version_7_uuid() -> None:
    made = {new_id() for _ in range(2_000)}
    assert len(made) == 2_000
    assert {(one.version, one.variant) for one in made} == {(7, RFC_4122)}
