"""Values that an article tells apart: the reply has the one that the message names, or there is none."""

import pytest

from support_agents.wording.addresses import asks_for_address, gives_address
from support_agents.wording.kinds import overlooked

TABLE = "Method: Visa; Days: 3–5\nMethod: PayPal; Days: 1\nPayment by iDEAL or Bancontact: 1–3"


@pytest.mark.parametrize(
    ("told", "said", "missed"),
    [
        ("I paid with iDEAL", "It reaches a card within 3–5 days.", ("ideal",)),
        ("I paid with iDEAL", "It is refunded within 5 days.", ("ideal",)),
        ("I paid with iDEAL", "With iDEAL it takes 1–3 days.", ()),
        ("I paid by Visa", "It is refunded within 5 days.", ()),
        ("I paid by Visa", "A PayPal account has it within 1 day.", ("card",)),
        ("mit PayPal bezahlt", "Auf Ihrer Karte in 3–5 Tagen.", ("paypal",)),
        ("I have a gift card", "A PayPal account has it within 1 day.", ()),
        ("I paid with Klarna", "It reaches a card within 3–5 days.", ()),
        ("That would be ideal", "It reaches a card within 3–5 days.", ()),
    ],
)
def test_what_is_overlooked(told: str, said: str, missed: tuple[str, ...]) -> None:
    assert overlooked(told, said, TABLE) == missed


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("Please send it to Lindenstraße 27, 04177 Leipzig", True),
        ("12 Mill Lane, Leeds LS1 4AB", True),
        ("Oudegracht 12, 3511 AB Utrecht", True),
        ("My order is HW-10423, placed in 2026", False),
        ("I moved to Leipzig", False),
    ],
)
def test_an_address_is_given(text: str, given: bool) -> None:  # noqa: FBT001 - a row of the table
    assert gives_address(text) is given


@pytest.mark.parametrize(
    "said",
    [
        "Please reply to this message with the complete new address.",
        "Bitte antworten Sie mit der vollständigen neuen Adresse.",
        "Responde a este mensaje con la nueva dirección completa.",
        "Répondez à ce message avec la nouvelle adresse complète.",
    ],
)
def test_an_address_is_asked_for(said: str) -> None:
    assert asks_for_address(said)
    assert not asks_for_address("You can change it in your account.")
