"""The sentences of a message that a reviewer needs on a card; what it leaves out it says so, and it changes no word."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from approvals.card import LONGEST_WORDS, CustomerWords

# A message up to here stands on a card whole: three lines of small print on a phone.
SHORT = 150
_ENDS = ".!?…"
_CLOSERS = "\"'”’»)"
_GAP = "[…]"
_TELLING = 5  # words; a sentence of fewer that asks nothing is hardly more than a greeting
_LONGEST_READ = 8_000  # a message beyond it is read on its page


@dataclass(frozen=True)
class _Sentence:
    """A sentence with its place in the text."""

    text: str
    start: int
    end: int


def asked_words(text: str, asks: Sequence[str], attachments: Sequence[str] = ()) -> CustomerWords:
    """The whole message on one paragraph if it is short, else the sentences that ask, then others while there is room.

    `asks` are stretches of the text, as the intent agent found them. Sentences keep their order; `[…]` marks each gap.
    """
    line = " ".join(text.split())
    if len(line) <= SHORT:
        return CustomerWords(text=line, attachments=tuple(attachments))
    sentences = tuple(_sentences(text[:_LONGEST_READ]))
    kept = _kept(sentences, _places(text, asks))
    said = _joined(sentences, kept)
    shown = said if len(said) <= LONGEST_WORDS else f"{said[: LONGEST_WORDS - len(_GAP)].rstrip()}{_GAP}"
    return CustomerWords(text=shown, cut=shown != line, attachments=tuple(attachments))


def _kept(sentences: Sequence[_Sentence], asked: Sequence[tuple[int, int]]) -> frozenset[int]:
    """The sentences that ask, whatever their length; then the others that still fit, those that say most first.

    Greetings, thanks and names are among the few words that give way.
    """
    kept = {at for at, one in enumerate(sentences) if any(one.start < end and start < one.end for start, end in asked)}
    used = sum(len(sentences[at].text) + 1 for at in kept)
    telling = [at for at, one in enumerate(sentences) if at not in kept and len(one.text.split()) >= _TELLING]
    for at in sorted(telling, key=lambda at: -len(sentences[at].text)):
        if used + len(sentences[at].text) + 1 <= SHORT:
            kept.add(at)
            used += len(sentences[at].text) + 1
    return frozenset(kept or {0})


def _joined(sentences: Sequence[_Sentence], kept: frozenset[int]) -> str:
    parts: list[str] = []
    for at, one in enumerate(sentences):
        if at in kept:
            parts.append(one.text)
        elif not parts or parts[-1] != _GAP:
            parts.append(_GAP)
    return " ".join(parts)


def _places(text: str, asks: Sequence[str]) -> list[tuple[int, int]]:
    """Where the asks stand; one that is not in the text to the letter is nowhere."""
    found = ((text.find(ask), len(ask)) for ask in asks if ask)
    return [(start, start + length) for start, length in found if start >= 0]


def _sentences(text: str) -> Iterator[_Sentence]:
    """Cut at line ends, and after closing marks before a space; never inside a number or an address."""
    start = 0
    for at in range(len(text)):
        if not _ends(text, at):
            continue
        if said := " ".join(text[start : at + 1].split()):
            yield _Sentence(said, start, at + 1)
        start = at + 1


def _ends(text: str, at: int) -> bool:
    """Whether a sentence ends with this character."""
    if text[at] == "\n" or at + 1 == len(text):
        return True
    before = text[at - 1] if text[at] in _CLOSERS and at else text[at]
    return before in _ENDS and text[at + 1].isspace()
