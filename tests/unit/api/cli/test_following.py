"""Waiting for a server's index: how it ends, and that it does."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.cli.client import Client
from api.cli.following import Ending, Patience, ServerIndex, followed
from api.schemas import IndexBody
from api.server_file import RunningServer
from api.settings import load
from support_agents.domain.errors import SupportError

HASTY = Patience(pause=0.001, passages=0.05, making=0.05)
# So impatient that any look at which nothing has moved ends it.
NONE_LEFT = Patience(pause=0.001, passages=0.0, making=0.0)


def at(indexed: int, *, stored: int = 3, surplus: int = 0, steps: int = 0, in_step: bool = False) -> IndexBody:
    return IndexBody(stored=stored, indexed=indexed, surplus=surplus, in_step=in_step, steps=steps)


def told(*answers: IndexBody | SupportError | None) -> Callable[[], IndexBody | None]:
    """Answer in order, and with the last for ever."""
    left: Iterator[IndexBody | SupportError | None] = iter(answers)
    last = answers[-1]

    def look() -> IndexBody | None:
        answer = next(left, last)
        if isinstance(answer, SupportError):
            raise answer
        return answer

    return look


async def test_it_ends_when_the_index_is_in_step_and_shows_the_way_there() -> None:
    shown: list[tuple[int, int]] = []
    look = told(at(0), at(2), at(3), at(3, in_step=True))
    assert await followed(look, lambda *step: shown.append(step), Patience(pause=0.001)) is Ending.IN_STEP
    assert shown == [(0, 3), (2, 3), (3, 3), (3, 3)]


async def test_all_passages_are_not_enough() -> None:
    assert await followed(told(at(3)), lambda *_: None, HASTY) is Ending.STILL


@pytest.mark.parametrize("last", [at(2), at(3, surplus=1), None])
async def test_an_index_that_does_not_move_is_not_waited_for_for_ever(last: IndexBody | None) -> None:
    assert await followed(told(at(1), last), lambda *_: None, HASTY) is Ending.STILL


async def test_what_moves_is_waited_for_however_long_it_takes() -> None:
    moving = [at(0, steps=step) for step in range(50)]
    assert await followed(told(*moving, at(3, in_step=True)), lambda *_: None, NONE_LEFT) is Ending.IN_STEP


async def test_there_is_more_patience_for_the_one_long_step() -> None:
    patient = Patience(pause=0.001, passages=0.0, making=60.0)
    answers = (at(0), at(3), at(3), at(3), at(3), at(3, in_step=True))
    assert await followed(told(*answers), lambda *_: None, patient) is Ending.IN_STEP


@pytest.mark.parametrize(("code", "ending"), [("server_gone", Ending.GONE), ("not_found", Ending.UNTOLD)])
async def test_a_server_that_ends_or_cannot_tell_ends_it(code: str, ending: Ending) -> None:
    assert await followed(told(at(1), SupportError(code, "…")), lambda *_: None, HASTY) is ending


async def test_a_server_that_was_silent_once_is_asked_again() -> None:
    assert await followed(told(at(1), None, at(3, in_step=True)), lambda *_: None) is Ending.IN_STEP


def test_a_server_that_has_left_its_folder_is_gone(tmp_path: Path) -> None:
    nobody = RunningServer(url="http://127.0.0.1:9", pid=1, token="x")
    index = ServerIndex(load({"data_dir": tmp_path}), Client(nobody))
    with pytest.raises(SupportError) as ended:
        index.look()
    assert ended.value.code == "server_gone"
