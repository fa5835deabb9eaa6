from datetime import date
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support_agents.domain.intent import EntityKind
from support_agents.intents.entities import MOST, find_entities

TODAY = date(2026, 5, 20)  # a Wednesday


def values(text: str, kind: EntityKind, language: str = "en") -> list[str]:
    return [found.value for found in find_entities(text, TODAY, language=language) if found.kind is kind]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Where is my order HW-10423?", ["HW-10423"]),
        ("where is hw-10423", ["HW-10423"]),
        ("order HW 10423 please", ["HW-10423"]),
        ("order ORD5512", ["ORD5512"]),
        ("the number is A-77120", ["A-77120"]),
        ("Any news on #4432?", ["4432"]),
        ("order 88213.", ["88213"]),
        ("Order no. 88213", ["88213"]),
        ("order:88213!", ["88213"]),
        ("my order number is 88213", ["88213"]),
        ("88213 is my order number", ["88213"]),
        ("orders 88213, 88214 and #88215", ["88213", "88214", "88215"]),
        ("order 100-22331", ["100-22331"]),
        ("order 112-1234567-1234567", ["112-1234567-1234567"]),
        ("Bestellnummer: 88213", ["88213"]),
        ("meine Bestellung HW10423 kam nicht", ["HW10423"]),
        ("Bestell-Nr. 88213", ["88213"]),
        ("número de pedido: HW-10423", ["HW-10423"]),
        ("numéro de commande n° 5512", ["5512"]),
        ("il mio ordine n. 55123", ["55123"]),
        ("Bestelling 55123", ["55123"]),
        ("encomenda nº 55123", ["55123"]),
        ("zamówienie nr 55123", ["55123"]),
        ("88213", ["88213"]),
        ("It's 88213.", ["88213"]),
    ],
)
def test_order_numbers_are_found_as_customers_write_them(text: str, numbers: list[str]) -> None:
    assert values(text, EntityKind.ORDER_ID) == numbers


@pytest.mark.parametrize(
    "text",
    [
        "my card 4111 1111 1111 1111",
        "order 4111 1111 1111 1111",
        "order 4111111111111111",
        "call me at +49 30 1234567 or 030 1234567",
        "IBAN DE89370400440532013000",
        "VAT DE123456789",
        "tracking JD014600006281230704",
        "invoice #4432",
        "ticket #12345",
        "I ordered 2 shirts",
        "order 2 shirts",
        "order 2026-05-03",
        "order 4990 EUR",
        "reorder 88213",
        "a USB-3000 cable, ISO-9001",
        "write to order12345@example.org",
        "version 1.2.3456",
    ],
)
def test_other_numbers_are_no_orders(text: str) -> None:
    assert values(text, EntityKind.ORDER_ID) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("I paid €49.90", "4990 EUR"),
        ("49,90 €", "4990 EUR"),
        ("EUR 49.90", "4990 EUR"),
        ("£20", "2000 GBP"),
        ("$15", "1500 USD"),
        ("20 euros", "2000 EUR"),
        ("1.234,56 €", "123456 EUR"),
        ("1,234.56 USD", "123456 USD"),
        ("€1.234", "123400 EUR"),
        ("49,- €", "4900 EUR"),
        ("2 000 zł", "200000 PLN"),
        ("5000 yen", "5000 JPY"),
        ("CHF 12.5", "1250 CHF"),
    ],
)
def test_amounts_are_minor_units_with_their_currency(text: str, value: str) -> None:
    assert values(text, EntityKind.AMOUNT) == [value]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on 2026-05-03", "2026-05-03"),
        ("3 May 2026", "2026-05-03"),
        ("03/05/2026", "2026-05-03"),
        ("05/23/2026", "2026-05-23"),
        ("12.04.26", "2026-04-12"),
        ("May 3rd", "2026-05-03"),
        ("the 3rd of May", "2026-05-03"),
        ("on 28 December", "2025-12-28"),
        ("am 3. Mai", "2026-05-03"),
        ("3 de mayo de 2026", "2026-05-03"),
        ("1er mai", "2026-05-01"),
        ("3 maja", "2026-05-03"),
        ("yesterday", "2026-05-19"),
        ("last Monday", "2026-05-18"),
        ("last Wednesday", "2026-05-13"),
        ("two weeks ago", "2026-05-06"),
        ("vor 3 Tagen", "2026-05-17"),
        ("il y a 2 semaines", "2026-05-06"),
    ],
)
def test_dates_are_resolved_against_today(text: str, value: str) -> None:
    assert values(text, EntityKind.DATE) == [value]


def test_impossible_dates_are_none() -> None:
    assert values("31/02/2026 and 2026-13-01 and 1.2.3456", EntityKind.DATE) == []


def test_a_word_that_is_a_date_in_french_only_is_one_in_french_only() -> None:
    assert values("je l'ai reçu hier", EntityKind.DATE, "fr") == ["2026-05-19"]
    assert values("ich bin hier", EntityKind.DATE, "de") == []


def test_places_are_those_of_the_message() -> None:
    text = "Größe falsch: 20,50 € am 12.04.2026 für HW-10423, danke"
    found = find_entities(text, TODAY, language="de")
    assert [text[one.start : one.end] for one in found] == ["20,50 €", "12.04.2026", "HW-10423"]


@given(st.text(alphabet="order #HW-10423€,.49 3May/\n", max_size=80))
def test_any_text_gives_ordered_entities_that_do_not_overlap(text: str) -> None:
    found = find_entities(text, TODAY)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(one.end <= after.start for one, after in pairwise(found))


@pytest.mark.parametrize("piece", ["order ", "1", "a-1", "#", "1,", "€1 ", "order 88213, ", "ä1 ", "May 3 "])
def test_a_hostile_text_takes_no_more_than_linear_time(piece: str) -> None:
    began = process_time()
    found = find_entities(piece * 100_000, TODAY)
    assert process_time() - began < 20  # quadratic time would be minutes
    assert len(found) <= 3 * MOST
