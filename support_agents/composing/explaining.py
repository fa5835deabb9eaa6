"""How much of a message a reply accounts for, word by word and ask by ask; it understands and drafts nothing."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from support_agents import linear
from support_agents.composing.contradictions import without_met
from support_agents.domain.macro import BoundCase, BoundMacro
from support_agents.screening.terms import terms
from support_agents.wording.filler import deciding_of
from support_agents.wording.follow_ups import points_back
from support_agents.wording.questions import Wants, asks_whether, gives, wanted_by
from support_agents.wording.requests import tells_us_to

# Fitted by cross-validation on the development messages, so that three of four replies that are left can be sent.
MOST_LEFT, MOST_LEFT_OF_ASK = 1.5, 1.2
# For a reply that is plainly the one: nothing else is near the ask.
NEARLY_LEFT, NEARLY_LEFT_OF_ASK = 2.0, 1.7
# Forms of one word begin alike; shorter beginnings are shared by words of other meanings.
_BEGINNING = 5
# A word that neither the articles nor the example questions have sets a scene more often than it decides a rule.
_UNKNOWN = 0.4
# Where names alone are capitalised, one inside a sentence that nothing accounts for is most often a place or a brand.
_NAMES_ARE_CAPITALISED = frozenset({"en", "es", "fr"})
# What is told beside an ask that says itself what it is about is most often its circumstances.
_BESIDE = 0.35
_FEWEST_BEFORE_REASON = 3
_NUMBER = linear.compile(r"\b[A-Z]{1,5}-?[0-9]{3,12}\b")
_REASON = linear.compile(
    r"(?i)[ ,;](?:because|as I|as we|since I|since we|so that|weil|denn|da ich|da wir|damit|"
    r"porque|ya que|puesto que|car|parce que|pour que)\b"
)
# Several words in quotation marks are given – a name for an invoice, what a page says – and ask for nothing.
_QUOTED = linear.compile(r"[\"“„«][^\"“”„«»\n]{1,40} [^\"“”„«»\n]{1,40}[\"”“»]")
_INSIDE = linear.compile(r"[\pL\pN,;] +(\p{Lu}\p{Ll}+)")


@dataclass(frozen=True)
class Told:
    """A message as its customer wrote it, and the stretches of it that ask for something, unjoined."""

    text: str
    language: str
    asks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Explained:
    """What of a message stays unaccounted for: the weight of all its words, and of those of its least answered ask.

    `silent` if one of several asks has no word that the reply takes up: whatever it asks, it is not answered knowingly.
    """

    left: Mapping[str, float]
    message: float
    ask: float
    silent: bool = False

    @property
    def enough(self) -> bool:
        """Whether so little is left that a person need not look for what was overlooked."""
        return self.message <= MOST_LEFT and self.ask <= MOST_LEFT_OF_ASK and not self.silent

    @property
    def nearly(self) -> bool:
        """Whether little enough is left for a reply that nothing else comes near."""
        return self.message <= NEARLY_LEFT and self.ask <= NEARLY_LEFT_OF_ASK and not self.silent


@dataclass(frozen=True)
class Vocabulary:
    """How telling each word is, between 0 and 1: the fewer macros and passages have it, the more."""

    rarity: Mapping[str, float]
    filler: frozenset[str]

    @classmethod
    def of(cls, macros: Sequence[BoundMacro], filler: Iterable[str]) -> "Vocabulary":
        """Count in how many macros and passages of the language each word stands."""
        passages = {one.id: one for macro in macros for case in macro.cases for one in case.passages}
        texts = [" ".join(_says(macro)) for macro in macros]
        texts += [f"{one.heading} {one.text}" for one in passages.values()]
        known = Counter(form for text in texts for form in forms(text))
        most = np.log1p(len(texts))
        rarity = {form: float(np.log1p(len(texts) / times) / most) for form, times in known.items()}
        return cls(rarity, frozenset(form for word in filler for form in forms(word)))

    def weight(self, form: str) -> float:
        """How much it counts that `form` stays unaccounted for."""
        if form in self.filler:
            return 0.0
        return self.rarity.get(form, _UNKNOWN)

    def explained(self, told: Told, chosen: Sequence[tuple[BoundMacro, BoundCase]], given: Iterable[str]) -> Explained:
        """Compare the message with what the chosen macros are asked and say; `given` is what the case brings along."""
        brought = tuple(given)
        said_or_brought = (*(said for _, case in chosen for said in _said(case)), *brought)
        known = frozenset().union(
            *(_forms_of(macro.macro.questions) for macro, _ in chosen), *(forms(one) for one in said_or_brought)
        )
        said = " ".join(said_or_brought)
        plain = str(_NUMBER.sub(" ", _QUOTED.sub(" ", told.text)))
        asking = _asking(told) or (plain,)
        spans = [forms(_NUMBER.sub(" ", ask)) for ask in asking]
        taken_up = [any(form in known and self.weight(form) for form in span) for span in spans]
        beside = (
            frozenset() if not all(taken_up) else forms(plain) - frozenset().union(*spans) - _deciding(told.language)
        )
        named = _named(plain) if told.language in _NAMES_ARE_CAPITALISED else frozenset()
        left = {
            form: (1.0 if form in named else weight) * (_BESIDE if form in beside else 1.0)
            for form in forms(without_met(plain))
            if form not in known and (weight := self.weight(form))
        }
        asks = [sum(left.get(form, 0.0) for form in span) for span in spans]
        silent = len(spans) > 1 and any(
            _questions(text) and not (taken or (span and span <= known) or _is_given(text, said))
            for text, span, taken in zip(asking, spans, taken_up, strict=True)
        )
        return Explained(left, sum(left.values()), max(asks), silent=silent)


def _asking(told: Told) -> tuple[str, ...]:
    """What asks for something by itself, without the reasons that follow it."""
    own = [ask for ask in told.asks if not points_back(ask)] or told.asks
    return tuple(_without_reason(ask) for ask in own)


def _questions(ask: str) -> bool:
    """Whether it asks, rather than tells what is cued like an ask (`Está nueva.`)."""
    return "?" in ask or asks_whether(ask) or tells_us_to(ask)


def _is_given(ask: str, said: str) -> bool:
    """Whether all that an ask wants is a price (`how much was it?`), and the reply holds one."""
    return not forms(ask) and wanted_by(ask) == {Wants.COST} and gives(Wants.COST, said)


def _without_reason(ask: str) -> str:
    found = _REASON.search(ask)
    head = ask[: found.start()] if found else ask
    return head if len(head.split()) >= _FEWEST_BEFORE_REASON else ask


@cache
def _deciding(language: str) -> frozenset[str]:
    return frozenset(form for word in deciding_of(language) for form in forms(word))


@lru_cache(maxsize=1_024)
def forms(text: str) -> frozenset[str]:
    """The words of a text by their beginnings; numbers are compared elsewhere, as facts."""
    return frozenset(term[:_BEGINNING] for term in terms(text) if term.isalpha() and len(term) > 1)


@lru_cache(maxsize=1_024)  # the questions of a macro, of which there are more than texts are kept above
def _forms_of(texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset().union(*(forms(text) for text in texts))


def _named(text: str) -> frozenset[str]:
    """The capitalised words that do not begin a sentence."""
    return frozenset(form for match in _INSIDE.finditer(text) for form in forms(match.group(1)))


def _says(macro: BoundMacro) -> Iterable[str]:
    yield from macro.macro.questions
    for case in macro.cases:
        yield from _said(case)


def _said(case: BoundCase) -> Iterable[str]:
    return (sentence.text for sentence in case.sentences)
