"""What was delivered once is not taken again: keys of signatures and events, shared by all processes of a database."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from db.engine import Database
from db.together import Together
from support_agents.domain.ids import DEFAULT_WORKSPACE

# A signed time may lie five minutes ahead and is accepted until five minutes after: ten, and a margin for slow clocks.
SIGNATURE_LIFE = timedelta(minutes=15)
# Slack repeats an unacknowledged event three times within about an hour.
EVENT_LIFE = timedelta(hours=24)


@dataclass(frozen=True)
class _Delivery:
    key: str
    life: timedelta


class Deliveries:
    """Takes each delivery once. Deliveries that arrive during a commit share the next."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._together = Together(self._take)

    async def first(self, key: str, *, life: timedelta = SIGNATURE_LIFE) -> bool:
        """Return True to one caller only, whichever process asks; the answer is durable."""
        return await self._together.do(_Delivery(key, life))

    async def first_event(self, event_id: str) -> bool:
        """As `first`, for an event that Slack sends again – newly signed – when it was not acknowledged."""
        return await self.first(hashlib.sha256(b"event\n" + event_id.encode()).hexdigest(), life=EVENT_LIFE)

    async def forget(self) -> int:
        """Delete what could not be delivered again any more; returns how many."""
        async with self._database.write("slack_forget") as uow:
            return await uow.slack.forget_deliveries()

    async def _take(self, deliveries: Sequence[_Delivery]) -> list[bool]:
        async with self._database.write("slack_delivery", urgent=True) as uow:
            longest = max(delivery.life for delivery in deliveries)
            fresh = set(await uow.slack.take(DEFAULT_WORKSPACE, [d.key for d in deliveries], life=longest))
        firsts = []
        for delivery in deliveries:
            firsts.append(delivery.key in fresh)
            fresh.discard(delivery.key)  # twice in one round: the first of them takes it
        return firsts
