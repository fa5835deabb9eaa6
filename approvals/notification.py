"""Keeps what a messenger shows equal to what is stored: lease, re-read, compare, paint; nothing depends on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from approvals.card import Card
from approvals.card_reading import CardReader
from approvals.messaging import Gone, MessageRef, Messenger, Place, Posted, Throttled, Trouble, Unreachable
from approvals.messenger_routing import MessengerRouting
from approvals.ports import Refused
from db.engine import Database
from db.repositories.messaging import PostedCard
from db.uow import UnitOfWork
from support_agents.domain.approval import RequestStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.events import OutboxEvent
from support_agents.domain.ids import RequestId, WorkspaceId

LEASE = timedelta(seconds=30)
_BUSY = timedelta(milliseconds=300)
_LONGEST_PAUSE, _REFUSED_PAUSE = 60.0, 600.0
_CATCH_UP = 1_000


@dataclass(frozen=True, kw_only=True)
class Notification:
    """One message per request and place. Slack down for an hour loses nothing: the event stays in the outbox."""

    database: Database
    messenger: Messenger
    cards: CardReader
    routing: MessengerRouting

    async def changed(self, event: OutboxEvent) -> None:
        """Paint a request's messages as it stands; the event is closed with the last of them.

        The card is read under the lease, so a later change is told of by an event of its own and painted after this.
        """
        leased = await self._begin(event)
        if not leased:
            return
        async with self.database.read() as uow:
            card = await self.cards.read(uow, RequestId(event.subject))
        if card is None:  # requests are never deleted
            raise SupportError("not_found", "there is no such request")
        shown = [(message, await self._show(card, message)) for message in leased]
        await self._finish(event, card, shown)

    async def catch_up(self, workspace: WorkspaceId) -> int:
        """Have every open request looked at: after a messenger was connected; returns how many."""
        async with self.database.write("catch_up") as uow:
            found = await uow.approvals.open_in(workspace, limit=_CATCH_UP)
            for request in found:
                await uow.outbox.request_changed(request.id, workspace=workspace)
        return len(found)

    async def _begin(self, event: OutboxEvent) -> tuple[PostedCard, ...]:
        """Lease what shows the request, or shall; empty when nothing does, or it has to wait."""
        request = RequestId(event.subject)
        async with self.database.read() as uow:
            known = await uow.posted_cards.of(request)
            wanted = None if known else await self._wanted(uow, request)
        pauses = [self.messenger.pause(MessageRef(Place(each.place), each.ref)) for each in known if each.ref]
        async with self.database.write("lease") as uow:
            if not known and wanted is None:
                await uow.outbox.done(event.id)
                return ()
            if pauses and all(pauses):
                await _postpone(uow, event, timedelta(seconds=max(pauses)))
                return ()
            if wanted is not None:
                await uow.posted_cards.want(event.workspace, request, wanted.id)
            leased = await uow.posted_cards.lease(request, lease=LEASE)
            if leased is None:
                await _postpone(uow, event, _BUSY)
            elif not leased:
                await uow.outbox.done(event.id)
            return leased or ()

    async def _wanted(self, uow: UnitOfWork, request: RequestId) -> Place | None:
        """Where a request that no message shows yet shall be shown, if anywhere."""
        if not self.routing.channels:
            return None
        found = await uow.approvals.get(request)
        if found is None or found.status is not RequestStatus.PENDING:
            return None
        card = await self.cards.read(uow, request)
        return self.routing.place_of(card) if card is not None and self.routing.posts(card) else None

    async def _show(self, card: Card, message: PostedCard) -> Posted | Trouble | None:
        """Paint it unless it shows that already; None also for what was never shown of a card that is over."""
        if message.fingerprint == card.fingerprint or _is_over(card, message):
            return None
        place = Place(message.place)
        if message.ref is None:
            return await self.messenger.post(place, card)
        return await self.messenger.update(MessageRef(place, message.ref), card)

    async def _finish(
        self, event: OutboxEvent, card: Card, shown: Sequence[tuple[PostedCard, Posted | Trouble | None]]
    ) -> None:
        """Store what came of it and close the event, or put it off."""
        async with self.database.write("notified") as uow:
            pauses = [await _store(uow, card, message, answer) for message, answer in shown]
            if any(pauses):
                await _postpone(uow, event, timedelta(seconds=max(pauses)))
            else:
                await uow.outbox.done(event.id)
            if card.claimed_by:
                await _tell_of_its_end(uow, card)


async def _tell_of_its_end(uow: UnitOfWork, card: Card) -> None:
    """A claim that was made before anything showed the card has told nobody when it lapses."""
    claims = await uow.card_claims.on([card.request_id])
    for claim in claims.values():
        await uow.outbox.tell_again(card.request_id, workspace=card.workspace, at=claim.claimed_until)


def _is_over(card: Card, message: PostedCard) -> bool:
    """Whether it was never shown and is not worth showing any more."""
    return message.ref is None and not card.state.decidable


async def _store(uow: UnitOfWork, card: Card, message: PostedCard, answer: Posted | Trouble | None) -> float:
    """Note one answer; return the seconds after which to try again, 0 for not at all."""
    match answer:
        case None:
            if _is_over(card, message):
                await uow.posted_cards.retire(message.id, error="over_before_it_was_shown")
            else:
                await uow.posted_cards.release(message.id)
            return 0.0
        case Posted(ref=ref):
            mine = await uow.posted_cards.rendered(message, ref=ref.id, fingerprint=card.fingerprint)
            return 0.0 if mine else _BUSY.total_seconds()
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
