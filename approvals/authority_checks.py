"""What an authority table must not hold: overlaps that disagree, gaps, rules nobody could use; it repairs nothing."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from approvals.authority import RANK, STANDARD, Authority, Cap, Rule
from support_agents.domain.approval import Role


class Contradiction(ValueError):  # noqa: N818 - it is about a file, not about us
    """A rule or limit that contradicts itself or another one; the message names it."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"“{name}”: {problem}")


def refuse_contradictions(authority: Authority, starts: Mapping[str, int]) -> None:
    """Raise the first contradiction; `starts` are the lower bounds that rules state, in minor units."""
    _refuse_same_names(authority)
    _refuse_unknown_tiers(authority)
    for ladder in _ladders(authority):
        _refuse_ladder(ladder, starts)
    _refuse_limits(authority)
    for rule in authority.rules:
        _refuse_unusable(authority, rule)


def _refuse_same_names(authority: Authority) -> None:
    of_rules = [rule.name for rule in authority.rules]
    of_caps, of_tiers = [cap.name for cap in authority.caps], [tier.name for tier in authority.tiers]
    for names in (of_rules, of_caps, of_tiers):
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise Contradiction(twice, "this name stands twice")


def _refuse_unknown_tiers(authority: Authority) -> None:
    known = {tier.name for tier in authority.tiers} | {STANDARD}
    parts: tuple[Rule | Cap, ...] = (*authority.rules, *authority.caps)
    for part in parts:
        unknown = [tier for tier in part.tiers if tier not in known]
        if unknown:
            raise Contradiction(part.name, f"names the tier {unknown[0]}, which `tiers` does not have")
    owners: dict[str, str] = {}
    for tier in authority.tiers:
        for whose in (*tier.addresses, *tier.domains):
            if owners.setdefault(whose, tier.name) != tier.name:
                raise Contradiction(tier.name, f"{whose} is in the tier {owners[whose]} already")


def _ladders(authority: Authority) -> Sequence[list[Rule]]:
    """Rules that follow one another: of one action, currency and tier, the smallest limit first."""
    found: dict[tuple[str, str | None, str], list[Rule]] = {}
    for rule in authority.rules:
        for tier in rule.tiers or ("",):
            found.setdefault((rule.kind, rule.currency, tier), []).append(rule)
    return [sorted(ladder, key=lambda rule: rule.up_to_minor or 0) for ladder in found.values()]


def _refuse_ladder(ladder: list[Rule], starts: Mapping[str, int]) -> None:
    first = ladder[0]
    if starts.get(first.name, 0) > 0:
        raise Contradiction(first.name, "leaves a gap: no rule covers what is below `over`")
    for rule in ladder:
        if rule.up_to_minor == 0:
            raise Contradiction(rule.name, "`up_to` of nothing covers nothing")
        if rule.slack_max_minor > (rule.up_to_minor or 0):
            raise Contradiction(rule.name, "`slack_max` is more than `up_to`")
    for smaller, larger in pairwise(ladder):
        if smaller.up_to_minor == larger.up_to_minor:
            raise Contradiction(larger.name, f"covers the same as “{smaller.name}”")
        start = starts.get(larger.name, smaller.up_to_minor)
        if start != smaller.up_to_minor:
            gap = (start or 0) > (smaller.up_to_minor or 0)
            raise Contradiction(larger.name, f"{'leaves a gap to' if gap else 'overlaps'} “{smaller.name}”")
        if any(more < less for less, more in zip(_weight(smaller), _weight(larger), strict=True)):
            raise Contradiction(larger.name, f"covers more than “{smaller.name}” and asks for less")


def _weight(rule: Rule) -> tuple[int, int, int]:
    return rule.approvals, rule.managers, RANK[rule.approver]


def _refuse_limits(authority: Authority) -> None:
    currencies = {rule.currency for rule in authority.rules}
    keys: set[tuple[object, ...]] = set()
    for cap in authority.caps:
        key = (cap.per, cap.currency, cap.within, cap.tiers)
        if key in keys:
            raise Contradiction(cap.name, "limits the same as another limit")
        keys.add(key)
        if cap.currency not in currencies:
            raise Contradiction(cap.name, f"no rule is about {cap.currency}")
    by_role: dict[tuple[Role, str], int] = {}
    for limit in authority.daily_limits:
        name = f"{limit.role} per day in {limit.currency}"
        if limit.currency not in currencies:
            raise Contradiction(name, f"no rule is about {limit.currency}")
        if by_role.setdefault((limit.role, limit.currency), limit.minor) != limit.minor or (
            sum(other == limit for other in authority.daily_limits) > 1
        ):
            raise Contradiction(name, "stands twice")
        if limit.minor < authority.daily_limit(limit.role, limit.currency):
            raise Contradiction(name, "is less than what a lower role may let go")


def _refuse_unusable(authority: Authority, rule: Rule) -> None:
    """A rule whose whole range lies above what limits allow reads as permission and never is one."""
    if rule.currency is None or rule.up_to_minor is None:
        return
    if authority.daily_limit(Role.ADMIN, rule.currency) < rule.up_to_minor:
        raise Contradiction(rule.name, "goes further than anybody's daily limit in this currency")
    below = max((r.up_to_minor or 0 for r in authority.rules if _is_below(r, rule)), default=0)
    for cap in authority.caps:
        if cap.currency == rule.currency and cap.minor <= below and _meets(cap, rule):
            raise Contradiction(rule.name, f"can never be used: “{cap.name}” allows less")


def _is_below(other: Rule, rule: Rule) -> bool:
    same = (other.kind, other.currency, other.tiers) == (rule.kind, rule.currency, rule.tiers)
    return same and (other.up_to_minor or 0) < (rule.up_to_minor or 0)


def _meets(cap: Cap, rule: Rule) -> bool:
    """Whether the cap holds for everybody whom the rule is about."""
    return not cap.tiers or (bool(rule.tiers) and set(rule.tiers) <= set(cap.tiers))
