import pytest

from support_agents.screening.quoting import newest

HISTORIES = [
    "On Mon, 3 May 2026 at 10:15, Shop Support <help@shop.example> wrote:\n> We sent it.\n> Bye",
    "On Mon, 3 May 2026 at 10:15, Shop Support\n<help@shop.example> wrote:\n\n> We sent it.",
    "Am 03.05.2026 um 10:15 schrieb Shop Support:\n> Wir haben es versandt.",
    "Le lun. 3 mai 2026 à 10:15, Support a écrit :\n> Bonjour",
    "El lun, 3 may 2026 a las 10:15, Soporte escribió:\n> Hola",
    "Il giorno lun 3 mag 2026 alle 10:15 Supporto ha scritto:\n> Ciao",
    "Op ma 3 mei 2026 om 10:15 schreef Support:\n> Hallo",
    "-----Original Message-----\nFrom: Support\nWe sent it.",
    "-----Ursprüngliche Nachricht-----\nVon: Support\nText",
    "________________________________\nFrom: Support <help@shop.example>\nSent: Monday\nTo: Ann\nSubject: Re: Order",
    "Von: Support\nGesendet: Montag\nAn: Ann\nBetreff: AW: Bestellung\n\nText",
    "-- \nAnn Smith\nACME Ltd",
    "Sent from my iPhone",
    "Von meinem iPhone gesendet",
    "Envoyé de mon iPhone",
    "Get Outlook for iOS",
]


@pytest.mark.parametrize("history", HISTORIES)
def test_only_the_new_words_remain(history: str) -> None:
    assert newest(f"Where is my order 10023?\n\n{history}") == "Where is my order 10023?"


def test_answers_between_quotes_are_kept() -> None:
    text = "On 3 May 2026 Support wrote:\n> Which size?\nSize M please.\n> Which colour?\nBlue."
    assert newest(text) == "Size M please.\nBlue."


@pytest.mark.parametrize(
    "text",
    [
        "On Monday I wrote you twice.",
        "From: Berlin I ordered two lamps.",
        "I am writing on behalf of my mother:\nshe never got the parcel.",
        "Two things:\n\n1. Where is it?\n2. Can I return it?",
        "It cost - as you wrote - 20 euros.",
    ],
)
def test_ordinary_words_are_not_history(text: str) -> None:
    assert newest(text) == text


def test_a_bare_forward_is_read_as_it_is() -> None:
    assert newest("> My order is late.\n> Ann") == "My order is late.\nAnn"


def test_it_works_on_nothing() -> None:
    assert newest("") == ""
    assert newest("\r\n \r\n") == ""
