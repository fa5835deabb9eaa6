"""Keeps letters to one recipient within an hour's and a day's number, whatever was approved; it sends nothing."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from approvals.canonical import CanonicalAction, CanonicalReply
from approvals.executors.protocol import (
    Call,
    CannotBeAsked,
    Changed,
    Executor,
    Past,
    Unreachable,
    World,
    require_kind,
)
from approvals.ports import Found, NotNow, Performed
from support_agents.domain.ids import WorkspaceId
from support_agents.domain.ticket import Requester

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# How many letters left for an address within the time that ends now.
Count = Callable[[WorkspaceId, str, timedelta], Awaitable[int]]


@dataclass(frozen=True)
class RecipientBudgetExecutor:
    """A guard against loops between machines: two of them can write to each other faster than people notice."""

    real: Executor
    sent: Count
    per_hour: int
    per_day: int

    @property
    def call_limit(self) -> timedelta:
        """The real one's."""
        return self.real.call_limit

    async def look(self, action: CanonicalAction, requester: Requester) -> World | Changed | Unreachable:
        """More than an hour's number waits, more than a day's goes back to people."""
        reply = require_kind(action, CanonicalReply)
        if await self.sent(reply.workspace, reply.to[0], DAY) >= self.per_day:
            return Changed(f"{self.per_day} letters have gone to this recipient within a day: is a machine answering?")
        if await self.sent(reply.workspace, reply.to[0], HOUR) >= self.per_hour:
            return Unreachable(f"{self.per_hour} letters have gone to this recipient within an hour")
        return await self.real.look(action, requester)

    async def perform(self, action: CanonicalAction, call: Call) -> Performed:
        """Count once more: several may have been looked at side by side."""
        reply = require_kind(action, CanonicalReply)
        if await self.sent(reply.workspace, reply.to[0], HOUR) >= self.per_hour:
            return NotNow(f"{self.per_hour} letters have gone to this recipient within an hour")
        return await self.real.perform(action, call)

    async def find(self, action: CanonicalAction, past: Past) -> Found | CannotBeAsked:
        """Ask the real one."""
        return await self.real.find(action, past)
