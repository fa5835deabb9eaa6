"""Waits until a running server's index is in step with what was stored; it asks, and brings nothing in step itself."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from api.cli.client import Client, running
from api.cli.output import Step
from api.schemas import IndexBody
from api.settings import Settings
from support_agents.domain.errors import SupportError

_GONE, _UNKNOWN = "server_gone", "not_found"


class Ending(StrEnum):
    """How waiting ended, in words for whoever waited."""

    IN_STEP = "the index is in step"
    STILL = "the index is not in step"
    GONE = "the server no longer answers, and its next start brings the index in step"
    UNTOLD = "the server is bringing its index in step"


@dataclass(frozen=True)
class Patience:
    """Seconds: between two looks, for passages to move, and for what is made of them all, which is one long step."""

    pause: float = 1.0
    passages: float = 60.0
    making: float = 600.0


@dataclass
class ServerIndex:
    """The index of a data folder's server; who waits stays with the one that runs, also when it is started anew."""

    settings: Settings
    client: Client

    def look(self) -> IndexBody | None:
        """Return how far it is, None where it was not told this time; blocks the calling thread.

        Raise `server_gone` where no server runs any more, and `not_found` for one of a version that cannot tell.
        """
        try:
            return IndexBody.model_validate(self.client.get("/v1/knowledge/index"))
        except SupportError as error:
            if error.code == _UNKNOWN:
                raise
            found = running(self.settings)
            if found is None:
                raise SupportError(_GONE, "the server no longer answers") from error
            self.client = found
            return None


async def followed(look: Callable[[], IndexBody | None], step: Step, patience: Patience | None = None) -> Ending:
    """Look until the index is in step, or the server is gone, or for long nothing has moved."""
    allowed = patience or Patience()
    last: IndexBody | None = None
    moved, pause = time.monotonic(), allowed.pause / 8
    while True:
        try:
            found = await asyncio.to_thread(look)
        except SupportError as error:
            if error.code not in {_GONE, _UNKNOWN}:
                raise
            return Ending.GONE if error.code == _GONE else Ending.UNTOLD
        if found is not None and found != last:
            last, moved = found, time.monotonic()
            step(found.indexed, found.stored)
            if found.in_step:
                return Ending.IN_STEP
        elif time.monotonic() - moved > (allowed.making if _are_all_there(last) else allowed.passages):
            return Ending.STILL
        await asyncio.sleep(pause)
        pause = min(pause * 2, allowed.pause)


def _are_all_there(last: IndexBody | None) -> bool:
    """Whether the passages are all there, and only what is made of them is not."""
    return last is not None and last.indexed == last.stored and not last.surplus
