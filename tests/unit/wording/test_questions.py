"""What kind of answer a question wants, and a sentence said as the answer yes."""

import pytest

from support_agents.wording.questions import affirmed, asks_how, wants_a_yes


@pytest.mark.parametrize(
    "text",
    [
        "Can I still return it?",
        "can I still return it",
        "Hi team, can you still cancel it?",
        "Can I still use it and how do I see what's left?",
        "I'd like to know whether it can be exchanged.",
        "Kann ich die Jacke noch abbestellen?",
        "¿La puedo anular?",
        "Puis-je encore renvoyer le hamac ?",
        "Sont-ils déjà partis ?",
    ],
)
def test_a_yes_or_no_is_wanted(text: str) -> None:
    assert wants_a_yes(text)


@pytest.mark.parametrize(
    "text",
    [
        "How can I swap the M for an L?",
        "Could you tell me when it arrives?",
        "Until when can I return it?",
        "I have my order here.",
        "I would like to close my account and have my data removed. How do I do that?",
        "Is it too late to return it?",
        "Do I have to pay for that?",
        "¿Hasta cuándo puedo devolverlo?",
        "Jusqu'à quand puis-je les renvoyer ?",
        "Wie lange dauert die Lieferung?",
        "Please cancel it.",
    ],
)
def test_a_yes_would_be_no_answer(text: str) -> None:
    assert not wants_a_yes(text)


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        ("You can return it.", "en", "Yes, you can return it."),
        ("A gift card is valid.", "en", "Yes, a gift card is valid."),
        ("Hearthwell cast iron works on gas.", "en", "Yes, Hearthwell cast iron works on gas."),
        ("Sie können sie zurückgeben.", "de", "Ja, Sie können sie zurückgeben."),
        ("Puedes devolverlo.", "es", "Sí, puedes devolverlo."),
        ("Vous pouvez le retourner.", "fr", "Oui, vous pouvez le retourner."),
    ],
)
def test_a_sentence_becomes_the_answer_yes(text: str, language: str, said: str) -> None:
    assert affirmed(text, language) == said


def test_who_asks_how_does_it_himself() -> None:
    assert asks_how("Delete my account please. How do I do that?")
    assert not asks_how("Please delete my account.")
