"""Whether a well-signed delivery is taken now or asked to come again; what has been acknowledged is never undone."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from api.pressure import Pressure, PressureGauge
from support_agents.domain.errors import AskedToWaitError

OVERLOADED = "overloaded"
# Zendesk obeys a Retry-After of less than a minute only.
_SECONDS = 15
_TOO_MUCH = "More waits than can be answered in time; deliver this again after a while. Nothing of it was kept."

# Counts one delivery of a source; raises `AskedToWaitError` when it is one too many.
Count = Callable[[str], Awaitable[None]]


@dataclass(frozen=True)
class Admission:
    """Asked after the signature was verified, so that a stranger uses up nobody's share, and before anything is kept.

    `retrying` are the sources that deliver again what was refused; from any other a refusal would be a loss.
    """

    pressure: PressureGauge
    retrying: Collection[str]
    count: Count | None = None

    async def ask(self, source: str) -> None:
        """Return if the delivery may be taken; raise `AskedToWaitError` (`overloaded`, `rate_limited`) if not."""
        if self.pressure.level is Pressure.FULL and source in self.retrying:
            raise AskedToWaitError(OVERLOADED, _TOO_MUCH, seconds=_SECONDS)
        if self.count is not None:
            await self.count(source)
