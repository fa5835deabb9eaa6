"""Stands before an executor and does everything but the effect: it looks at the world and calls no provider."""

from dataclasses import dataclass
from datetime import timedelta

from approvals.canonical import CanonicalAction
from approvals.executors.protocol import Call, CannotBeAsked, Changed, Executor, Past, Unreachable, World
from approvals.ports import Absent, Conflict, Found, Performed, Receipt
from support_agents.domain.ticket import Requester

PROOF = "dry run"
REAL = "it was approved to happen, and this is a dry run"


@dataclass(frozen=True)
class DryRunExecutor:
    """`live` is what the way is when it is no dry run; only actions approved as dry runs are taken."""

    inner: Executor
    live: bool

    @property
    def call_limit(self) -> timedelta:
        """As long as the real call may take."""
        return self.inner.call_limit

    async def look(self, action: CanonicalAction, requester: Requester) -> World | Changed | Unreachable:
        """Re-read the world as the real executor would: a dry run shows what would have been in the way."""
        return await self.inner.look(action.model_copy(update={"live": self.live}), requester)

    async def perform(self, action: CanonicalAction, call: Call) -> Performed:
        """Do nothing, and say so in the receipt; what was to happen is told apart for certain, never left in doubt."""
        return Receipt(f"{PROOF} {call.key}") if action.dry_run else Conflict(REAL)

    async def find(self, action: CanonicalAction, past: Past) -> Found | CannotBeAsked:
        """A dry run never has an effect; one that was begun before the dry run is asked about as ever."""
        return Absent() if action.dry_run else await self.inner.find(action, past)


def mismatch_of_dry_run(action: CanonicalAction, executor: Executor) -> Changed | None:
    """Refuse to let an action approved as a dry run leave for real, or the other way round."""
    if action.dry_run is isinstance(executor, DryRunExecutor):
        return None
    return Changed("it was approved as a dry run, which this is not" if action.dry_run else REAL)
