"""A request beside another ask, and one that stands alone."""

import pytest

from support_agents.wording.further import further_requests


@pytest.mark.parametrize(
    "text",
    [
        "When will I have the money? And could you transfer it to my boyfriend's account instead?",
        "Where is it? Please also send me the invoice.",
        "Wann kommt es? Könnten Sie mir auch die Rechnung schicken?",
        "¿Dónde está? ¿Y podéis enviarme también la factura?",
        "Où est-il ? Pourriez-vous aussi m'envoyer la facture ?",
    ],
)
def test_a_second_request_is_found(text: str) -> None:
    assert len(further_requests(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Could I have it in L instead?",
        "Where is my parcel? Please let me know.",
        "Wann kommt es? Danke auch.",
        "¿Dónde está mi pedido? Gracias también a Marta.",
        "Où est mon colis ? Merci aussi pour tout.",
    ],
)
def test_what_stands_alone_or_asks_for_nothing_is_none(text: str) -> None:
    assert further_requests(text) == ()
