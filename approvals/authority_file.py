"""Reads `authority.yaml` into an `Authority`; what could be misread is refused by file and rule, never guessed."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from approvals.authority import Authority, Cap, DailyLimit, Per, Rule, SecondFactor, Tier
from approvals.authority_checks import Contradiction, refuse_contradictions
from approvals.currencies import CURRENCIES
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import Role
from support_agents.domain.errors import SupportError
from support_agents.domain.money import exponent

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LONGEST_UNDO = timedelta(hours=1)
# Kinds that move money; each of their rules names a currency and a limit.
MONEY_KINDS = frozenset({ActionKind.ISSUE_REFUND})


def _length(value: object) -> object:
    """`90s`, `10m`, `8h`, `30d` as a length of time."""
    if not isinstance(value, str) or not value[:-1].isdigit() or len(value) > len("1000000s"):
        raise ValueError("write a whole number and a unit, for example 60s, 10m, 8h or 30d")
    if value[-1] not in _UNITS:
        raise ValueError(f"the unit is one of {', '.join(_UNITS)}")
    return timedelta(seconds=int(value[:-1]) * _UNITS[value[-1]])


def _currency(value: object) -> object:
    if value not in CURRENCIES:
        raise ValueError(f"“{value}” is not a currency of ISO 4217")
    return value


def _role(value: object) -> object:
    if value not in set(Role) - {Role.VIEWER}:
        raise ValueError(f"“{value}” is not a role that can approve: approver, manager or admin")
    return value


Length = Annotated[timedelta, BeforeValidator(_length)]
CurrencyCode = Annotated[str, BeforeValidator(_currency)]
ApprovingRole = Annotated[Role, BeforeValidator(_role)]
Amount = Annotated[str, BeforeValidator(str)]
Names = Annotated[tuple[str, ...], Field(min_length=1)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class _RuleEntry(_Entry):
    name: str = Field(min_length=1)
    action: ActionKind
    currency: CurrencyCode | None = None
    over: Amount | None = None
    up_to: Amount | None = None
    tiers: Names | None = None
    approver: ApprovingRole = Role.APPROVER
    approvals: int = Field(ge=1, le=10)
    managers: int = Field(default=0, ge=0)
    time_limit: Length | None = None
    undo: Length | None = None
    slack_max: Amount | None = None
    slack: bool | None = None


class _LimitEntry(_Entry):
    name: str = Field(min_length=1)
    per: Literal["person"] | Per
    role: ApprovingRole | None = None
    currency: CurrencyCode
    amount: Amount
    within: Literal["day"] | Length = "day"
    tiers: Names | None = None


class _TierEntry(_Entry):
    name: str = Field(min_length=1)
    addresses: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()


E = TypeVar("E", bound=_Entry)


def load_authority(path: Path) -> Authority:
    """Read the file whole; every error names the file and the rule or limit."""
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise _invalid(path, "cannot be read") from error
    except yaml.YAMLError as error:
        raise _invalid(path, f"is not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(data, dict):
        raise _invalid(path, "needs `rules` and `limits`")
    unknown = set(data) - {"second_factor", "rules", "limits", "tiers"}
    if unknown:
        raise _invalid(path, f"`{min(map(str, unknown))}` is none of second_factor, rules, limits, tiers")
    try:
        return _authority(path, data)
    except Contradiction as error:
        raise _invalid(path, str(error)) from error


def _authority(path: Path, data: Mapping[str, object]) -> Authority:
    entries = _entries(path, data, "rules", _RuleEntry)
    limits = _entries(path, data, "limits", _LimitEntry)
    if not entries:
        raise _invalid(path, "has no rules: nobody could approve anything")
    authority = Authority(
        rules=tuple(_rule(entry) for entry in entries),
        daily_limits=tuple(_daily(entry) for entry in limits if entry.per == "person"),
        caps=tuple(_cap(entry, entry.per) for entry in limits if entry.per != "person"),
        tiers=tuple(
            Tier(name=t.name, addresses=_folded(t.addresses), domains=_folded(t.domains))
            for t in _entries(path, data, "tiers", _TierEntry)
        ),
        second_factor=_second_factor(path, data),
    )
    starts = {e.name: _minor(e.name, e.over, e.currency) for e in entries if e.over is not None and e.currency}
    refuse_contradictions(authority, starts)
    return authority


def _entries(path: Path, data: Mapping[str, object], section: str, kind: type[E]) -> tuple[E, ...]:
    items = data.get(section) or []
    if not isinstance(items, list):
        raise _invalid(path, f"`{section}` is a list")
    return tuple(_entry(path, section.removesuffix("s"), number, item, kind) for number, item in enumerate(items, 1))


def _entry(path: Path, noun: str, number: int, item: object, kind: type[E]) -> E:
    try:
        return kind.model_validate(item)
    except ValidationError as error:
        first = error.errors()[0]
        name = item.get("name", f"number {number}") if isinstance(item, dict) else f"number {number}"
        field = str(first["loc"][0]) if first["loc"] else noun
        message = first["msg"].removeprefix("Value error, ")
        raise _invalid(path, f"{noun} “{name}”: {field}: {message}") from error


def _rule(entry: _RuleEntry) -> Rule:
    money = entry.action in MONEY_KINDS
    if money and (entry.currency is None or entry.up_to is None):
        raise Contradiction(entry.name, f"{entry.action} moves money: it needs `currency` and `up_to`")
    if money and entry.slack is not None:
        raise Contradiction(entry.name, "for money, say how much may be decided from Slack: `slack_max`")
    if not money and any((entry.currency, entry.up_to, entry.over, entry.slack_max)):
        raise Contradiction(entry.name, f"{entry.action} moves no money: it has no amounts and no currency")
    if entry.managers > entry.approvals:
        raise Contradiction(entry.name, "asks for more managers than approvals")
    if entry.undo is not None and entry.undo > _LONGEST_UNDO:
        raise Contradiction(entry.name, "an undo window is at most an hour")
    if entry.time_limit is not None and not entry.time_limit:
        raise Contradiction(entry.name, "a time limit of nothing lets nobody approve")
    return Rule(
        name=entry.name,
        kind=entry.action,
        currency=entry.currency,
        up_to_minor=_minor(entry.name, entry.up_to, entry.currency) if money else None,
        tiers=entry.tiers or (),
        approver=entry.approver,
        approvals=entry.approvals,
        managers=entry.managers,
        time_limit=entry.time_limit,
        undo=entry.undo,
        slack_max_minor=_minor(entry.name, entry.slack_max, entry.currency) if entry.slack_max else 0,
        # Words may go from Slack unless forbidden; what cannot be taken back only where the rule says so.
        slack=entry.action is ActionKind.SEND_REPLY if entry.slack is None else entry.slack,
    )


def _daily(entry: _LimitEntry) -> DailyLimit:
    if entry.role is None:
        raise Contradiction(entry.name, "a person's limit says for which `role`")
    if entry.within != "day" or entry.tiers:
        raise Contradiction(entry.name, "a person's limit is for one business day and all customers")
    return DailyLimit(role=entry.role, currency=entry.currency, minor=_minor(entry.name, entry.amount, entry.currency))


def _cap(entry: _LimitEntry, per: Per) -> Cap:
    if entry.role is not None:
        raise Contradiction(entry.name, f"a limit per {per} has no role: it holds whoever approves")
    return Cap(
        name=entry.name,
        per=per,
        currency=entry.currency,
        minor=_minor(entry.name, entry.amount, entry.currency),
        within=entry.within if isinstance(entry.within, timedelta) else None,
        tiers=entry.tiers or (),
    )


def _minor(name: str, amount: str | None, currency: str | None) -> int:
    """`100.00` in minor units of the currency, exactly."""
    try:
        minor = Decimal(amount or "") * 10 ** exponent(currency or "")
    except InvalidOperation as error:
        raise Contradiction(name, f"“{amount}” is not an amount") from error
    if not minor.is_finite() or minor != minor.to_integral_value() or not 0 <= minor < 10**15:
        raise Contradiction(name, f"“{amount}” is not an amount of {currency}")
    return int(minor)


def _second_factor(path: Path, data: Mapping[str, object]) -> SecondFactor:
    given = data.get("second_factor", SecondFactor.MONEY)
    if given not in set(SecondFactor):
        raise _invalid(path, f"second_factor: “{given}” is neither money nor enrolled")
    return SecondFactor(str(given))


def _folded(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(value.strip().casefold() for value in values)


def _invalid(path: Path, problem: str) -> SupportError:
    return SupportError("authority_invalid", f"{path}: {problem}")
