"""What counts as telling us to do something, and what as asking whether or how it is done."""

import pytest

from support_agents.wording.requests import tells_us_to


@pytest.mark.parametrize(
    "text",
    [
        "Please cancel my order.",
        "Hello,\n\ncancel it please",
        "Could you please change that to an M?",
        "Can you still swap it before it goes out?",
        "I'd like you to delete my account",
        "Bitte stornieren Sie meine Bestellung.",
        "Könnten Sie die Lieferadresse ändern?",
        "Por favor, cancelen mi pedido",
        "¿Podéis cancelar mi pedido?",
        "Pouvez-vous annuler ma commande ?",
    ],
)
def test_a_request_tells_us_to_do_it(text: str) -> None:
    assert tells_us_to(text)


@pytest.mark.parametrize(
    "text",
    [
        "Can I still cancel my order?",
        "How do I change the size?",
        "Could you tell me whether I can cancel it?",
        "Please let me know how to cancel.",
        "Is it too late to cancel?",
        "Kann ich die Bestellung noch stornieren?",
        "Können Sie mir sagen, wie ich sie storniere?",
        "¿Puedo cancelar mi pedido?",
        "Est-ce que je peux annuler ma commande ?",
        "",
    ],
)
def test_a_question_does_not(text: str) -> None:
    assert not tells_us_to(text)
