import pytest
from hypothesis import given
from hypothesis import strategies as st

from support_agents.screening.pii import mask, unmask

SALT = b"one run"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("anna.smith+shop@mail.example.com", "EMAIL"),
        ("jürgen@müller.example", "EMAIL"),
        ("+49 170 1234567", "PHONE"),
        ("(212) 555-0123", "PHONE"),
        ("0049 30 901820", "PHONE"),
        ("4111 1111 1111 1111", "CARD"),
        ("4111-1111-1111-1111", "CARD"),
        ("378282246310005", "CARD"),
        ("DE89 3704 0044 0532 0130 00", "IBAN"),
        ("GB82WEST12345698765432", "IBAN"),
    ],
)
def test_identifiers_are_masked_and_put_back(value: str, kind: str) -> None:
    masked = mask(f"It is {value}, please.", SALT)
    assert value not in masked.text
    assert f"[{kind}_" in masked.text
    assert unmask(masked.text, masked.restore, only={value}) == f"It is {value}, please."


@pytest.mark.parametrize(
    "text",
    [
        "Order 10023 of 2026-11-22",
        "I paid 1.234.567 once and 49,90 twice",
        "Order ORD-2024-00017",
        "4111 1111 1111 1112 x",
        "on 22.11.2026",
    ],
)
def test_orders_dates_and_amounts_stay(text: str) -> None:
    assert "[CARD_" not in mask(text, SALT).text
    assert "[EMAIL_" not in mask(text, SALT).text
    if "4111" not in text:
        assert mask(text, SALT).text == text


def test_one_value_has_one_placeholder_and_another_run_another() -> None:
    masked = mask("a@b.example and A@b.example and c@d.example", SALT)
    first, _, second, _, third = masked.text.split(" ")
    assert first == second != third
    assert mask("a@b.example", b"another run").text != first


def test_only_what_is_the_customers_own_is_put_back() -> None:
    masked = mask("mine@x.example, theirs@y.example", SALT)
    back = unmask(masked.text, masked.restore, only={"mine@x.example"})
    assert "mine@x.example" in back
    assert "theirs@y.example" not in back


@given(st.text(alphabet=st.sampled_from("a@.b 0123456789+-()DE"), max_size=200))
def test_unmasking_everything_restores_any_text(text: str) -> None:
    masked = mask(text, SALT)
    for placeholder, value in masked.restore.items():
        assert placeholder in masked.text
        assert value in text
    back = unmask(masked.text, masked.restore, only=set(masked.restore.values()))
    assert "".join(back.casefold().split()) == "".join(text.casefold().split())
