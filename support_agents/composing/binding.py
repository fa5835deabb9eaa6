"""Binds macros to the knowledge base as it stands: finds the quote behind every sentence, or says what is missing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from support_agents import linear
from support_agents.domain.knowledge import Audience, Citation, Passage
from support_agents.domain.macro import BoundCase, BoundMacro, BoundSentence, Macro, MacroCase, MacroSentence
from support_agents.screening.terms import terms
from support_agents.wording.segments import split_sentences
from support_agents.wording.traits import Trait, denies_something, has
from support_agents.wording.values import Value, unconfirmed, values_in

_SLOT = linear.compile(r"\{[a-z0-9_.]{1,60}\}")
_BORNE_OUT = 0.5


@dataclass(frozen=True)
class Refused:
    """A case that may not be used, and why, in a person's words."""

    macro: str
    case: str
    reason: str

    def __str__(self) -> str:
        return f"{self.macro}, case {self.case}: {self.reason}"


@dataclass(frozen=True)
class Bound:
    """What may be used, and what may not."""

    macros: tuple[BoundMacro, ...]
    refused: tuple[Refused, ...]


def bind(macros: Sequence[Macro], passages: Sequence[Passage]) -> Bound:
    """Look up the evidence of every case; one sentence without it and the whole case is refused."""
    public: dict[str, list[Passage]] = {}
    for passage in passages:
        if passage.audience is Audience.PUBLIC:
            public.setdefault(passage.article_id, []).append(passage)
    refused: list[Refused] = []
    bound: list[BoundMacro] = []
    for macro in macros:
        cases: list[BoundCase] = []
        for case in macro.cases:
            try:
                cases.append(_case(case, public, macro.language))
            except _MissingError as missing:
                refused.append(Refused(macro.id, case.name, str(missing)))
        bound.append(BoundMacro(macro=macro, cases=tuple(cases)))
    return Bound(tuple(bound), tuple(refused))


class _MissingError(Exception):
    """What a sentence says and its evidence does not."""


def _case(case: MacroCase, public: Mapping[str, Sequence[Passage]], language: str) -> BoundCase:
    used: dict[object, Passage] = {}
    sentences = []
    for sentence in case.sentences:
        cited = _evidence(sentence, public, language)
        used |= {passage.id: passage for passage, _ in cited}
        citations = tuple(
            Citation(passage_id=p.id, article_id=p.article_id, title=p.title, quote=quote) for p, quote in cited
        )
        sentences.append(
            BoundSentence(
                text=sentence.text,
                citations=citations,
                facts=sentence.facts,
                spare=sentence.spare,
                courtesy=sentence.courtesy,
                paragraph=sentence.paragraph,
                when=sentence.when,
                affirms=sentence.affirms,
            )
        )
    return BoundCase(name=case.name, when=case.when, sentences=tuple(sentences), passages=tuple(used.values()))


def _evidence(
    sentence: MacroSentence, public: Mapping[str, Sequence[Passage]], language: str
) -> tuple[tuple[Passage, str], ...]:
    """Return the passages that bear the sentence out, each with its quote: the best one, more only for more values."""
    said = str(_SLOT.sub("", sentence.text))
    found = [passage for article in sentence.articles for passage in public.get(article, ())]
    lost = next((article for article in sentence.articles if article not in public), None)
    if lost is not None:
        raise _MissingError(f"“{said}” rests on {lost}, which is no public article of the knowledge base")
    stated = values_in(said)
    if not found:
        if stated:
            raise _MissingError(f"“{stated[0].text}” in “{said}” needs an article to rest on")
        return ()
    chosen = _chosen(said, found, language)
    if not chosen:
        raise _MissingError(
            f"no sentence of {', '.join(sentence.articles)} has the conditions and negations of “{said}”"
        )
    missing = unconfirmed(stated, _values(chosen))
    if missing:
        raise _MissingError(f"“{missing[0].text}” in “{said}” stands in no passage of {', '.join(sentence.articles)}")
    if _share(said, chosen) < _BORNE_OUT:
        raise _MissingError(f"“{said}” has too few words of {', '.join(sentence.articles)}")
    return chosen


def _chosen(said: str, passages: Sequence[Passage], language: str) -> tuple[tuple[Passage, str], ...]:
    """The quote that says most of it, then others as long as they add a value or words that are still missing."""
    wanted = _words(said)
    ranked = sorted(_quotes(said, passages, language), key=lambda one: -_alike(wanted, one[2]))
    first = next(((passage, quote) for main, passage, quote in ranked if main), None)
    if first is None:
        return ()
    chosen = [first]
    stated = values_in(said)
    for _, passage, quote in ranked:
        missing = unconfirmed(stated, _values(chosen))
        if not missing and _share(said, chosen) >= _BORNE_OUT:
            break
        fewer = len(unconfirmed(missing, _values([(passage, quote)]))) < len(missing)
        if fewer or (not missing and _share(said, [*chosen, (passage, quote)]) > _share(said, chosen)):
            chosen.append((passage, quote))
    return tuple(chosen)


def _quotes(said: str, passages: Sequence[Passage], language: str) -> Iterator[tuple[bool, Passage, str]]:
    """Sentences that may stand behind it, and whether one may do so alone: it has the same negation, if any.

    None may be negated or conditional where `said` is not: that would be a “not” or an “only if” that was lost.
    """
    negated, conditional = has(Trait.NEGATION, said, language), has(Trait.STRONG_CONDITION, said, language)
    for passage in passages:
        heading = has(Trait.NEGATION, passage.heading, language)
        for quote, depends in _sentences(passage.text, language):
            denies = denies_something(quote, said, language)
            if (denies and not negated) or (depends and not conditional):
                continue
            yield negated in {denies or heading, denies}, passage, quote


@lru_cache(maxsize=2_048)
def _sentences(text: str, language: str) -> tuple[tuple[str, bool], ...]:
    """The sentences of a passage, and whether each is conditional."""
    found = (segment.text for segment in split_sentences(text))
    return tuple((one, has(Trait.STRONG_CONDITION, one, language)) for one in found)


def _alike(wanted: frozenset[str], quote: str) -> float:
    words = _words(quote)
    return len(wanted & words) / max(1, len(wanted | words))


def _share(said: str, chosen: Sequence[tuple[Passage, str]]) -> float:
    """How many of the words stand in the passages."""
    words = _words(said)
    known = frozenset().union(*(_words(_whole(passage)) for passage, _ in chosen))
    return len(words & known) / len(words) if words else 1.0


def _values(chosen: Sequence[tuple[Passage, str]]) -> tuple[Value, ...]:
    return tuple(value for passage, _ in chosen for value in values_in(_whole(passage)))


def _whole(passage: Passage) -> str:
    return f"{passage.title}\n{passage.heading}\n{passage.text}"


@lru_cache(maxsize=4_096)
def _words(text: str) -> frozenset[str]:
    return frozenset(terms(text))
