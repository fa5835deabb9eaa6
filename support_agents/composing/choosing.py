"""Chooses the macros that answer a message, by likeness first and by the case after; unsure, it chooses none."""

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from support_agents.composing.beginnings import Beginnings, Needed
from support_agents.composing.circumstances import Circumstances
from support_agents.composing.explaining import Told, Vocabulary
from support_agents.composing.matching import INTENT_COUNTS, Floats, Matcher, Piece
from support_agents.composing.misfits import misfit
from support_agents.domain.intent import UNKNOWN, IntentScore
from support_agents.domain.knowledge import Passage
from support_agents.domain.macro import BoundCase, BoundMacro, BoundSentence, ChosenMacro, OpenAsk, OrderUse
from support_agents.screening.terms import terms
from support_agents.wording.causes import causes_in
from support_agents.wording.follow_ups import points_back
from support_agents.wording.places import names_in
from support_agents.wording.questions import affirmed, asks_where_to_report

# Clear is what is very like and ahead, or less like and far ahead. Fitted on the development messages and by leaving
# out one example question at a time.
FLOOR = 0.30
CLOSE, AHEAD = 0.45, 0.05
FAR_AHEAD = 0.09
# To write from a macro takes more than to know what a message is about. Fitted with the limits of `explaining`.
SURE, SURE_AHEAD = 0.33, 0.05
# Where nothing else comes near, more of what stands beside the ask may stay unaccounted for (`Explained.nearly`).
PLAIN, PLAIN_AHEAD = 0.5, 0.15
# A macro whose case does not hold gives way to the next one only if that one is as good as equal.
NEAR = 0.03
MOST_MACROS = 2
_SURE_INTENT = 0.5
_INTENT_DECIDES = 0.75
_SURE_TO_QUOTE = 0.9
_FEWEST_TERMS = 2
_LOOKED_AT = 6
_BY_PLACE = frozenset({"fact.delivery_days", "fact.arrival_until"})

Answer = tuple[BoundMacro, BoundCase]


def is_clear(scores: Sequence[float]) -> bool:
    """Whether the first of these scores, best first, is surely the right one."""
    lead = scores[0] - (scores[1] if len(scores) > 1 else 0.0)
    return scores[0] >= FLOOR and lead >= (AHEAD if scores[0] >= CLOSE else FAR_AHEAD)


def _is_sure(scores: Sequence[float]) -> bool:
    """Whether the first of these scores, best first, may be written from."""
    return scores[0] >= SURE and scores[0] - (scores[1] if len(scores) > 1 else 0.0) >= SURE_AHEAD


@dataclass(frozen=True)
class Wish:
    """One ask of a message, with its place among the asks (from 1) and the pieces to compare."""

    place: int
    text: str
    intent: IntentScore
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Match:
    """A wish with every macro's likeness, best first."""

    wish: Wish
    ranked: tuple[tuple[BoundMacro, float], ...]

    @property
    def agrees(self) -> bool:
        """Whether the intent, if it is sure, is one of the nearest macro's."""
        intent = self.wish.intent
        return intent.name in {UNKNOWN, *self.ranked[0][0].macro.intents} or intent.probability < _INTENT_DECIDES

    @property
    def best(self) -> BoundMacro | None:
        """The macro that clearly is about this, whatever the case; None when none is."""
        return self.ranked[0][0] if self.ranked and is_clear([score for _, score in self.ranked]) else None


@dataclass(frozen=True)
class Matched:
    """All wishes of a message, in order, and what its words are weighed by."""

    wishes: tuple[Match, ...]
    told: Told
    vocabulary: Vocabulary

    @property
    def macros(self) -> tuple[BoundMacro, ...]:
        """The macros that clearly are about it, each once."""
        found = [match.best for match in self.wishes]
        return tuple({one.macro.id: one for one in found if one is not None}.values())

    @property
    def intents(self) -> tuple[str, ...]:
        """What planning is to go by: the first intent of each macro."""
        return tuple(dict.fromkeys(one.macro.intents[0] for one in self.macros if one.macro.intents))

    @property
    def allows_quoting(self) -> bool:
        """Whether sentences may be quoted where no macro is chosen: one ask of a sure intent, and no macro near it.

        A macro that is near but did not win means that the message is about something that it is easy to get wrong.
        """
        if len(self.wishes) != 1 or causes_in(self.told.text):
            return False  # what went wrong is told in too many words for a quote to be about the same
        (match,) = self.wishes
        near = match.ranked[0][1] if match.ranked else 0.0
        return near < FLOOR and match.wish.intent.name != UNKNOWN and match.wish.intent.probability >= _SURE_TO_QUOTE

    @property
    def needs_order(self) -> bool:
        """Whether there is surely no answer without an order; a question back is a reply too, and takes as much."""
        if asks_where_to_report(self.told.text):
            return False
        sure = (match for match in self.wishes if match.ranked and _is_sure([score for _, score in match.ranked]))
        return any(match.ranked[0][0].macro.order is OrderUse.NEEDED and match.agrees for match in sure)


