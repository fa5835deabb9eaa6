"""How often each source may deliver: sliding windows, in this process or in a Redis that all APIs share."""

import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError

from api import logging
from api.settings import Settings
from support_agents.domain.errors import AskedToWaitError

RATE_LIMITED = "rate_limited"
# Zendesk obeys a Retry-After of less than a minute only; a second is the least that can be said.
_LONGEST, _SHORTEST = 59, 1
_STORE_SECONDS = 0.25
_TOO_OFTEN = "This source delivers more often than it may; deliver this again after a while. Nothing of it was kept."

Close = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class RateLimits:
    """Limits by source. A store that cannot be asked refuses nobody: a customer's message weighs more than a count."""

    limits: Mapping[str, RateLimitItem]
    limiter: SlidingWindowCounterRateLimiter
    closing: tuple[Close, ...] = ()

    async def count(self, source: str) -> None:
        """Count one delivery; raise `rate_limited`, with the seconds to wait, when it is one too many."""
        limit = self.limits.get(source)
        if limit is None:
            return
        try:
            if await self.limiter.hit(limit, source):
                return
            again = (await self.limiter.get_window_stats(limit, source)).reset_time - time.time()
        except StorageError as error:
            logging.get().error("rate_limits_uncounted", source=source, error_type=logging.error_type(error))
            return
        seconds = min(_LONGEST, max(_SHORTEST, math.ceil(again)))
        raise AskedToWaitError(RATE_LIMITED, _TOO_OFTEN, seconds=seconds)


def rates_of(settings: Settings) -> RateLimits:
    """Return the limits of the settings; connects to nothing yet."""
    limits = {source: parse(limit) for source, _, limit in (pair.partition("=") for pair in settings.rate_limits)}
    url = _store(settings)
    if not url:
        return RateLimits(limits, SlidingWindowCounterRateLimiter(MemoryStorage()))
    from redis.asyncio import ConnectionPool

    pool = ConnectionPool.from_url(url, socket_timeout=_STORE_SECONDS, socket_connect_timeout=_STORE_SECONDS)
    storage = RedisStorage(
        f"async+{url}",
        wrap_exceptions=True,
        implementation="redispy",
        key_prefix=f"{settings.broker_prefix}.rates",
        connection_pool=pool,  # type: ignore[arg-type] # handed on as it is
    )
    return RateLimits(limits, SlidingWindowCounterRateLimiter(storage), (pool.disconnect,))


def _store(settings: Settings) -> str:
    """The Redis in which all APIs count together, or nothing."""
    given, broker = settings.rate_limits_url, settings.broker_url
    if given is not None:
        return given.get_secret_value()
    found = broker.get_secret_value() if broker is not None else ""
    return found if found.startswith("redis") else ""
