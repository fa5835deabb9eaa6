"""What each kind of process does by the clock: a process that makes no runs learns nothing of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from api.bootstrap import build
from api.choices import Role
from api.settings import load
from api.worker.schedule import Duty, Schedule


@asynccontextmanager
async def duties(role: Role, folder: Path) -> AsyncIterator[dict[str, Duty]]:
    """What such a process does by the clock, by name; not started."""
    container = build(load({"data_dir": folder}), role)
    schedule = container.worker._loops["schedule"]
    assert isinstance(schedule, Schedule)
    yield {duty.name: duty for duty in schedule.duties}
    for close in container.closing:
        await close()


@pytest.mark.parametrize(
    ("role", "learning"), [(Role.SERVE, {"outliers"}), (Role.WORKER, {"outliers"}), (Role.API, set())]
)
async def test_only_who_makes_runs_learns_what_is_usual_of_them(role: Role, learning: set[str], tmp_path: Path) -> None:
    async with duties(role, tmp_path) as found:
        assert {*found} & {"outliers"} == learning


@pytest.mark.parametrize("role", [Role.SERVE, Role.WORKER, Role.API])
async def test_who_thinks_gives_back_what_it_does_not_use(role: Role, tmp_path: Path) -> None:
    async with duties(role, tmp_path) as found:
        await found["heap"].work()
