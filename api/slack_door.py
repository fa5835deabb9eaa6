"""What Slack routes and the socket share: secrets, the installation’s name, the guard against replays; no adapter."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from api.worker.afterwards import Afterwards
from approvals.deliveries import Deliveries
from approvals.interactions import Clicking


@dataclass(frozen=True)
class Background:
    """Something that runs beside the requests."""

    start: Callable[[], Awaitable[None]]
    stop: Callable[[], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class SlackDoor:
    """One Slack app as this installation knows it."""

    secrets: Sequence[SecretStr]
    installation: str
    earlier: Callable[[], Collection[str]] = tuple  # names that it had under an earlier secret key
    deliveries: Deliveries
    clicks: Clicking
    afterwards: Afterwards
    socket: Background | None = None
