"""Who may approve what, how many must, within which limits: a table of rules; it knows no request and nobody's day."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from support_agents.domain.action import ActionKind
from support_agents.domain.approval import Role
from support_agents.domain.errors import SupportError
from support_agents.domain.money import Currency, Money
from support_agents.domain.ticket import Requester

RANK = {Role.VIEWER: 0, Role.APPROVER: 1, Role.MANAGER: 2, Role.ADMIN: 3}
STANDARD = "standard"  # the tier of whoever has no other


class SecondFactor(StrEnum):
    """Whose decisions on money need a second factor proved in the same session, minutes ago."""

    MONEY = "money"  # everybody's
    ENROLLED = "enrolled"  # only of those who have enrolled one


class Per(StrEnum):
    """Whose money a cap adds up."""

    CUSTOMER = "customer"
    ORDER = "order"
    INSTRUMENT = "instrument"


class Part(BaseModel):
    """Base of the table's parts."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(Part):
    """Up to this amount in this currency (none for actions without money), so many people, of them so many managers.

    `slack_max_minor` is the largest amount that may be decided from Slack; without money, `slack` says whether.
    Empty `tiers`: for customers of every tier that no other rule of the action and currency names.
    """

    name: str = ""
    kind: ActionKind
    currency: Currency | None = None
    up_to_minor: int | None = Field(default=None, ge=0)
    tiers: tuple[str, ...] = ()
    approver: Role = Role.APPROVER
    approvals: int = Field(default=1, ge=1)
    managers: int = Field(default=0, ge=0)
    time_limit: timedelta | None = Field(default=None, description="business hours; None: the installation's")
    undo: timedelta | None = Field(default=None, description="None: the installation's")
    slack_max_minor: int = Field(default=0, ge=0)
    slack: bool = True

    def covers(self, kind: ActionKind, amount: Money | None) -> bool:
        """Whether the rule speaks of this action and amount, tiers aside."""
        if self.kind is not kind:
            return False
        if amount is None:
            return self.currency is None and self.up_to_minor is None
        within = self.up_to_minor is not None and 0 < amount.minor <= self.up_to_minor
        return self.currency == amount.currency and within


class DailyLimit(Part):
    """What one operator of a role – or of a higher one without a limit of its own – may let go in one day."""

    role: Role
    currency: Currency
    minor: int = Field(ge=0)


class Cap(Part):
    """What one customer, order or instrument may get back `within` a rolling time; None: in one business day."""

    name: str = ""
    per: Per
    currency: Currency
    minor: int = Field(ge=0)
    within: timedelta | None = None
    tiers: tuple[str, ...] = ()


class Tier(Part):
    """Customers who are treated alike: authenticated addresses and whole domains; the order system may name it too."""

    name: str
    addresses: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()


@dataclass(frozen=True)
class Needed:
    """How many distinct people must approve, how many of them managers, and the rule that says so."""

    approvals: int
    managers: int
    rule: Rule

    @property
    def approver(self) -> Role:
        """The least role that counts at all."""
        return self.rule.approver


@dataclass(frozen=True)
class Nobody:
    """No number of people here may approve it; the reason is for the person who takes the ticket."""

    reason: str


