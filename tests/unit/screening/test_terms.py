import pytest

from support_agents.screening.sentences import sentences
from support_agents.screening.terms import _of_letters, coverage, terms


@pytest.mark.parametrize(
    "words",
    [
        "refund refunds refunded refunding",
        "order orders ordered ordering",
        "delivery deliveries delivered deliver",
        "policy policies",
        "Bestellung Bestellungen",
        "address addresses",
    ],
)
def test_forms_of_a_word_are_one_term(words: str) -> None:
    assert len(set(terms(words))) == 1


def test_marks_numbers_and_other_scripts() -> None:
    assert terms("It's the customer\u2019s IDE 1.8.19, 49,90 €!") == ("customer", "ide", "1.8.19", "49,90")
    assert terms("Café CAFE") == ("caf", "caf")
    assert terms("返品したい") == ("返品", "品し", "した", "たい")
    assert terms("the and of") == ()


def test_coverage_is_the_share_of_distinct_terms() -> None:
    assert coverage("refund refund order", "orders are shipped") == 0.5
    assert coverage("the", "the") == 0.0


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Send it back, e.g. by post. We pay.", 2),
        ("It costs 4.99 euros. Really?! Yes.", 3),
        ("Mr. Smith agreed. J. Doe did not.", 2),
        ("One line\nanother line", 2),
        ("返品できます。30日以内です。", 2),
        ("1. Open the app. Then press Start.", 2),
        ("", 0),
    ],
)
def test_sentences_are_whole(text: str, count: int) -> None:
    found = sentences(text)
    assert len(found) == count
    assert "".join("".join(found).split()) == "".join(text.split())


def test_numbers_of_orders_and_parcels_are_not_kept() -> None:
    terms("parcel for HW70241")
    before = _of_letters.cache_info().currsize
    for at in range(200):
        assert terms(f"parcel {10_000 + at} for HW{at}") == ("parcel", str(10_000 + at), f"hw{at}")
    assert _of_letters.cache_info().currsize == before
