"""What a draft may rest on, in a form that checks can compare with; it judges nothing."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

from support_agents import linear
from support_agents.agents.checks.source import Source, joined
from support_agents.agents.macro_drafting import filled
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
        wanted = {citation.passage_id for citation in sentence.citations}
        if not wanted:
            return ()
        return tuple(found.passage for found in self.drafting.passages if found.passage.id in wanted)

    def is_verbatim(self, sentence: Sentence) -> bool:
        """Whether the words stand like this, whole, in a passage that the sentence cites."""
        said = normal(sentence.text)
        return bool(said) and any(said in normal(passage.text) for passage in self.cited(sentence))

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
        return _raw_facts(self.drafting)

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


def _raw_facts(given: DraftingGiven) -> tuple[str, ...]:
    """Facts as written and, for dates, with their year, so that a draft may leave the year out but not change it."""
    raw = [text for text in fact_texts(given, given.language).values() if text]
    raw += [text for text in fact_texts(given, "en").values() if text]
    raw += [fact.value for fact in given.facts]
    order = given.order
    if order is not None:
        days = (order.placed_on, order.shipped_on, order.delivered_on)
        raw += [day.isoformat() for day in days if day is not None]
    return tuple(dict.fromkeys(raw))
