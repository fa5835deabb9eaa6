"""What every executor is: it looks at the world, makes one call, and can ask what became of it; it touches no table."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

from approvals.canonical import CanonicalAction
from approvals.ports import Found, Performed
from support_agents.domain.errors import SupportError
from support_agents.domain.money import Money
from support_agents.domain.ticket import Requester


@dataclass(frozen=True)
class World:
    """The part of the world that an action rests on, at one version; `paid` and `refunded` for refunds only."""

    version: str
    paid: Money | None = None
    refunded: Money | None = None


@dataclass(frozen=True)
class Changed:
    """The world is no longer the one that was approved; the action must not be carried out."""

    reason: str


@dataclass(frozen=True)
class Unreachable:
    """The world could not be looked at; it may work later."""

    reason: str


@dataclass(frozen=True)
class CannotBeAsked:
    """Nobody can tell what became of a call but a person who looks."""

    reason: str


@dataclass(frozen=True)
class Call:
    """One attempt's limits: its key, the world it was started in, and a last question before the point of no return."""

    key: str
    world: str
    mark: Callable[[], Awaitable[bool]]


@dataclass(frozen=True)
class Past:
    """What our own rows tell of an attempt that is in doubt; after a restore they prove nothing."""

    key: str
    marked: bool
    restored: bool


class Executor(Protocol):
    """Carries out one way of acting."""

    @property
    def call_limit(self) -> timedelta:
        """How long a call may take; leases are longer."""
        ...

    async def look(self, action: CanonicalAction, requester: Requester) -> World | Changed | Unreachable:
        """Re-read the world before any transaction."""
        ...

    async def perform(self, action: CanonicalAction, call: Call) -> Performed:
        """Make the call, once; never retried here."""
        ...

    async def find(self, action: CanonicalAction, past: Past) -> Found | CannotBeAsked:
        """Ask, by a strongly consistent read, whether the effect of any attempt at this action exists."""
        ...


A = TypeVar("A", bound=CanonicalAction)


def require_kind(action: CanonicalAction, kind: type[A]) -> A:
    """Return the action as the kind that an executor handles; anything else is a mistake in wiring."""
    if not isinstance(action, kind):
        raise SupportError("wrong_executor", f"{type(action).__name__} was given to another kind's executor")
    return action


def mismatch_of_live(action: CanonicalAction, *, live: bool) -> Changed | None:
    """Refuse to let an action approved for test leave for real, or the other way round."""
    if action.live is live:
        return None
    return Changed("it was approved for " + ("live" if action.live else "test") + ", which this is not")
