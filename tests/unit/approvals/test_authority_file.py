"""`authority.yaml`: what it may say, and that whatever could be misread is refused by file and rule."""

from datetime import timedelta
from pathlib import Path

import pytest

from api.demo import shop
from approvals.authority import BUILT_IN, Authority, Needed, SecondFactor
from approvals.authority_file import load_authority
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import Role
from support_agents.domain.errors import SupportError
from support_agents.domain.money import Money
from support_agents.domain.ticket import Requester

REFUND, REPLY = ActionKind.ISSUE_REFUND, ActionKind.SEND_REPLY
GOOD = """
tiers:
  - {name: gold, addresses: [Max@Example.com], domains: [vip.example]}
rules:
  - {name: words, action: send_reply, approvals: 1}
  - {name: small, action: issue_refund, currency: EUR, up_to: 50.00, approvals: 1, slack_max: 20, undo: 90s}
  - {name: large, action: issue_refund, currency: EUR, over: 50, up_to: "200", approvals: 2, managers: 1,
     time_limit: 4h}
  - {name: gold, action: issue_refund, currency: EUR, up_to: 100.00, approvals: 1, tiers: [gold]}
  - {name: yen, action: issue_refund, currency: JPY, up_to: 5000, approvals: 1}
limits:
  - {name: a, per: person, role: approver, currency: EUR, amount: 300}
  - {name: b, per: person, role: manager, currency: JPY, amount: 9000}
  - {name: c, per: customer, currency: EUR, amount: 400, within: 30d}
  - {name: d, per: order, currency: EUR, amount: 200}
"""


def load(folder: Path, text: str) -> Authority:
    path = folder / "authority.yaml"
    path.write_text(text, encoding="utf-8")
    return load_authority(path)


def needed(authority: Authority, minor: int, tier: str = "standard", currency: str = "EUR") -> Needed:
    found = authority.needed(REFUND, Money(minor=minor, currency=currency), tier)
    assert isinstance(found, Needed)
    return found


@pytest.mark.parametrize("kind", [ActionKind.CANCEL_ORDER, ActionKind.REPLACE_ORDER, ActionKind.DELETE_RECORD])
def test_a_step_is_for_nobody_unless_a_rule_without_amounts_names_it(tmp_path: Path, kind: ActionKind) -> None:
    assert not isinstance(BUILT_IN.needed(kind, None), Needed)
    assert not isinstance(load(tmp_path, GOOD).needed(kind, None), Needed)
    limits = GOOD.index("limits:")
    rule = f"  - {{name: step, action: {kind}, approvals: 2, managers: 1}}\n"
    table = load(tmp_path, GOOD[:limits] + rule + GOOD[limits:])
    found = table.needed(kind, None)
    assert isinstance(found, Needed)
    assert (found.approvals, found.managers) == (2, 1)
    assert not table.may_from_slack(kind, None)
    assert table.asks_factor(kind, enrolled=False)
    with pytest.raises(SupportError, match="moves no money"):
        load(tmp_path, GOOD[:limits] + rule.replace("approvals", "currency: EUR, up_to: 5, approvals") + GOOD[limits:])


def test_a_file_says_what_it_says(tmp_path: Path) -> None:
    table = load(tmp_path, GOOD)
    assert [needed(table, minor).rule.name for minor in (1, 5_000, 5_001, 20_000)] == [
        "small", "small", "large", "large",
    ]  # fmt: skip
    assert (needed(table, 6_000).approvals, needed(table, 6_000).managers) == (2, 1)
    assert needed(table, 9_000, "gold").rule.name == "gold"
    assert not isinstance(table.needed(REFUND, Money(minor=15_000, currency="EUR"), "gold"), Needed)
    assert needed(table, 5_000, currency="JPY").rule.up_to_minor == 5_000
    assert needed(table, 10).rule.undo == timedelta(seconds=90)
    assert needed(table, 6_000).rule.time_limit == timedelta(hours=4)
    assert table.second_factor is SecondFactor.MONEY
    assert [table.daily_limit(role, "JPY") for role in (Role.APPROVER, Role.MANAGER, Role.ADMIN)] == [0, 9_000, 9_000]
    assert {cap.per: cap.within for cap in table.caps} == {"customer": timedelta(days=30), "order": None}


def test_slack_goes_as_far_as_the_file_says(tmp_path: Path) -> None:
    table = load(tmp_path, GOOD)
    assert [table.may_from_slack(REFUND, Money(minor=m, currency="EUR")) for m in (2_000, 2_001)] == [True, False]
    assert table.may_from_slack(REPLY, None)
    assert not load(tmp_path, GOOD.replace("send_reply, ", "send_reply, slack: false, ")).may_from_slack(REPLY, None)


def test_only_an_authenticated_address_has_a_tier(tmp_path: Path) -> None:
    table = load(tmp_path, GOOD)
    told = {
        ("max@example.com", True, ""): "gold",
        ("eve@VIP.example", True, ""): "gold",
        ("max@example.com", False, "gold"): "standard",
        ("eve@notvip.example", True, ""): "standard",
        ("eve@notvip.example", True, "gold"): "gold",
        ("eve@notvip.example", True, "platinum"): "standard",
    }
    for (email, verified, said), tier in told.items():
        assert table.tier_of(Requester(email=email, verified=verified), said) == tier, email


