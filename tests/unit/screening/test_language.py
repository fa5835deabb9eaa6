import pytest

from support_agents.screening.language import detect


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Where is my order 10023?", "en"),
        ("WHERE IS MY ORDER???", "en"),
        ("Wo ist meine Bestellung?", "de"),
        ("où est ma commande", "fr"),
        ("¿dónde está mi pedido?", "es"),
        ("dov'è il mio ordine", "it"),
        ("mijn bestelling is niet aangekomen", "nl"),
        ("注文はどこですか", "ja"),
        ("Rückerstattung bitte", "de"),
    ],
)
def test_languages_are_told(text: str, code: str) -> None:
    assert detect(text, default="xx").code == code


@pytest.mark.parametrize("text", ["", "   ", "12345", "ok", "#A-1024 / 10023", "https://shop.example/x", "refund"])
def test_too_little_gives_the_default(text: str) -> None:
    assert detect(text, default="pt").code == "pt"


def test_an_order_number_and_an_address_do_not_count() -> None:
    assert detect("Bestellung ABC-4711 von anna@example.com ist nicht angekommen", default="en").code == "de"
