"""Macro files: read as written, and refused with the place of the mistake."""

from pathlib import Path

import pytest

from support_agents.composing.binding import bind
from support_agents.domain.errors import SupportError
from support_agents.knowledge.macros import load_macros, read_macro
from tests.fixtures.drafting import RETURNS, passage

FRONT = """---
id: returns
language: en
intents: [return_request]
questions: ["How do I return it?", "Can it go back?", "Do you take it back?", "What about returns?"]
---
"""


def written(folder: Path, body: str, front: str = FRONT) -> Path:
    path = folder / "returns.md"
    path.write_text(front + body, encoding="utf-8")
    return path


def test_cases_sentences_slots_and_marks_are_read(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "\n## open\nwhen: {order: [delivered], return_window: open}\n"
        "You can return {order.item} until {fact.return_deadline}. [help]\n\n~ It must be unused. [help]\n",
    )
    (case,) = read_macro(path).cases
    first, second = case.sentences
    assert (first.facts, first.articles, first.spare) == (("order.item", "fact.return_deadline"), ("help",), False)
    assert (second.spare, second.paragraph) == (True, True)


def test_a_sentence_may_have_a_condition_of_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, "\n## open\n~ if {words: [[card]]}: You can. [help]\nYou may. [help]\n")
    first, second = read_macro(path).cases[0].sentences
    assert (first.text, first.spare, first.when.words) == ("You can.", True, (("card",),))
    assert (second.text, second.when.words) == ("You may.", ())


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("\n## a\nYou can return it.\n", "names nothing that it rests on"),
        ("\n## a\nwhen: {moon: full}\nYou can. [help]\n", "case a: when: moon"),
        ("\n## a\n", "case a: has no sentence"),
        ("\n## a\nif {moon: full}: You can. [help]\n", "case a: when: moon"),
    ],
)
def test_a_mistake_is_named_with_file_and_case(tmp_path: Path, body: str, told: str) -> None:
    path = written(tmp_path, body)
    with pytest.raises(SupportError) as refused:
        load_macros(tmp_path)
    assert told in refused.value.message
    assert str(path) in refused.value.message


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("You can return an item within 60 days of delivery. [help]", "“60”"),
        ("You can return an item within 30 days of delivery. [other]", "rests on other"),
        ("You need not return the item after 30 days of delivery. [help]", "conditions and negations"),
    ],
)
def test_a_sentence_that_its_article_does_not_bear_out_is_refused(tmp_path: Path, sentence: str, told: str) -> None:
    written(tmp_path, f"\n## a\n{sentence}\n")
    bound = bind(load_macros(tmp_path), [passage(RETURNS, title="Help").passage])
    assert [told in str(refused) for refused in bound.refused] == [True]
    assert bound.macros[0].cases == ()


def test_a_sentence_that_stands_in_its_article_gets_the_quote(tmp_path: Path) -> None:
    written(tmp_path, "\n## a\nYou can return an item within 30 days of delivery. [help]\n")
    bound = bind(load_macros(tmp_path), [passage(RETURNS, title="Help").passage])
    (citation,) = bound.macros[0].cases[0].sentences[0].citations
    assert citation.quote == "You can return an item within 30 days of delivery."
