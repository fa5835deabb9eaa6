import pytest
from hypothesis import given
from hypothesis import strategies as st

from support_agents.wording.values import ValueKind, unconfirmed, values_in


@pytest.mark.parametrize(
    ("stated", "support"),
    [
        ("within 30 days", "within thirty days"),
        ("a 30-day period", "30 days of delivery"),
        ("€49.90", "49,90 €"),
        ("49.90 EUR", "€49.90"),
        ("£5", "5 pounds"),
        ("10 %", "10% off"),
        ("on 18 November", "2026-11-18"),
        ("am 18. November", "18 November 2026"),
        ("el 18 de noviembre de 2026", "2026-11-18"),
        ("le 1er novembre", "1 November 2026"),
        ("November 3rd, 2026", "03.11.2026"),
        ("1,000 mm", "1000 mm"),
        ("before 9:00", "before 09:00"),
        ("see https://x.example/track.", "https://x.example/track"),
        ("order hw-10423", "HW-10423"),
        ("call +44 20 7946 0142", "+442079460142"),
    ],
)
def test_a_value_is_confirmed_in_any_notation(stated: str, support: str) -> None:
    assert unconfirmed(values_in(stated), values_in(support)) == ()


@pytest.mark.parametrize(
    ("stated", "support"),
    [
        ("within 31 days", "within thirty days"),
        ("€49.90", "£49.90"),
        ("€49.90", "49.90"),
        ("20 %", "20 days"),
        ("on 19 November", "2026-11-18"),
        ("on 18 November 2027", "18 November 2026"),
        ("on 18 November 2026", "18 November"),
        ("https://evil.example/track", "https://x.example/track"),
        ("order HW-10424", "HW-10423"),
        ("five days", "three days"),
        ("write to a@b.example", "write to c@b.example"),
    ],
)
def test_another_value_is_not_confirmed(stated: str, support: str) -> None:
    assert unconfirmed(values_in(stated), values_in(support)) != ()


def test_every_kind_is_found_once_and_in_order() -> None:
    text = "On 5 May we take 3 of 10 %, €4.50, at 14:00, code WELCOME10, see https://a.example or a@b.example."
    kinds = [value.kind for value in values_in(text)]
    assert kinds == [
        ValueKind.DATE,
        ValueKind.NUMBER,
        ValueKind.PERCENT,
        ValueKind.AMOUNT,
        ValueKind.TIME,
        ValueKind.CODE,
        ValueKind.URL,
        ValueKind.EMAIL,
    ]


@given(st.text(max_size=200))
def test_a_text_always_confirms_itself(text: str) -> None:
    values = values_in(text)
    assert unconfirmed(values, values) == ()


@given(st.integers(min_value=0, max_value=10**9), st.integers(min_value=0, max_value=10**9))
def test_only_equal_numbers_confirm_each_other(left: int, right: int) -> None:
    missing = unconfirmed(values_in(f"{left:,} items"), values_in(f"{right} items"))
    assert (missing == ()) is (left == right)
