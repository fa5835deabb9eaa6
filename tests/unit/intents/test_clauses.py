from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support_agents.domain.intent import UNKNOWN, IntentScore
from support_agents.intents.asks import Span, answered, blended, joined, read
from support_agents.intents.clauses import Does, clauses
from support_agents.intents.cues import cues


def asks(text: str, language: str = "en") -> list[str]:
    return [span.text for span in read(text, language).spans]


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        ("en", "Where is my order HW-10423?", ["Where is my order HW-10423?"]),
        ("en", "My blender arrived broken. Can I get a refund?", ["Can I get a refund?"]),
        ("en", "cancel my order pls", ["cancel my order pls"]),
        (
            "en",
            "Hello, where is my order 88213 and can I still change the delivery address?",
            ["where is my order 88213", "can I still change the delivery address?"],
        ),
        (
            "en",
            "Hi,\n\nmy parcel hasn't arrived. Also, how do I change my email address?\n\nThanks,\nAnna",
            ["my parcel hasn't arrived.", "Also, how do I change my email address?"],
        ),
        (
            "en",
            "1) I need an invoice for order no. 4432\n2) please cancel #4433\n3) what are your opening hours?",
            ["I need an invoice for order no. 4432", "please cancel #4433", "what are your opening hours?"],
        ),
        ("en", "Cancel one and refund the other", ["Cancel one", "refund the other"]),
        ("en", "Please cancel HW-10423 and refund HW-10424.", ["Please cancel HW-10423", "refund HW-10424."]),
        ("en", "Cancel HW-10423 and refund it please", ["Cancel HW-10423 and refund it please"]),
        ("en", "cancel and refund my other order", ["cancel and refund my other order"]),
        ("de", "Storniert HW-10423 und schickt mir HW-10424", ["Storniert HW-10423", "schickt mir HW-10424"]),
        ("en", "If my order is late, can I get a refund?", ["If my order is late, can I get a refund?"]),
        ("en", "It came on 3. May. The lid is cracked.", ["It came on 3. May. The lid is cracked."]),
        (
            "de",
            "Guten Tag, wo ist meine Bestellung und kann ich die Adresse noch ändern?\n\nViele Grüße\nAnna",
            ["wo ist meine Bestellung", "kann ich die Adresse noch ändern?"],
        ),
        (
            "fr",
            "Bonjour, ma commande n'est pas arrivée. De plus, je voudrais une facture. Merci d'avance",
            ["ma commande n'est pas arrivée.", "De plus, je voudrais une facture."],
        ),
        ("es", "Hola, me ha llegado la taza rota. ¿Me podéis devolver el dinero?", ["¿Me podéis devolver el dinero?"]),
        (
            "pl",
            "Dzień dobry, gdzie jest moja paczka? Chciałbym też zmienić adres dostawy.",
            ["gdzie jest moja paczka?", "Chciałbym też zmienić adres dostawy."],
        ),
    ],
)
def test_a_message_is_cut_into_its_asks(language: str, text: str, found: list[str]) -> None:
    assert asks(text, language) == found


@pytest.mark.parametrize("text", ["Hi there", "Thank you so much!", "Thanks a lot,\n\nKind regards", "", "…", "\n\n"])
def test_courtesies_ask_for_nothing(text: str) -> None:
    assert asks(text) == []


def test_a_plea_that_says_nothing_of_its_own_gives_way_to_what_was_said() -> None:
    assert asks("The kettle leaks. Please help.") == ["The kettle leaks."]
    assert asks("Can you help me?") == ["Can you help me?"]


def test_the_matter_leaves_out_greeting_and_name() -> None:
    reading = read("Hi,\n\nthe kettle has a leak. Tell me what to do.\n\nMany thanks\nTom", "en")
    assert reading.matter == "the kettle has a leak.\nTell me what to do."


def test_a_hard_wrapped_line_is_one_sentence() -> None:
    text = "I would like to know whether you could send the parcel to my\noffice instead of my home address."
    assert len(clauses(text, "en")) == 1


def test_one_short_ask_needs_no_embedding_of_its_own() -> None:
    assert read("Where is my order HW-10423?", "en").to_embed == ()
    assert len(read("Where is it? And how do I cancel the other one?", "en").to_embed) == 2
    long = "I bought a lamp. " * 40 + "Can I return it?"
    assert read(long, "en").to_embed == ("Can I return it?",)


@given(
    st.text(alphabet="ab ,.?!\n1)-and how can I also please thanks", max_size=120), st.sampled_from(["en", "de", "xx"])
)
def test_clauses_are_pieces_of_the_text_in_order(text: str, language: str) -> None:
    found = clauses(text, language)
    assert all(text[one.start : one.end] == one.text for one in found)
    assert all(one.end <= after.start for one, after in pairwise(found))
    spans = read(text, language).spans
    assert all(one.end <= after.start for one, after in pairwise(spans))


@pytest.mark.parametrize("piece", ["a, and can ", "? ", "\n", "1) x\n", ", how ", "hi, ", "also how do I do this, "])
def test_a_hostile_text_is_read_in_bounded_time(piece: str) -> None:
    read(piece, "en")  # the patterns are compiled once
    few, many = (min(_seconds(piece * count) for _ in range(3)) for count in (5_000, 50_000))
    assert many < 10 * few + 0.05  # both are cut to the same length


def _seconds(text: str) -> float:
    began = process_time()
    read(text, "en")
    return process_time() - began


def test_every_language_has_every_cue() -> None:
    for language in ("en", "de", "es", "fr", "it", "nl", "pt", "pl"):
        assert cues(language).courtesy
        assert clauses("?!", language) == ()


def test_an_unsure_answer_is_unknown() -> None:
    scores = (IntentScore(name="warranty", probability=0.4), IntentScore(name=UNKNOWN, probability=0.3))
    assert answered(scores, 0.5) == IntentScore(name=UNKNOWN, probability=0.6)
    assert answered(scores, 0.4).name == "warranty"


def test_a_blend_is_still_a_distribution() -> None:
    own = (IntentScore(name="a", probability=0.6), IntentScore(name="b", probability=0.4))
    whole = (IntentScore(name="b", probability=1.0), IntentScore(name="a", probability=0.0))
    mixed = blended(own, whole)
    assert [score.name for score in mixed] == ["b", "a"]
    assert sum(score.probability for score in mixed) == pytest.approx(1)


def test_neighbours_with_one_intent_and_words_that_point_back_are_one_ask() -> None:
    text = "I want to return it. How do I do that? Where is my order?"
    pieces = {"I want to return it.": False, "How do I do that?": True, "Where is my order?": False}
    first, second, third = (
        Span(piece, text.index(piece), text.index(piece) + len(piece), refers=refers)
        for piece, refers in pieces.items()
    )
    returning, lost = IntentScore(name="return", probability=0.9), IntentScore(name=UNKNOWN, probability=0.7)
    status = IntentScore(name="order_status", probability=0.8)
    asked = joined(text, [(first, returning), (second, lost), (third, status)])
    assert [(ask.text, ask.intent.name) for ask in asked] == [
        ("I want to return it. How do I do that?", "return"),
        ("Where is my order?", "order_status"),
    ]


def test_what_a_clause_does() -> None:
    found = clauses("Hello Anna! I have a question. The lamp is broken. Please send a new one.", "en")
    assert [one.does for one in found] == [Does.COURTESY, Does.GENERAL, Does.STATEMENT, Does.ASK]
