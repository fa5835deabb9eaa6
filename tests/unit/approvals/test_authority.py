import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.authority import BUILT_IN, Authority, Nobody, require_not_own, require_role
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import Role
from support_agents.domain.errors import SupportError
from support_agents.domain.money import Money

REFUND, REPLY = ActionKind.ISSUE_REFUND, ActionKind.SEND_REPLY


def eur(minor: int) -> Money:
    return Money(minor=minor, currency="EUR")


@pytest.mark.parametrize(
    ("minor", "needed"),
    [(1, (1, 0)), (10_000, (1, 0)), (10_001, (2, 1)), (100_000, (2, 1))],
)
def test_more_money_needs_more_people(minor: int, needed: tuple[int, int]) -> None:
    found = BUILT_IN.needed(REFUND, eur(minor))
    assert not isinstance(found, Nobody)
    assert (found.approvals, found.managers) == needed


@pytest.mark.parametrize("amount", [eur(100_001), eur(0), eur(-1), Money(minor=5, currency="JPY"), None])
def test_what_no_rule_covers_nobody_approves(amount: Money | None) -> None:
    assert isinstance(BUILT_IN.needed(REFUND, amount), Nobody)


def test_a_reply_needs_one_person_and_money_in_it_nobody_expected() -> None:
    found = BUILT_IN.needed(REPLY, None)
    assert not isinstance(found, Nobody)
    assert (found.approvals, found.managers) == (1, 0)
    assert isinstance(BUILT_IN.needed(REPLY, eur(5)), Nobody)


@given(st.integers(1, 200_000), st.integers(1, 200_000))
def test_a_larger_refund_never_needs_less(one: int, other: int) -> None:
    def weight(minor: int) -> tuple[int, int]:
        needed = BUILT_IN.needed(REFUND, eur(minor))
        return (99, 99) if isinstance(needed, Nobody) else (needed.approvals, needed.managers)

    small, large = sorted((one, other))
    assert weight(small) <= weight(large)


def test_an_empty_table_lets_nobody_do_anything() -> None:
    nothing = Authority(rules=(), daily_limits=())
    assert isinstance(nothing.needed(REPLY, None), Nobody)
    assert nothing.daily_limit(Role.ADMIN, "EUR") == 0


def test_daily_limits_are_per_role_and_currency() -> None:
    assert BUILT_IN.daily_limit(Role.APPROVER, "EUR") < BUILT_IN.daily_limit(Role.MANAGER, "EUR")
    assert BUILT_IN.daily_limit(Role.VIEWER, "EUR") == BUILT_IN.daily_limit(Role.ADMIN, "JPY") == 0


def test_the_table_reads_and_writes_as_a_file_would() -> None:
    assert Authority.model_validate_json(BUILT_IN.model_dump_json()) == BUILT_IN


@pytest.mark.parametrize(
    "theirs", ["anna@example.com", "ANNA@Example.COM", "anna+test@example.com", " anna@example.com."]
)
def test_nobody_approves_what_concerns_their_own_address(theirs: str) -> None:
    with pytest.raises(SupportError) as caught:
        require_not_own("anna@example.com", theirs)
    assert caught.value.code == "not_allowed"
    require_not_own("anna@example.com", "joanna@example.com")


def test_roles_include_the_lesser_ones() -> None:
    require_role(Role.ADMIN, Role.APPROVER)
    with pytest.raises(SupportError):
        require_role(Role.VIEWER, Role.APPROVER)
