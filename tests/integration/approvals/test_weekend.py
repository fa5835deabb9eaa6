"""A weekend costs no card its life: put to people by the real code, looked at by the real expiry, on a moved clock."""

from collections.abc import AsyncIterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from approvals.queue import BATCH
from db.engine import Database
from support_agents.domain.approval import Mode, RequestStatus
from support_agents.domain.ids import DEFAULT_WORKSPACE, RequestId
from tests.fixtures.approvals import REPLY, Shop
from tests.fixtures.inbound import event, facts, message
from tests.soak.clock import MovableClock, make_movable

BERLIN = ZoneInfo("Europe/Berlin")


class Week(Shop):
    """A shop whose database's clock stands where the test says."""

    clock: MovableClock

    def go(self, to: datetime) -> None:
        """Let the database's clock say so."""
        self.clock.move(to - self.clock.now())

    async def card(self, key: str) -> RequestId:
        """A message on a ticket of its own, and the reply that is put to people."""
        ticket = facts().model_copy(update={"external_id": key})
        received = await self.store.receive(event(key, ticket=ticket, said=message("Where is my order?")), b"{}")
        begun, _ = await self.begin(received.ticket_id)
        (request,) = await self.finish(begun, REPLY)
        return request

    async def pending(self) -> int:
        async with self.database.read() as uow:
            return await uow.approvals.count_pending(DEFAULT_WORKSPACE)


@pytest.fixture
async def week(database_url: str) -> AsyncIterator[Week]:
    make_movable(database_url)
    clock = MovableClock(database_url)
    database = clock.install(Database.open(database_url))
    shop = Week(database)
    shop.clock = clock
    await shop.mode(Mode.REPLY)
    yield shop
    await database.close()


def at(friday: datetime, days: int, hour: int) -> datetime:
    """An hour of the wall clock so many days after that Friday."""
    return datetime.combine(friday.date() + timedelta(days=days), time(hour), tzinfo=BERLIN)


@pytest.mark.parametrize("cards", [30, pytest.param(600, marks=pytest.mark.long)])
async def test_from_friday_evening_to_monday_morning_nothing_expires(week: Week, cards: int) -> None:
    today = week.clock.now().astimezone(BERLIN)
    friday = at(today + timedelta(days=(4 - today.weekday()) % 7 + 7), 0, 16)
    made = []
    for number in range(cards):
        half = cards // 2
        # Half within the last two hours of Friday, half from then to Monday's opening.
        late = timedelta(hours=63) * (number - half) / half
        week.go(friday + timedelta(hours=2) * number / half if number < half else at(friday, 0, 18) + late)
        made.append(await week.card(f"w-{number}"))
    moment = at(friday, 0, 18)
    while moment <= at(friday, 3, 9):
        week.go(moment)
        assert await week.queue.expire_due() == 0, moment
        moment += timedelta(hours=3)
    assert await week.pending() == cards
    # Sixteen open hours: those of Friday's end die on Tuesday afternoon, and none before.
    week.go(at(friday, 3, 18))
    assert await week.queue.expire_due() == 0
    week.go(at(friday, 4, 13))
    assert await week.queue.expire_due() == 0
    week.go(at(friday, 4, 17))
    expired = [await week.queue.expire_due() for _ in range(cards // BATCH + 1)]
    assert sum(expired) == cards
    for request in (made[0], made[-1]):
        found = await week.request(request)
        assert found.status is RequestStatus.EXPIRED
        assert "fresh draft" in (await week.needs_person(found.ticket_id) or "")
