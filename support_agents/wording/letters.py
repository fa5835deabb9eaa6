"""The frame of a letter in the customer's language, and how many words stand inside of it; it states nothing."""

from collections.abc import Iterator, Sequence

from support_agents import linear
from support_agents.domain.sections import DraftingGiven, Sentence
from support_agents.wording.phrases import phrases_of
from support_agents.wording.segments import split_sentences

_NUMBERED = linear.compile(r"^(\d{1,2})[.)]\s+")


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
    return phrases.is_courtesy(text, given.customer_name) or any(
        text == segment.text for segment in split_sentences(signature_of(given))
    )


def _closing(given: DraftingGiven) -> Iterator[Sentence]:
    for at, segment in enumerate(split_sentences(signature_of(given))):
        yield Sentence(text=segment.text, courtesy=True, lead=segment.lead if at else "\n\n")


def count_words(text: str) -> int:
    """Count words as a reader does: list marks and dashes are none."""
    return sum(any(c.isalnum() for c in word) for word in _NUMBERED.sub("", text).split())


def body_words(sentences: Sequence[Sentence], given: DraftingGiven) -> int:
    """Count the words between greeting and closing."""
    greeted = bool(sentences) and sentences[0].courtesy
    closing = {sentence.text for sentence in closing_of(given)}
    return sum(count_words(one.text) for one in sentences[greeted:] if one.text not in closing)