@dataclass(frozen=True)
class Choice:
    """What a reply is written from."""

    macros: tuple[ChosenMacro, ...]
    passages: tuple[Passage, ...]
    opened: tuple[OpenAsk, ...] = ()


@dataclass(frozen=True)
class Shelf:
    """The macros of one language with what they are found by."""

    macros: tuple[BoundMacro, ...]
    matcher: Matcher
    vocabulary: Vocabulary

    def match(self, wishes: Sequence[Wish], told: Told, subject: str = "") -> Matched:
        """Compare every wish with every macro whose words the message has."""
        found = self._beginnings.found_in(f"{subject}\n{told.text}")
        unfit = {at for at, needed in self._needed.items() if not needed.met_by(found)}
        ranked = tuple(Match(wish, self._ranked(wish, unfit)) for wish in wishes)
        return Matched(ranked, told, self.vocabulary)

    def _ranked(self, wish: Wish, unfit: Container[int]) -> tuple[tuple[BoundMacro, float], ...]:
        scores = np.max(np.stack([self.matcher.scores(piece) for piece in wish.pieces]), axis=0)
        intent = wish.intent
        if intent.name in self._by_intent and intent.name != UNKNOWN and intent.probability >= _SURE_INTENT:
            scores += self._by_intent[intent.name] * np.float32(INTENT_COUNTS * intent.probability)
        likeness: list[float] = scores.tolist()
        return tuple((self.macros[at], likeness[at]) for at in np.argsort(-scores).tolist() if at not in unfit)

    @cached_property
    def _needed(self) -> Mapping[int, Needed]:
        """What a message must have, for those macros for which it must have anything."""
        listed = enumerate(one.macro for one in self.macros)
        return {at: Needed.of(macro.words, macro.without) for at, macro in listed if macro.words or macro.without}

    @cached_property
    def _beginnings(self) -> Beginnings:
        """All words that any macro asks for, looked for together."""
        needed = self._needed.values()
        return Beginnings.of(one for each in needed for group in (*each.groups, each.without) for one in group)

    @cached_property
    def _by_intent(self) -> Mapping[str, Floats]:
        """1 for each macro that has the intent, 0 for all others."""
        names = {name for one in self.macros for name in one.macro.intents}
        return {name: np.array([name in one.macro.intents for one in self.macros], dtype=np.float32) for name in names}


def choose(
    matched: Matched, case: Circumstances, facts: Mapping[str, str], *, words: int, known: Sequence[str] = ()
) -> Choice | None:
    """Return the macros that account for the whole message, at most two and short enough together.

    `known` is what else the message may name without asking for it, such as the customer. An ask that none answers, or
    words that none explains, and there is no reply at all: half an answer is worse than a person's.
    """
    options = _options(_answers(matched, case, facts))
    return next(filter(None, (fitting(matched, taken, facts, words=words, known=known) for taken in options)), None)


def fitting(  # noqa: PLR0913 - a case and its limits
    matched: Matched,
    taken: tuple[Answer, ...],
    facts: Mapping[str, str],
    *,
    words: int,
    known: Sequence[str] = (),
    whole: str = "",
) -> Choice | None:
    """Return what was taken as a choice, if it accounts for what is told, is short enough and fits what is told.

    `whole` is the message where `matched` is about a part of it alone: what happened may be told in the rest.
    """
    brought = (*facts.values(), *known, *_places(matched.told.text, taken))
    explained = matched.vocabulary.explained(matched.told, taken, brought)
    sentences = merged([one for _, one in taken])
    length = sum(len(one.text.split()) for part in sentences for one in part)
    said = " ".join(text for part in sentences for one in part for text in (one.text, *_filled(one, facts)))
    enough = explained.enough or (explained.nearly and _is_plain(matched, taken))
    if not enough or length > words or misfit(matched.told, taken, said, whole or matched.told.text):
        return None
    chosen = tuple(
        ChosenMacro(identity=f"{macro.macro.id}/{one.name}@{macro.macro.version}", sentences=part)
        for (macro, one), part in zip(taken, sentences, strict=True)
    )
    return Choice(chosen, tuple({p.id: p for _, one in taken for p in one.passages}.values()))