def test_the_version_names_the_rules_and_not_the_comments(tmp_path: Path) -> None:
    first = load(tmp_path, GOOD).version
    assert load(tmp_path, "# a comment\n" + GOOD).version == first
    assert load(tmp_path, GOOD.replace("amount: 300", "amount: 301")).version != first
    assert BUILT_IN.version not in {first, ""}


WRONG = {
    "no rules": ("rules: []", "has no rules"),
    "nothing": ("", "needs `rules`"),
    "not yaml": ("rules: [", "is not YAML"),
    "an unknown section": (GOOD + "\nextra: 1", "`extra`"),
    "an unknown word": (GOOD.replace("undo: 90s", "undoo: 90s"), "rule “small”: undoo"),
    "an unknown action": (GOOD.replace("action: send_reply", "action: send_money"), "rule “words”: action"),
    "an unknown role": (GOOD.replace("role: approver", "role: boss"), "limit “a”: role: “boss”"),
    "a viewer who approves": (GOOD.replace("role: approver", "role: viewer"), "limit “a”: role"),
    "an unknown currency": (GOOD.replace("currency: JPY, up", "currency: XXQ, up"), "rule “yen”: currency: “XXQ”"),
    "an unknown tier": (GOOD.replace("tiers: [gold]", "tiers: [silver]"), "“gold”: names the tier silver"),
    "more managers than approvals": (GOOD.replace("approvals: 2, managers: 1", "approvals: 1, managers: 2"), "“large”"),
    "nobody": (GOOD.replace("send_reply, approvals: 1", "send_reply, approvals: 0"), "rule “words”: approvals"),
    "money without a limit": (GOOD.replace("up_to: 5000, ", ""), "“yen”: issue_refund moves money"),
    "money in words": (GOOD.replace("send_reply, ", "send_reply, up_to: 5, "), "“words”: send_reply moves no money"),
    "the same limit twice": (GOOD.replace('"200"', "50"), "“large”: covers the same as “small”"),
    "a gap": (GOOD.replace("over: 50,", "over: 60,"), "“large”: leaves a gap to “small”"),
    "an overlap": (GOOD.replace("over: 50,", "over: 40,"), "“large”: overlaps “small”"),
    "a gap at the bottom": (GOOD.replace("up_to: 5000", "over: 10, up_to: 5000"), "“yen”: leaves a gap"),
    "more money for less": (
        GOOD.replace("up_to: 50.00, approvals: 1", "up_to: 50.00, approvals: 3"),
        "“large”: covers more than “small”",
    ),
    "slack beyond the rule": (GOOD.replace("slack_max: 20", "slack_max: 51"), "“small”: `slack_max`"),
    "a name twice": (GOOD.replace("name: large", "name: small"), "“small”: this name stands twice"),
    "part of a cent": (GOOD.replace("up_to: 50.00", "up_to: 50.001"), "“small”: “50.001” is not an amount of EUR"),
    "part of a yen": (GOOD.replace("up_to: 5000", "up_to: 5000.5"), "“yen”"),
    "not a number": (GOOD.replace("amount: 300", "amount: many"), "“a”: “many”"),
    "minus": (GOOD.replace("amount: 300", "amount: -1"), "“a”: “-1”"),
    "infinity": (GOOD.replace("amount: 300", "amount: .inf"), "“a”: “inf”"),
    "a length without a unit": (GOOD.replace("30d", "30"), "limit “c”: within"),
    "a person without a role": (GOOD.replace("role: approver, ", ""), "“a”: a person's limit says"),
    "an order with a role": (GOOD.replace("per: order", "per: order, role: admin"), "“d”: a limit per order"),
    "a limit on nothing": (GOOD.replace("per: order, currency: EUR", "per: order, currency: CHF"), "“d”: no rule"),
    "no daily limit that reaches": (GOOD.replace("amount: 300", "amount: 199"), "“large”: goes further"),
    "a rule that no limit lets through": (GOOD.replace("amount: 200", "amount: 50"), "“large”: can never be used"),
    "a manager with less": (
        GOOD.replace("role: manager, currency: JPY", "role: manager, currency: EUR, amount: 200}\n  - {name: f, "
                     "per: person, role: approver, currency: JPY"),
        "less than what a lower role",
    ),
    "an undo window of a day": (GOOD.replace("undo: 90s", "undo: 1d"), "“small”: an undo window"),
    "a factor nobody knows": ("second_factor: none\n" + GOOD, "second_factor: “none”"),
    "a customer in two tiers": (
        GOOD.replace("rules:", "  - {name: blue, domains: [vip.example]}\nrules:"),
        "“blue”: vip.example is in the tier gold",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_could_be_misread_is_refused_by_file_and_rule(tmp_path: Path, what: str) -> None:
    text, told = WRONG[what]
    with pytest.raises(SupportError) as caught:
        load(tmp_path, text)
    assert caught.value.code == "authority_invalid"
    assert "authority.yaml: " in caught.value.message
    assert told in caught.value.message


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SupportError, match=r"nowhere\.yaml: cannot be read"):
        load_authority(tmp_path / "nowhere.yaml")


def test_the_demo_shops_file_is_good() -> None:
    table = load_authority(shop.AUTHORITY)
    assert needed(table, 10_000).approvals == 1
    assert (needed(table, 10_001).approvals, needed(table, 10_001).managers) == (2, 1)
    assert needed(table, 50_000, "trade").managers == 1
    assert table.second_factor is SecondFactor.ENROLLED
