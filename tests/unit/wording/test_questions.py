"""What kind of answer a question wants, and a sentence said as the answer yes."""

import pytest

from support_agents.wording.questions import (
    affirmed,
    asks_how,
    polarity_fits,
    says_refunded,
    tells_that_refunded,
    wants_a_yes,
)


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


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("Yes, we have already refunded €10.", "Have you refunded me already?"),
        ("Yes, we have already refunded €10.", "Can you confirm that the money was sent?"),
        ("Ja, wir haben €10 erstattet.", "Haben Sie das Geld schon überwiesen?"),
        ("Sí, ya hemos devuelto 10 €.", "¿Habéis hecho ya la devolución?"),
        ("Oui, nous avons déjà remboursé 10 €.", "Le remboursement est-il parti ?"),
        ("Yes, you can return it.", "can I still return it"),
        ("No, an exchange is free of charge.", "Do I have to pay for that?"),
        ("We have already refunded €10.", "Where is my money"),
        ("No money is taken when a payment fails.", "My card was declined."),
    ],
)
def test_a_yes_or_no_that_was_asked_for(reply: str, text: str) -> None:
    assert polarity_fits(reply, text)


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("Yes, we have already refunded €10.", "My card was replaced. Does the money end up nowhere now?"),
        ("Yes, we have already refunded €10.", "Where is my money?"),
        ("Yes, you can return it.", "I want to send it back."),
        ("Ja, Sie können sie zurückgeben.", "Wann kann ich sie zurückgeben?"),
        ("Sí, puedes devolverlo.", "Quiero devolverlo."),
        ("Oui, vous pouvez le retourner.", "Comment le retourner ?"),
        ("No, an exchange is free of charge.", "I would like to swap it."),
    ],
)
def test_a_yes_or_no_to_what_was_not_asked(reply: str, text: str) -> None:
    assert not polarity_fits(reply, text)


@pytest.mark.parametrize(
    "text",
    [
        "You wrote that the money has been sent back.",
        "Laut Ihrer E-Mail wurde der Betrag schon erstattet.",
        "Me dijisteis que el dinero ya está devuelto.",
        "Vous m'avez écrit que la somme est remboursée, le remboursement serait fait.",
    ],
)
def test_who_was_told_of_the_refund_knows_of_it(text: str) -> None:
    assert tells_that_refunded(text)


@pytest.mark.parametrize("text", ["Has it been refunded?", "You wrote that it was shipped.", "I was not refunded."])
def test_who_was_not_told_of_it_does_not(text: str) -> None:
    assert not tells_that_refunded(text)


def test_a_reply_that_tells_of_a_refund() -> None:
    assert says_refunded("We have already refunded €10 for your order.")
    assert not says_refunded("We refund your return within 5 working days.")