def _is_plain(matched: Matched, taken: tuple[Answer, ...]) -> bool:
    """Whether what is asked is beyond doubt what was taken: each ask has an answer of its own, or one is far ahead."""
    if not all(match.agrees for match in matched.wishes) or len(matched.wishes) != len(taken):
        return False
    if len(taken) > 1:
        return len([ask for ask in matched.told.asks if not points_back(ask)]) <= len(taken)
    ranked = matched.wishes[0].ranked
    rivals = [score for other, score in ranked[1:] if not _akin(taken[0][0], other)]
    plain = ranked[0][1] >= PLAIN and ranked[0][1] - max(rivals, default=0.0) >= PLAIN_AHEAD
    return plain and ranked[0][0].macro.id == taken[0][0].macro.id


def _filled(sentence: BoundSentence, facts: Mapping[str, str]) -> Iterator[str]:
    """The facts that a sentence states, as it will state them."""
    return (facts[name] for name in sentence.facts if name in facts)


def another(
    matched: Matched, case: Circumstances, facts: Mapping[str, str], *, without: Collection[str]
) -> Choice | None:
    """Return the macro that stands nearest to the first wish after those in `without` (ids), if its case holds.

    It is chosen for a person who has looked at the others, by likeness alone; being sure is not asked of it.
    """
    for macro, score in matched.wishes[0].ranked[:_LOOKED_AT] if matched.wishes else ():
        found = case_of(macro, case, facts) if score >= FLOOR and macro.macro.id not in without else None
        if found is not None:
            identity = f"{macro.macro.id}/{found.name}@{macro.macro.version}"
            return Choice((ChosenMacro(identity=identity, sentences=found.sentences),), found.passages)
    return None


def _answers(matched: Matched, case: Circumstances, facts: Mapping[str, str]) -> tuple[Answer, ...]:
    """What answers the wishes, each once; nothing if one of them stays open, or if there are too many."""
    taken: dict[str, Answer] = {}
    opened: list[Match] = []
    for match in matched.wishes:
        found = answer_of(match, case, facts)
        if found is None:
            opened.append(match)
        else:
            taken.setdefault(found[0].macro.id, found)
    main = next((match for match in matched.wishes if _asks(match)), next(iter(matched.wishes), None))
    left = [match for match in opened if (match is main or _must_be_named(match)) and not _covered(match, taken)]
    left = [match for match in left if not _said_already(match, taken, case, facts)]
    return () if left or len(taken) > MOST_MACROS else tuple(taken.values())


def _options(answers: tuple[Answer, ...]) -> Iterator[tuple[Answer, ...]]:
    """All together where they do not speak of the same thing, which repeats or contradicts; else one alone."""
    if len(answers) > 1 and not _overlap(*answers):
        yield answers
    else:
        yield from ((answer,) for answer in answers)


def _overlap(one: Answer, other: Answer) -> bool:
    """Whether two speak of the same topic, rest on the same sentence, or state the same of the order."""
    (left, left_case), (right, right_case) = one, other
    facts = [{name for said in case.sentences for name in said.facts} for case in (left_case, right_case)]
    quotes = [{c.quote for said in case.sentences for c in said.citations} for case in (left_case, right_case)]
    same_intent = bool({*left.macro.intents[:1]} & {*right.macro.intents[:1]})
    return same_intent or bool(facts[0] & facts[1]) or bool(quotes[0] & quotes[1])


def _places(text: str, taken: Sequence[Answer]) -> tuple[str, ...]:
    """The places that are named, where a case is for them or a sentence states delivery times as computed for them."""
    stated = {name for _, case in taken for said in case.sentences for name in said.facts}
    chosen_by = any(case.when.places or case.when.region for _, case in taken)
    return names_in(text) if chosen_by or stated & _BY_PLACE else ()


