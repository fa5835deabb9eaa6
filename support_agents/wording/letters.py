"""The frame of a letter as sentences of a draft: its closing, in the customer's language; it states nothing."""

from collections.abc import Iterator

from support_agents.domain.sections import Sentence
from support_agents.wording.phrases import phrases_of
from support_agents.wording.segments import split_sentences


def closing_of(language: str) -> tuple[Sentence, ...]:
    """Return our signature, a paragraph of its own; nothing in a language that we do not write."""
    return tuple(_closing(language))


def _closing(language: str) -> Iterator[Sentence]:
    phrases = phrases_of(language)
    for at, segment in enumerate(split_sentences(phrases.line("signature")) if phrases else ()):
        yield Sentence(text=segment.text, courtesy=True, lead=segment.lead if at else "\n\n")
