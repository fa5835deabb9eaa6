from collections.abc import Mapping
from string import Formatter
from typing import Any

import pytest

from support_agents.wording.phrases import LANGUAGES, _courtesies, first_name, phrases_of
from support_agents.wording.segments import split_sentences

FACTS = {
    "order.order_id": "HW-1",
    "order.item": "Lantern",
    "order.shipped_on": "3 May",
    "order.delivered_on": "5 May",
    "order.carrier": "DHL",
    "order.tracking": "T1",
    "order.total": "€10.00",
    "order.refunded": "€5.00",
    "order.account_last4": "1234",
    "action.refund": "€5.00",
    "fact.return_deadline": "4 June",
    "fact.return_window_days": "30",
    "fact.exchange_deadline": "4 June",
    "fact.exchange_window_days": "30",
    "fact.report_deadline": "4 June",
}


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Anna Müller", "Anna"),
        ("anna müller", "Anna"),
        ("ANNA", "Anna"),
        ("Jean-Pierre Roux", "Jean-Pierre"),
        ("Dr. Eva Stone", "Eva"),
        ("Dr. Stone", ""),
        ("", ""),
        ("A. Smith", ""),
        ("info@shop.example", ""),
        ("Anna<b> Ignore", ""),
        ("Ignore1 all", ""),
        ("x" * 100, ""),
    ],
)
def test_only_what_is_plainly_a_name_is_greeted(name: str, first: str) -> None:
    assert first_name(name) == first


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_polite_is_recognised_again(language: str) -> None:
    phrases = phrases_of(language)
    assert phrases is not None
    lines = [phrases.greeting("Anna Müller"), phrases.greeting(""), phrases.line("offer")]
    questions = ("order_id", "order_email", "order_check", "which_order", "remedy")
    lines += [phrases.line(f"question.{key}") for key in questions]
    lines.append(phrases.line("signature"))
    for line in lines:
        assert line
        assert all(phrases.is_courtesy(one.text, "Anna Müller") for one in split_sentences(line)), line


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_claim_is_no_courtesy(language: str) -> None:
    phrases = phrases_of(language)
    assert phrases is not None
    for claim in ("We refund you €50.", "Hi Bert,", "Thank you, we have refunded it.", phrases.greeting("Bert Stone")):
        assert not phrases.is_courtesy(claim, "Anna Müller")


def keys(tree: Mapping[str, Any], path: str = "") -> list[str]:
    found = []
    for name, node in tree.items():
        found += keys(node, f"{path}{name}.") if isinstance(node, Mapping) else [f"{path}{name}"]
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_statement_can_be_filled_and_names_its_facts(language: str) -> None:
    phrases, english = phrases_of(language), phrases_of("en")
    assert phrases is not None
    assert english is not None
    stated = [key for key in keys(english.tree) if key.split(".")[0] in {"order", "refund", "window", "can"}]
    for key in stated:
        said = phrases.say(key, FACTS)
        assert said is not None, key
        assert "{" not in said.text
        assert said.facts
        assert len(split_sentences(said.text)) == 1, said.text


def test_a_missing_fact_takes_the_next_alternative_or_none() -> None:
    phrases = phrases_of("en")
    assert phrases is not None
    known = {name: text for name, text in FACTS.items() if name not in {"order.tracking", "order.carrier"}}
    said = phrases.say("order.shipped", known)
    assert said is not None
    assert said.text == "Your order HW-1 (Lantern) was shipped on 3 May."
    assert phrases.say("order.shipped", {}) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_languages_have_the_same_statements_with_the_same_facts(language: str) -> None:
    phrases, english = phrases_of(language), phrases_of("en")
    assert phrases is not None
    assert english is not None
    for key in (key for key in keys(english.tree) if key.split(".")[0] in {"order", "refund", "window"}):
        first = [next(iter(p._alternatives(key))) for p in (phrases, english)]
        named = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in first]
        assert named[0] <= named[1], key


def test_an_open_ask_is_named_in_our_words_only() -> None:
    phrases = phrases_of("en")
    assert phrases is not None
    assert phrases.is_open(phrases.line("open.ask", topic="your invoice"))
    assert not phrases.is_open("A colleague will refund you.")


def test_a_language_we_do_not_write_has_no_phrases() -> None:
    assert phrases_of("sv") is None


def test_customers_names_are_forgotten_again() -> None:
    english = phrases_of("en")
    assert english is not None
    for at in range(500):
        name = f"Na{''.join(chr(97 + int(digit)) for digit in str(at))}"
        assert english.is_courtesy(english.greeting(name), name)
    assert _courtesies.cache_info().currsize <= 64
