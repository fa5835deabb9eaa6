"""Which card goes where, who is called when, and files that are refused."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from approvals.messaging import Place
from approvals.messenger_routing import ChannelRule, Duty, Escalation, MessengerRouting, Which, load_routing
from support_agents.domain.errors import SupportError
from tests.fixtures.cards import card, cards, refund_card

BERLIN = ZoneInfo("Europe/Berlin")
FILE = """
channel: C0RISK
cards: high_risk
rules:
  - {channel: C0MONEY, from_minor: {EUR: 10000, USD: 10000}}
  - {channel: C0DE, languages: [de]}
  - {channel: C0RETURNS, intents: [return_item, exchange_item]}
remind_at_percent: [50, 80]
on_call:
  - {mention: U0BEN, days: [0, 1, 2, 3, 4], from: "09:00", until: "13:00"}
  - {operator: cara@shop.example, from: "13:00", until: "18:00"}
  - {mention: S0WEEKEND, days: [5, 6], on_holidays: true}
escalation: {mention: S0SECOND, channel: C0LEADS, at_percent: 80}
"""


@pytest.fixture
def routing(tmp_path: Path) -> MessengerRouting:
    path = tmp_path / "slack.yaml"
    path.write_text(FILE, encoding="utf-8")
    return load_routing(path)


@pytest.mark.parametrize(
    ("changes", "channel"),
    [
        ({}, "C0RISK"),
        ({"language": "de"}, "C0DE"),
        ({"intent": "exchange_item", "language": "en"}, "C0RETURNS"),
        ({"amount_minor": 10_000, "currency": "EUR", "language": "de"}, "C0MONEY"),
        ({"amount_minor": 9_999, "currency": "EUR"}, "C0RISK"),
        ({"amount_minor": 99_999, "currency": "JPY"}, "C0RISK"),
    ],
)
def test_the_first_rule_that_takes_a_card_names_its_channel(
    routing: MessengerRouting, changes: dict[str, object], channel: str
) -> None:
    assert routing.place_of(card().model_copy(update=changes)) == Place(channel)


def test_channels_get_high_risk_cards_only_unless_told_otherwise(routing: MessengerRouting) -> None:
    everything = routing.model_copy(update={"cards": Which.ALL})
    assert not routing.posts(card())
    assert routing.posts(refund_card())
    assert everything.posts(card())
    assert not everything.posts(cards()["receipt"])
    assert not MessengerRouting(cards=Which.ALL).posts(card())


@pytest.mark.parametrize(
    ("at", "holiday", "called"),
    [
        (datetime(2026, 11, 20, 8, 30, tzinfo=UTC), False, "U0BEN"),
        (datetime(2026, 11, 20, 13, 0, tzinfo=UTC), False, "cara@shop.example"),
        (datetime(2026, 11, 20, 19, 0, tzinfo=UTC), False, None),
        (datetime(2026, 11, 21, 10, 0, tzinfo=UTC), False, "S0WEEKEND"),
        (datetime(2026, 11, 20, 10, 0, tzinfo=UTC), True, "S0WEEKEND"),
    ],
)
def test_who_is_called(routing: MessengerRouting, at: datetime, holiday: bool, called: str | None) -> None:  # noqa: FBT001 - a column of the table
    duty = routing.on_duty(at, BERLIN, holiday=holiday)
    assert (duty and (duty.mention or duty.operator)) == called


@pytest.mark.parametrize(("percent", "share"), [(0, None), (49.9, None), (50, 50), (79.9, 50), (80, 80), (100, 80)])
def test_the_largest_share_that_is_reached(routing: MessengerRouting, percent: float, share: int | None) -> None:
    assert routing.share_reached(percent) == share


def test_the_second_group_is_called_at_its_share(routing: MessengerRouting) -> None:
    assert not routing.escalates(50)
    assert routing.escalates(80)
    assert not routing.model_copy(update={"escalation": Escalation()}).escalates(99)


def test_every_channel_that_is_named(routing: MessengerRouting) -> None:
    assert [place.id for place in routing.channels] == ["C0RISK", "C0MONEY", "C0DE", "C0RETURNS", "C0LEADS"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("channel: [", "not YAML"),
        ("rooms: []", "rooms: Extra inputs"),
        ("remind_at_percent: [80, 50]", "smallest first"),
        ("remind_at_percent: [0]", "remind_at_percent.0"),
        ("on_call: [{from: '09:00'}]", "on_call.0: name either"),
        ("on_call: [{mention: U1, operator: a@b.example}]", "on_call.0: name either"),
        ("rules: [{channel: C1, from_minor: {Euro: 1}}]", "rules.0.from_minor"),
        ("cards: some", "cards: "),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "slack.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SupportError, match=r"slack\.yaml") as refused:
        load_routing(path)
    assert told in refused.value.message


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SupportError, match="SUPPORT_SLACK_ROUTING"):
        load_routing(tmp_path / "none.yaml")


def test_a_rule_without_conditions_takes_everything() -> None:
    assert ChannelRule(channel="C1").takes(refund_card())


def test_a_duty_over_all_days() -> None:
    duty = Duty(mention="U1", days=tuple(range(7)))
    assert duty.holds(datetime(2026, 11, 22, 0, 0, tzinfo=UTC), holiday=False)
