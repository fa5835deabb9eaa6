"""A small soak finds nothing, and finds every break that is planted: what cannot fail proves nothing."""

import asyncio
from pathlib import Path

import pytest

from tests.soak import batch, furnishing
from tests.soak.batch import Batch, Tally
from tests.soak.plants import (
    Plant,
    a_blind_retry,
    a_person_who_is_not_told,
    an_execution_that_nobody_calls_for,
    mail_without_its_marker,
    unknown_taken_for_a_no,
)


def soaked(
    url: str, folder: Path, monkeypatch: pytest.MonkeyPatch, plant: Plant | None = None, *, tickets: int = 30
) -> Tally:
    """Furnish a database, plant a break, and run one batch without real kills."""
    monkeypatch.setattr(furnishing, "TICKETS", tickets)
    monkeypatch.setattr(batch, "MOST_ROUNDS", 300)
    asyncio.run(furnishing.furnish(url, folder / "people.jsonl"))
    if plant is not None:
        plant(monkeypatch)
    made = Batch(url, folder, seed=1, kills=0.0)
    tally = asyncio.run(made.run())
    assert made.defects == []
    return tally


def test_nothing_is_unapproved_doubled_or_lost(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tally = soaked(database_url, tmp_path, monkeypatch)
    assert (tally.unapproved, tally.doubled, tally.lost) == ([], [], [])
    assert tally.injected > 20


@pytest.mark.long
@pytest.mark.parametrize(
    ("plant", "kind"),
    [
        (unknown_taken_for_a_no, "lost"),
        (a_blind_retry, "doubled"),
        (mail_without_its_marker, "doubled"),
        (a_person_who_is_not_told, "lost"),
        (an_execution_that_nobody_calls_for, "lost"),
    ],
)
def test_a_planted_break_is_found(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: Plant, kind: str
) -> None:
    tally = soaked(sqlite_url, tmp_path, monkeypatch, plant, tickets=60)
    assert getattr(tally, kind) != []