class Authority(Part):
    """The whole table; what no rule covers, nobody may approve."""

    rules: tuple[Rule, ...]
    daily_limits: tuple[DailyLimit, ...]
    caps: tuple[Cap, ...] = ()
    tiers: tuple[Tier, ...] = ()
    second_factor: SecondFactor = SecondFactor.MONEY

    @property
    def version(self) -> str:
        """Names exactly these rules: it changes whenever any of them does."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def rule_for(self, kind: ActionKind, amount: Money | None, tier: str = STANDARD) -> Rule | None:
        """Return the rule with the smallest limit that covers it; rules that name the tier go before all others."""
        named = [rule for rule in self.rules if tier in rule.tiers and _same_money(rule, kind, amount)]
        ladder = named or [rule for rule in self.rules if not rule.tiers]
        covering = [rule for rule in ladder if rule.covers(kind, amount)]
        return min(covering, key=lambda rule: rule.up_to_minor or 0, default=None)

    def needed(self, kind: ActionKind, amount: Money | None, tier: str = STANDARD) -> Needed | Nobody:
        """Return who must approve."""
        rule = self.rule_for(kind, amount, tier)
        if rule is None:
            return Nobody(f"nobody here may approve {kind.replace('_', ' ')}" + (f" of {amount}" if amount else ""))
        managers = rule.approvals if is_manager(rule.approver) else rule.managers
        return Needed(approvals=max(rule.approvals, managers), managers=managers, rule=rule)

    def may_from_slack(self, kind: ActionKind, amount: Money | None, tier: str = STANDARD) -> bool:
        """Whether the action may be decided from Slack at all: with money, only up to the rule's `slack_max_minor`."""
        rule = self.rule_for(kind, amount, tier)
        if rule is None:
            return False
        return rule.slack if amount is None else amount.minor <= rule.slack_max_minor

    def asks_factor(self, kind: ActionKind, *, enrolled: bool) -> bool:
        """Whether a decision in the console or over REST needs a second factor: all but words to a customer do."""
        if kind is ActionKind.SEND_REPLY:
            return False
        return enrolled or self.second_factor is SecondFactor.MONEY

    def daily_limit(self, role: Role, currency: str) -> int:
        """Return what the role may let go in a day, in minor units; nothing unless the table says so."""
        mine = [limit for limit in self.daily_limits if limit.currency == currency and RANK[limit.role] <= RANK[role]]
        return max((limit.minor for limit in mine), default=0)

    def caps_on(self, currency: str, tier: str) -> tuple[Cap, ...]:
        """Every cap that a refund to a customer of this tier must stay within."""
        return tuple(c for c in self.caps if c.currency == currency and (not c.tiers or tier in c.tiers))

    def tier_of(self, requester: Requester, told: str = "") -> str:
        """Return the tier of an authenticated customer: what the order system says, or else their address."""
        if not requester.verified:
            return STANDARD
        address = requester.email.strip().casefold()
        by_address = next((tier.name for tier in self.tiers if _is_of(address, tier)), STANDARD)
        return told if told in {tier.name for tier in self.tiers} else by_address


def require_role(role: Role, least: Role) -> None:
    """Raise `not_allowed` unless `role` includes `least`."""
    if RANK[role] < RANK[least]:
        raise SupportError("not_allowed", f"this needs the role {least}, not {role}")


def is_manager(role: Role) -> bool:
    """Whether the role counts as a manager's."""
    return RANK[role] >= RANK[Role.MANAGER]


def require_not_own(email: str, concerned: str) -> None:
    """Raise `not_allowed` when both addresses reach the same person, tags (`name+tag@`) and case aside."""
    if _mailbox(email) == _mailbox(concerned):
        raise SupportError("not_allowed", "nobody approves what concerns their own address")


def _mailbox(address: str) -> str:
    local, _, domain = address.strip().casefold().rpartition("@")
    return f"{local.partition('+')[0]}@{domain.rstrip('.')}"


def _is_of(address: str, tier: Tier) -> bool:
    return address in tier.addresses or address.rpartition("@")[2] in tier.domains


def _same_money(rule: Rule, kind: ActionKind, amount: Money | None) -> bool:
    return rule.kind is kind and rule.currency == (amount.currency if amount else None)


def _built_in() -> Authority:
    currencies = ("EUR", "GBP", "USD")
    refunds = ((10_000, 1, 0), (100_000, 2, 1))
    limits = ((Role.APPROVER, 50_000), (Role.MANAGER, 200_000))
    return Authority(
        rules=(
            Rule(name="replies", kind=ActionKind.SEND_REPLY),
            *(
                Rule(
                    name=f"refunds up to {limit} {c}", kind=ActionKind.ISSUE_REFUND, currency=c, up_to_minor=limit,
                    approvals=people, managers=managers,
                )
                for c in currencies
                for limit, people, managers in refunds
            ),
        ),
        daily_limits=tuple(
            DailyLimit(role=role, currency=c, minor=minor) for c in currencies for role, minor in limits
        ),
        second_factor=SecondFactor.ENROLLED,
    )  # fmt: skip


BUILT_IN = _built_in()