def merged(cases: Sequence[BoundCase]) -> tuple[tuple[BoundSentence, ...], ...]:
    """The sentences of each case; beside another one without those that can be spared, and nothing said twice."""
    if len(cases) == 1:
        return (cases[0].sentences,)
    said: set[str] = set()
    parts = []
    for case in cases:
        part = []
        for sentence in case.sentences:
            repeated = sentence.text in said or (
                not sentence.citations and sentence.facts and said >= {*sentence.facts}
            )
            if not (sentence.spare or repeated):
                part.append(sentence)
                said |= {sentence.text, *sentence.facts}
        parts.append(tuple(part))
    return tuple(parts)


def case_of(macro: BoundMacro, case: Circumstances, facts: Mapping[str, str]) -> BoundCase | None:
    """Return the first case that holds, with the sentences that belong to it now, if all their slots are known.

    A case that was refused is not passed over.
    """
    usable = {one.name: one for one in macro.cases}
    for one in macro.macro.cases:
        if case.hold(one.when):
            bound = usable.get(one.name)
            fitted = bound and _fitted(bound, case, macro.macro.language)
            filled = fitted is not None and all(facts.get(name) for said in fitted.sentences for name in said.facts)
            return fitted if filled else None
    return None


def _fitted(bound: BoundCase, case: Circumstances, language: str) -> BoundCase | None:
    """The case without the sentences that serve somebody else, those that answer yes beginning so where it is asked."""
    said = tuple(_said(one, case, language) for one in bound.sentences if case.hold(one.when))
    return bound if said == bound.sentences else bound.model_copy(update={"sentences": said}) if said else None


def _said(sentence: BoundSentence, case: Circumstances, language: str) -> BoundSentence:
    if not (sentence.affirms and case.asked_whether):
        return sentence
    return sentence.model_copy(update={"text": affirmed(sentence.text, language)})


def answer_of(match: Match, case: Circumstances, facts: Mapping[str, str]) -> Answer | None:
    """The best macro whose case holds, if it is about this wish clearly enough.

    One that is as near but whose case does not hold is no rival; one for the same intent is none either.
    """
    if not match.ranked or not match.ranked[0][0].macro.cases:
        return None
    top = match.ranked[0][1]
    holding = [
        (macro, score, found)
        for macro, score in match.ranked[:_LOOKED_AT]
        if (found := case_of(macro, case, facts)) is not None or not macro.macro.cases
    ]
    if not holding or holding[0][1] < top - NEAR:
        return None
    macro, _, found = holding[0]
    rivals = [score for other, score, its in holding[1:] if not (_akin(macro, other) or _says_as_much(found, its))]
    return (macro, found) if found is not None and _is_sure([holding[0][1], *rivals]) else None


def _akin(one: BoundMacro, other: BoundMacro) -> bool:
    return one.macro.intents[:1] == other.macro.intents[:1] and one.macro.order is not other.macro.order


def _says_as_much(found: BoundCase | None, other: BoundCase | None) -> bool:
    """Whether nothing is lost without the other: all that it would say now is said."""
    said = {sentence.text for sentence in found.sentences} if found else set()
    return other is not None and {sentence.text for sentence in other.sentences} <= said


def _covered(match: Match, taken: Mapping[str, Answer]) -> bool:
    """Whether a wish that none answers by itself is about what another one's macro says."""
    near = [macro.macro.id for macro, score in match.ranked[:2] if score >= max(FLOOR, match.ranked[0][1] - AHEAD)]
    return any(name in taken for name in near)


def _said_already(match: Match, taken: Mapping[str, Answer], case: Circumstances, facts: Mapping[str, str]) -> bool:
    """Whether what answers a wish best, though not surely enough to be added, rests on the articles quoted anyway."""
    if not match.ranked or match.ranked[0][1] < SURE:
        return False
    found = case_of(match.ranked[0][0], case, facts)
    quoted = {passage.article_id for _, one in taken.values() for passage in one.passages}
    resting = {passage.article_id for passage in found.passages} if found is not None else set()
    return bool(resting) and resting <= quoted


def _must_be_named(match: Match) -> bool:
    """Whether silence about it would be noticed."""
    words = {term for term in terms(match.wish.text) if term.isalpha()}
    return _asks(match) and len(words) > _FEWEST_TERMS


def _asks(match: Match) -> bool:
    """Whether it asks for something of its own."""
    text = match.wish.text
    return ("?" in text or match.wish.intent.name != UNKNOWN) and not points_back(text)
