"""Reads what pages show from a server that follows the primary, where there is one; no decision rests on it."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import text

from db.engine import Database
from db.uow import UnitOfWork
from support_agents.domain.errors import SupportError

# After how long a replica that was away, or too far behind, is asked again.
AWAY_SECONDS = 10.0
# Seconds behind: none where it has replayed all that it has received, however long nothing has been written. One that
# receives no more – its primary is out of its reach, not of ours – knows of nothing that was written since.
_BEHIND = text(
    "SELECT CASE WHEN NOT pg_is_in_recovery() THEN 0"
    " WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() AND EXISTS (SELECT FROM pg_stat_wal_receiver) THEN 0"
    " ELSE coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 1e9) END"
)


@dataclass
class Reading:
    """Gives out views on the replica, or on the primary: without a replica, while it is away, or to whoever just wrote.

    `longest_behind` is in seconds: a session's writes are shown from the primary for so long, and a replica that is
    further behind is not asked. `warn` is told once each time that the replica is given up for a while.
    """

    primary: Database
    replica: Database | None
    longest_behind: float
    warn: Callable[[str], None]
    now: Callable[[], float] = time.monotonic
    _away_until: float = field(default=float("-inf"), init=False)

    @asynccontextmanager
    async def read(self, *, wrote: bool) -> AsyncIterator[UnitOfWork]:
        """One consistent view that cannot write; `wrote`: the one who asks has just written and must see it."""
        async with AsyncExitStack() as stack:
            uow = None if wrote else await self._from_replica(stack)
            yield await stack.enter_async_context(self.primary.read()) if uow is None else uow

    async def close(self) -> None:
        """Close the replica's connections."""
        if self.replica is not None:
            await self.replica.close()

    async def _from_replica(self, stack: AsyncExitStack) -> UnitOfWork | None:
        if self.replica is None or self.now() < self._away_until:
            return None
        attempt = AsyncExitStack()
        try:
            uow = await attempt.enter_async_context(self.replica.read())
            behind = float((await uow.session.execute(_BEHIND)).scalar_one())
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the primary has the answer
            await attempt.aclose()
            self._give_up(error.code if isinstance(error, SupportError) else type(error).__name__)
            return None
        if behind > self.longest_behind:
            await attempt.aclose()
            self._give_up("behind")
            return None
        stack.push_async_exit(attempt)
        return uow

    def _give_up(self, why: str) -> None:
        self._away_until = self.now() + AWAY_SECONDS
        self.warn(why)
