"""Keeps what a messenger shows equal to what is stored: re-read, render, compare, repeat; nothing depends on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from approvals.card import Card
from approvals.card_reading import CardReader
from approvals.messaging import Gone, MessageRef, Messenger, Place, Posted, Throttled, Trouble, Unreachable
from approvals.messenger_routing import MessengerRouting
from approvals.ports import Refused
from db.engine import Database
from db.repositories.messaging import PostedCard
from db.uow import UnitOfWork
from support_agents.domain.events import OutboxEvent
from support_agents.domain.ids import RequestId, WorkspaceId

LEASE = timedelta(seconds=30)
_BUSY = timedelta(milliseconds=300)
_LONGEST_PAUSE, _REFUSED_PAUSE = 60.0, 600.0
_MOST_ROUNDS = 5
_CATCH_UP = 1_000


@dataclass(frozen=True)
class _Work:
    """A card and the messages that do not show it yet; leased."""

    card: Card
    stale: tuple[PostedCard, ...]


@dataclass(frozen=True, kw_only=True)
class Notification:
    """One message per request and place. Slack down for an hour loses nothing: the event stays in the outbox."""

    database: Database
    messenger: Messenger
    cards: CardReader
    routing: MessengerRouting

    async def changed(self, event: OutboxEvent) -> None:
        """Paint a request's messages until they show what is stored; the event is closed with the last of them."""
        for _ in range(_MOST_ROUNDS):
            work = await self._begin(event)
            if work is None:
                return
            answers = [await self._show(work.card, message) for message in work.stale]
            if not await self._finish(event, work, answers) or await self._is_current(work.card):
                return

    async def catch_up(self, workspace: WorkspaceId) -> int:
        """Have every open request looked at: after a messenger was connected; returns how many."""
        async with self.database.write("catch_up") as uow:
            found = await uow.approvals.open_in(workspace, limit=_CATCH_UP)
            for request in found:
                await uow.outbox.request_changed(request.id, workspace=workspace)
        return len(found)

    async def _begin(self, event: OutboxEvent) -> _Work | None:
        """Read, then lease what is to be painted; None when nothing is, or another worker is at it."""
        request = RequestId(event.subject)
        async with self.database.read() as uow:
            card = await self.cards.read(uow, request)
            known = await uow.posted_cards.of(request)
        wanted = card is not None and self.routing.posts(card)
        async with self.database.write("notify") as uow:
            if card is None or not (known or wanted):
                await uow.outbox.done(event.id)
                return None
            if wanted and not known:
                await uow.posted_cards.want(event.workspace, request, self.routing.place_of(card).id)
            leased = await uow.posted_cards.lease(request, lease=LEASE)
            if leased is None:
                await _postpone(uow, event, _BUSY)
                return None
            return await _to_paint(uow, event, card, leased)

    async def _show(self, card: Card, message: PostedCard) -> Posted | Trouble:
        place = Place(message.place)
        if message.ref is None:
            return await self.messenger.post(place, card)
        return await self.messenger.update(MessageRef(place, message.ref), card)

    async def _finish(self, event: OutboxEvent, work: _Work, answers: Sequence[Posted | Trouble]) -> bool:
        """Store what came of it and close the event, or put it off; True when all was shown."""
        async with self.database.write("notified") as uow:
            now = await uow.now()
            pauses = [
                await _store(uow, message, answer, fingerprint=work.card.fingerprint, now=now)
                for message, answer in zip(work.stale, answers, strict=True)
            ]
            if any(pauses):
                await _postpone(uow, event, timedelta(seconds=max(pauses)))
            else:
                await uow.outbox.done(event.id)
            return not any(pauses)

    async def _is_current(self, card: Card) -> bool:
        """Whether the card is still as it was shown. A later change has an event of its own; this only saves time."""
        async with self.database.read() as uow:
            present = await self.cards.read(uow, card.request_id)
        return present is None or present.fingerprint == card.fingerprint


async def _to_paint(uow: UnitOfWork, event: OutboxEvent, card: Card, leased: Sequence[PostedCard]) -> _Work | None:
    """Give back what shows the card already, and what was never shown of a card that is over."""
    stale = []
    for message in leased:
        if message.ref is None and not card.state.decidable:
            await uow.posted_cards.retire(message.id, error="over_before_it_was_shown")
        elif message.fingerprint == card.fingerprint:
            await uow.posted_cards.release(message.id)
        else:
            stale.append(message)
    if not stale:
        await uow.outbox.done(event.id)
        return None
    return _Work(card, tuple(stale))


async def _store(
    uow: UnitOfWork, message: PostedCard, answer: Posted | Trouble, *, fingerprint: str, now: datetime
) -> float:
    """Note one answer; return the seconds after which to try again, 0 for not at all."""
    match answer:
        case Posted(ref=ref):
            await uow.posted_cards.rendered(message.id, ref=ref.id, fingerprint=fingerprint, at=now)
            return 0.0
        case Gone(reason=reason):
            await uow.posted_cards.retire(message.id, error=reason)
            return 0.0
        case Throttled(retry_after=seconds):
            await uow.posted_cards.release(message.id)
            return max(0.1, seconds)
        case Unreachable():
            await uow.posted_cards.failed(message.id, error="unreachable")
            return min(2.0**message.failures, _LONGEST_PAUSE)
        case Refused(code=code):
            await uow.posted_cards.failed(message.id, error=code)
            return _REFUSED_PAUSE


async def _postpone(uow: UnitOfWork, event: OutboxEvent, pause: timedelta) -> None:
    """Close the event and add one for later: tries that the messenger is to blame for are not counted against it."""
    await uow.outbox.done(event.id)
    later = await uow.now() + pause
    await uow.outbox.tell_again(RequestId(event.subject), workspace=event.workspace, at=later)
