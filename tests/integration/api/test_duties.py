"""What each kind of process does by the clock: a process that makes no runs learns nothing of them."""

from pathlib import Path

import pytest

from api.bootstrap import build
from api.choices import Role
from api.settings import load
from api.worker.schedule import Schedule


@pytest.mark.parametrize(
    ("role", "learning"), [(Role.SERVE, {"outliers"}), (Role.WORKER, {"outliers"}), (Role.API, set())]
)
async def test_only_who_makes_runs_learns_what_is_usual_of_them(role: Role, learning: set[str], tmp_path: Path) -> None:
    container = build(load({"data_dir": tmp_path}), role)
    schedule = container.worker._loops["schedule"]
    assert isinstance(schedule, Schedule)
    assert {duty.name for duty in schedule.duties} & {"outliers"} == learning
    for close in container.closing:
        await close()


@pytest.mark.parametrize("role", [Role.SERVE, Role.WORKER, Role.API])
async def test_who_thinks_gives_back_what_it_does_not_use(role: Role, tmp_path: Path) -> None:
    container = build(load({"data_dir": tmp_path}), role)
    schedule = container.worker._loops["schedule"]
    assert isinstance(schedule, Schedule)
    (heap,) = [duty for duty in schedule.duties if duty.name == "heap"]
    await heap.work()
    for close in container.closing:
        await close()
