"""The frame of a letter as sentences of a draft: its closing, in the customer's language; it states nothing."""

from collections.abc import Iterator

from support_agents.domain.sections import DraftingGiven, Sentence
from support_agents.wording.phrases import phrases_of
from support_agents.wording.segments import split_sentences


def signature_of(given: DraftingGiven) -> str:
    """The shop's own signature, or the usual one; empty in a language that we do not write."""
    phrases = phrases_of(given.language)
    return given.voice.signature.get(given.language, phrases.line("signature") if phrases else "").strip()


def closing_of(given: DraftingGiven) -> tuple[Sentence, ...]:
    """Return the signature, a paragraph of its own."""
    return tuple(_closing(given))


def is_courtesy(text: str, given: DraftingGiven) -> bool:
    """Whether `text` is one of our courtesies or part of the signature, word for word."""
    phrases = phrases_of(given.language)
    if phrases is None:
        return False
    return phrases.is_courtesy(text, given.customer_name) or text in {one.text for one in closing_of(given)}


def _closing(given: DraftingGiven) -> Iterator[Sentence]:
    for at, segment in enumerate(split_sentences(signature_of(given))):
        yield Sentence(text=segment.text, courtesy=True, lead=segment.lead if at else "\n\n")
