"""What a draft may rest on, in a form that checks can compare with; it judges nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from support_agents import linear
from support_agents.agents.checks.source import Source, joined
from support_agents.agents.macro_drafting import filled
from support_agents.domain.ids import PassageId
from support_agents.domain.knowledge import Passage
from support_agents.domain.sections import ComplianceGiven, DraftingGiven, Sentence
from support_agents.policy.check_policy import CheckPolicy
from support_agents.policy.ledger import PolicyLedger
from support_agents.ports import Entailment
from support_agents.screening.terms import terms
from support_agents.wording.facts import fact_texts
from support_agents.wording.phrases import Phrases, phrases_of
from support_agents.wording.values import Value, values_in

_LIST_MARK = linear.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
_SHINGLE = 6


@dataclass(frozen=True)
class Support:
    """The evidence of one run as the checks read it."""

    given: ComplianceGiven
    facts: dict[str, str]
    phrases: Phrases | None
    ledger: PolicyLedger
    entailment: Entailment | None = None

    @property
    def policy(self) -> CheckPolicy:
        """How the checks are set."""
        return self.ledger.checks

    @property
    def drafting(self) -> DraftingGiven:
        """What the drafting agent saw."""
        return self.given.drafting

    @property
    def language(self) -> str:
        """The customer's language."""
        return self.given.source_language

    def cited(self, sentence: Sentence) -> tuple[Passage, ...]:
        """The passages that the sentence cites, as retrieved; a citation of anything else has none."""
        if not sentence.citations:
            return ()
        known = self._cited.get(id(sentence))
        if known is None:
            places = {self._places[one.passage_id] for one in sentence.citations if one.passage_id in self._places}
            passages = tuple(self.drafting.passages[at].passage for at in sorted(places))
            self._cited[id(sentence)] = known = sentence, passages
        return known[1]

    @cached_property
    def _cited(self) -> dict[int, tuple[Sentence, tuple[Passage, ...]]]:
        """What each sentence of the run cites, by its identity, which is its own as long as it is held here."""
        return {}

    def passage(self, which: PassageId) -> Passage | None:
        """The passage of this id, if it was retrieved."""
        at = self._places.get(which)
        return None if at is None else self.drafting.passages[at].passage

    @cached_property
    def _places(self) -> dict[PassageId, int]:
        return {found.passage.id: at for at, found in enumerate(self.drafting.passages)}

    def is_verbatim(self, sentence: Sentence) -> bool:
        """Whether the words stand like this, whole, in a passage that the sentence cites."""
        if not sentence.citations:
            return False
        known = self._verbatim.get(id(sentence))
        if known is None:
            said = normal(sentence.text)
            found = bool(said) and any(said in normal(passage.text) for passage in self.cited(sentence))
            self._verbatim[id(sentence)] = known = sentence, found
        return known[1]

    @cached_property
    def _verbatim(self) -> dict[int, tuple[Sentence, bool]]:
        return {}

    def is_macro(self, sentence: Sentence) -> bool:
        """Whether the words are those of an approved macro with the facts in its slots."""
        return sentence.text in self._approved

    @cached_property
    def _approved(self) -> frozenset[str]:
        sentences = (one for macro in self.drafting.macros for one in macro.sentences)
        return frozenset(filled(one.text, self.facts) for one in sentences)

    def values(self, sentence: Sentence) -> tuple[Value, ...]:
        """Every value that the sentence may state: of its cited passages, of the order and of computed facts."""
        cited = (value for passage in self.cited(sentence) for value in values_in(_whole(passage)))
        return (*cited, *self._fact_values)

    def source(self, sentence: Sentence) -> Source:
        """All that the sentence rests on as one text: its cited passages whole, and the facts."""
        return joined((*(_whole(passage) for passage in self.cited(sentence)), *self._raw_facts))

    @cached_property
    def _raw_facts(self) -> tuple[str, ...]:
        return _raw_facts(self.drafting, {self.language: self.facts})

    @cached_property
    def _fact_values(self) -> tuple[Value, ...]:
        return tuple(value for text in self._raw_facts for value in values_in(text))

    def internal_shingles(self) -> frozenset[tuple[str, ...]]:
        """Runs of words that stand in an internal passage and in no public one."""
        secret = frozenset().union(*(shingles(found.passage.text) for found in self.given.internal_passages))
        public = frozenset().union(*(shingles(_whole(found.passage)) for found in self.drafting.passages))
        return secret - public


def support_of(given: ComplianceGiven, ledger: PolicyLedger, entailment: Entailment | None = None) -> Support:
    """Gather the support; texts are read once and remembered, so this is cheap for every sentence."""
    language = given.source_language
    return Support(given, fact_texts(given.drafting, language), phrases_of(language), ledger, entailment)


@lru_cache(maxsize=256)
def words_only(text: str) -> str:
    """The sentence without the mark of a list item."""
    return str(_LIST_MARK.sub("", text))


@lru_cache(maxsize=1_024)  # each check asks about the same sentence and the passages it cites
def normal(text: str) -> str:
    """The words as they are compared: no case, no list mark, single spaces."""
    return " ".join(words_only(text).casefold().split())


@lru_cache(maxsize=1_024)
def shingles(text: str) -> frozenset[tuple[str, ...]]:
    """Every run of six content words."""
    words = terms(text)
    return frozenset(tuple(words[at : at + _SHINGLE]) for at in range(len(words) - _SHINGLE + 1))


@lru_cache(maxsize=1_024)
def content_words(text: str) -> frozenset[str]:
    """The words that carry meaning."""
    return frozenset(terms(text))


def _whole(passage: Passage) -> str:
    return f"{passage.title}\n{passage.heading}\n{passage.text}"


def _raw_facts(given: DraftingGiven, known: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """Facts as written and, for dates, with their year, so that a draft may leave the year out but not change it.

    `known` are those of a language that are written already.
    """
    languages = dict.fromkeys((given.language, "en"))
    written = (known.get(language) or fact_texts(given, language) for language in languages)
    raw = [text for texts in written for text in texts.values() if text]
    raw += [fact.value for fact in given.facts]
    order = given.order
    if order is not None:
        days = (order.placed_on, order.shipped_on, order.delivered_on)
        raw += [day.isoformat() for day in days if day is not None]
    return tuple(dict.fromkeys(raw))
