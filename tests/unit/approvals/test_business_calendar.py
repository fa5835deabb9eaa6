"""Public holidays are closed days, and a weekend costs no card its life."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals.business_calendar import closed_days
from approvals.business_hours import BusinessHours
from approvals.messenger_routing import Escalation, MessengerRouting
from approvals.reminders import due_of, grouped
from db.read_models.notices import Waiting
from support_agents.domain.action import ActionKind
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RequestId, new_id

BERLIN = ZoneInfo("Europe/Berlin")
HOURS = BusinessHours(BERLIN, closed_on=closed_days("DE-BE", today=date(2026, 11, 20)))
LIMIT = timedelta(hours=16)
FRIDAY_NOON = datetime(2026, 11, 20, 12, 0, tzinfo=BERLIN).astimezone(UTC)
FRIDAY_CLOSING = datetime(2026, 11, 20, 18, 0, tzinfo=BERLIN).astimezone(UTC)
MONDAY_OPENING = datetime(2026, 11, 23, 9, 0, tzinfo=BERLIN).astimezone(UTC)
ROUTING = MessengerRouting(channel="C1", escalation=Escalation(mention="S0SECOND"))


def waiting(created_at: datetime, place: str = "C1") -> Waiting:
    until = HOURS.after(created_at, LIMIT)
    return Waiting(RequestId(new_id()), ActionKind.SEND_REPLY, "My order", created_at, until, place)


def test_a_weekend_kills_no_card_and_calls_nobody() -> None:
    """600 cards: half came in on Friday, half on the weekend."""
    friday = [waiting(FRIDAY_NOON + timedelta(seconds=72 * at)) for at in range(300)]
    weekend = [waiting(FRIDAY_CLOSING + timedelta(minutes=12 * at)) for at in range(300)]
    cards = [*friday, *weekend]
    assert min(card.expires_at for card in cards) > MONDAY_OPENING
    moment = FRIDAY_CLOSING
    before = {each.key for each in due_of(cards, ROUTING, HOURS, FRIDAY_CLOSING)}
    while moment <= MONDAY_OPENING:
        assert {each.key for each in due_of(cards, ROUTING, HOURS, moment)} == before
        assert HOURS.is_open(moment) == (moment == MONDAY_OPENING)
        moment += timedelta(minutes=30)
    assert {card.expires_at for card in weekend} == {MONDAY_OPENING + timedelta(hours=9 + 15 + 7)}


def test_a_reminder_is_due_at_half_the_business_hours() -> None:
    card = waiting(FRIDAY_NOON)  # 6 h are left of Friday, the 8th is Monday's second
    half = MONDAY_OPENING + timedelta(hours=2)
    assert due_of([card], ROUTING, HOURS, half - timedelta(minutes=1)) == ()
    assert [each.share for each in due_of([card], ROUTING, HOURS, half)] == [50]
    late = MONDAY_OPENING + timedelta(hours=6, minutes=48)
    assert [each.share for each in due_of([card], ROUTING, HOURS, late)] == [80]
    assert due_of([card], ROUTING, HOURS, card.expires_at) == ()


def test_reminders_are_grouped_by_place_and_share() -> None:
    cards = [waiting(FRIDAY_NOON) for _ in range(600)]
    due = due_of(cards, ROUTING, HOURS, MONDAY_OPENING + timedelta(hours=3))
    groups = grouped(due, ROUTING)
    assert {key: len(group) for key, group in groups.items()} == {("C1", 50): 600}


def test_holidays_are_closed() -> None:
    assert date(2026, 12, 25) in HOURS.closed_on
    assert date(2026, 3, 8) in HOURS.closed_on  # Berlin's own
    assert date(2026, 3, 8) not in closed_days("DE", today=date(2026, 1, 1))
    christmas_eve = datetime(2026, 12, 24, 17, 0, tzinfo=BERLIN).astimezone(UTC)
    assert HOURS.after(christmas_eve, timedelta(hours=2)) == datetime(2026, 12, 28, 9, 0, tzinfo=UTC)
    assert HOURS.is_holiday(datetime(2026, 12, 25, 12, 0, tzinfo=UTC))


def test_no_region_has_no_holidays() -> None:
    assert closed_days("", today=date(2026, 1, 1)) == frozenset()


@pytest.mark.parametrize("region", ["XX", "DE-ZZ", "Germany?"])
def test_an_unknown_region_is_refused(region: str) -> None:
    with pytest.raises(SupportError, match="SUPPORT_BUSINESS_HOLIDAYS"):
        closed_days(region, today=date(2026, 1, 1))


MOMENTS = st.integers(0, 730 * 1_440).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))


@settings(deadline=None)
@given(MOMENTS, st.timedeltas(timedelta(minutes=1), timedelta(hours=200)))
def test_open_time_is_what_a_limit_counts(start: datetime, limit: timedelta) -> None:
    assert HOURS.open_between(start, HOURS.after(start, limit)) == limit


@settings(deadline=None)
@given(MOMENTS, MOMENTS)
def test_open_time_never_exceeds_time(one: datetime, other: datetime) -> None:
    start, end = sorted((one, other))
    assert timedelta() <= HOURS.open_between(start, end) <= end - start
