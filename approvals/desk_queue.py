"""One person's own queue: what they could decide next, by risk and age, with soft claims; it decides nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from approvals.card import Card, Home, HomeRow
from approvals.card_reading import CardReader
from approvals.desk import CLAIM, mine
from approvals.fitting import Fitting
from approvals.item_lines import first_words
from approvals.ports import Person
from db.engine import Database
from db.read_models.desk import Waiting, count_waiting, held_by, waiting_for
from db.read_models.queue import QueueItem, queue_items
from db.uow import UnitOfWork
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RequestId

_PAGE, _PAGES = 50, 40
_TRIES = 5  # others took what was found, in between
_HOME_ROWS = 15
_HOME_WORDS = 150


@dataclass(frozen=True)
class DeskQueue:
    """`fitting` says what a person may decide from here; the rest is shown but not offered as the next."""

    database: Database
    fitting: Fitting
    cards: CardReader

    async def next(self, person: Person) -> Card | None:
        """Claim the next request for this person and return its card; None when nothing waits.

        Whoever asks again without deciding gets another one, and the first again at the end.
        """
        for _ in range(_TRIES):
            async with self.database.read() as uow:  # a long queue is looked through while others write
                held = await held_by(uow, person.operator_id)
                chosen = await self._choose(uow, person, held)
            if await self._hold(person, chosen, held):
                break
        else:
            return None
        if chosen is None:
            return None
        async with self.database.read() as uow:
            return await self.cards.read(uow, chosen.request)

    async def open(self, person: Person, request_id: RequestId) -> Card:
        """Claim this very request, unless somebody else looks at it, and return its card either way."""
        async with self.database.write("open") as uow:
            request = await mine(uow, person.workspace, request_id)
            until = await uow.now() + CLAIM
            await uow.card_claims.take(person.workspace, request.id, person.operator_id, until=until)
        async with self.database.read() as uow:
            card = await self.cards.read(uow, request_id)
        if card is None:
            raise SupportError("not_found", "there is no such request")
        return card

    async def card(self, person: Person, request_id: RequestId) -> Card:
        """Return a request's card as it stands."""
        async with self.database.read() as uow:
            await mine(uow, person.workspace, request_id)
            card = await self.cards.read(uow, request_id)
        if card is None:
            raise SupportError("not_found", "there is no such request")
        return card

    async def holds(self, person: Person, request_id: RequestId) -> bool:
        """Whether this person took the request from the queue."""
        async with self.database.read() as uow:
            return request_id in await held_by(uow, person.operator_id)

    async def release(self, person: Person, request_id: RequestId) -> None:
        """Let go of a request."""
        async with self.database.write("release") as uow:
            await uow.card_claims.release(person.workspace, request_id, person.operator_id)

    async def home(self, person: Person) -> Home:
        """This person's queue by risk and age."""
        async with self.database.read() as uow:
            waiting = await waiting_for(uow, person.workspace, person.operator_id, limit=_HOME_ROWS)
            total = await count_waiting(uow, person.workspace, person.operator_id)
            items = {item.request.id: item for item in await queue_items(uow, [each.request for each in waiting])}
            operator = await uow.operators.get(person.operator_id)
            rows = [await self._row(uow, each, items[each.request]) for each in waiting if each.request in items]
        return Home(
            name=operator.name if operator else "",
            rows=tuple(rows),
            more=max(0, total - len(rows)),
            waiting=total,
            console_url=f"{self.cards.console_url}/console" if self.cards.console_url else "",
        )

    async def _row(self, uow: UnitOfWork, waiting: Waiting, item: QueueItem) -> HomeRow:
        card = await self.cards.card_of(uow, item)
        return HomeRow(
            request_id=waiting.request,
            headline=card.headline,
            words=first_words(card.words.text, _HOME_WORDS),
            flags=card.flags,
            expires_at=waiting.expires_at,
            claimed_by=waiting.claimed_by,
        )

    async def _choose(self, uow: UnitOfWork, person: Person, held: Sequence[RequestId]) -> Waiting | None:
        """The first that fits and is not held already; else the first of those held. A page of the queue at a time."""
        operator = await uow.operators.get(person.operator_id)
        kept: list[Waiting] = []
        for page in range(_PAGES):
            found = await waiting_for(uow, person.workspace, person.operator_id, limit=_PAGE, offset=page * _PAGE)
            kept += [each for each in found if each.request in held]
            candidates = [each for each in found if each.request not in held]
            if len(found) < _PAGE:
                candidates += kept
            for each in candidates:
                if await self.fitting.fits(uow, person, operator, each):
                    return each
            if len(found) < _PAGE:
                break
        return None

    async def _hold(self, person: Person, chosen: Waiting | None, held: Sequence[RequestId]) -> bool:
        """Claim what was chosen and let go of the rest; False if somebody else was first."""
        async with self.database.write("next") as uow:
            until = await uow.now() + CLAIM
            if chosen is not None and not await uow.card_claims.take(
                person.workspace, chosen.request, person.operator_id, until=until
            ):
                return False
            for other in held:
                if chosen is None or other != chosen.request:
                    await uow.card_claims.release(person.workspace, other, person.operator_id)
            return True
