"""Who may approve what, and how many must: a table of rules over role, action, amount, currency and daily total."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from support_agents.domain.action import ActionKind
from support_agents.domain.approval import Role
from support_agents.domain.errors import SupportError
from support_agents.domain.money import Currency, Money

RANK = {Role.VIEWER: 0, Role.APPROVER: 1, Role.MANAGER: 2, Role.ADMIN: 3}


class Rule(BaseModel):
    """Up to this amount in this currency (none for actions without money), so many people, of them so many managers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ActionKind
    currency: Currency | None = None
    up_to_minor: int | None = Field(default=None, ge=0)
    approvals: int = Field(default=1, ge=1)
    managers: int = Field(default=0, ge=0)


class DailyLimit(BaseModel):
    """What one operator of a role may let go in one day and currency, in minor units."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    currency: Currency
    minor: int = Field(ge=0)


@dataclass(frozen=True)
class Needed:
    """How many distinct people must approve, and how many of them must be managers."""

    approvals: int
    managers: int


@dataclass(frozen=True)
class Nobody:
    """No number of people here may approve it; the reason is for the person who takes the ticket."""

    reason: str


class Authority(BaseModel):
    """The whole table; what no rule covers, nobody may approve."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: tuple[Rule, ...]
    daily_limits: tuple[DailyLimit, ...]

    def needed(self, kind: ActionKind, amount: Money | None) -> Needed | Nobody:
        """Return who must approve: of the rules that cover the action, the one with the smallest limit."""
        covering = [rule for rule in self.rules if _covers(rule, kind, amount)]
        if not covering:
            return Nobody(f"nobody here may approve {kind.replace('_', ' ')}" + (f" of {amount}" if amount else ""))
        rule = min(covering, key=lambda rule: rule.up_to_minor or 0)
        return Needed(approvals=max(rule.approvals, rule.managers), managers=rule.managers)

    def daily_limit(self, role: Role, currency: str) -> int:
        """Return what the role may let go in a day, in minor units; nothing unless the table says so."""
        return max((limit.minor for limit in self.daily_limits if (limit.role, limit.currency) == (role, currency)),
                   default=0)  # fmt: skip


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


def _covers(rule: Rule, kind: ActionKind, amount: Money | None) -> bool:
    if rule.kind is not kind:
        return False
    if amount is None:
        return rule.currency is None and rule.up_to_minor is None
    return rule.currency == amount.currency and rule.up_to_minor is not None and 0 < amount.minor <= rule.up_to_minor


def _built_in() -> Authority:
    currencies = ("EUR", "GBP", "USD")
    refunds = ((10_000, 1, 0), (100_000, 2, 1))
    limits = ((Role.APPROVER, 50_000), (Role.MANAGER, 200_000), (Role.ADMIN, 200_000))
    return Authority(
        rules=(
            Rule(kind=ActionKind.SEND_REPLY),
            *(
                Rule(kind=ActionKind.ISSUE_REFUND, currency=c, up_to_minor=limit, approvals=people, managers=managers)
                for c in currencies
                for limit, people, managers in refunds
            ),
        ),
        daily_limits=tuple(
            DailyLimit(role=role, currency=c, minor=minor) for c in currencies for role, minor in limits
        ),
    )


BUILT_IN = _built_in()
