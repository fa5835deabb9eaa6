"""The compliance agent: named checks on every sentence and on the whole draft; it judges and never rewrites."""

from collections import deque
from dataclasses import dataclass, field

from support_agents.agents.checks.catalogue import RULES, WHOLE_RULES, refuse_unknown
from support_agents.agents.checks.support import Support, support_of
from support_agents.agents.protocol import SentenceVerdict
from support_agents.domain.sections import (
    Check,
    CheckResult,
    ComplianceGiven,
    ComplianceSection,
    Sentence,
    Severity,
    verdict_of,
)
from support_agents.policy.ledger import PolicyLedger
from support_agents.ports import Entailment
from support_agents.screening.language import detect
from support_agents.wording.values import values_in

LEAST_WORDS = 4
_LONG_ENOUGH_TO_TELL = 40
_SURE = 0.6
_AT_ONCE = 4  # drafts that are checked at the same time
_MOST_SENTENCES = 200  # of a draft, whose passed checks are held ready


@dataclass(frozen=True)
class ComplianceAgent:
    """`SentenceCheck` by the catalogue of checks, set by the part `checks` of the policy file."""

    ledger: PolicyLedger = field(default_factory=lambda: PolicyLedger(version="none"))
    entailment: Entailment | None = None
    _under_way: deque[tuple[ComplianceGiven, Support]] = field(
        default_factory=lambda: deque(maxlen=_AT_ONCE), init=False, repr=False, compare=False
    )
    _all_passed: dict[int, tuple[Check, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        refuse_unknown(self.ledger)

    def check(self, sentence: Sentence, index: int, given: ComplianceGiven) -> SentenceVerdict:
        """Judge one sentence by every check; one failure that is more than a flag is enough to lose it."""
        support, checks, keep = self._support(given), [*self._passed(index)], True
        for at, rule in enumerate(RULES):
            if reason := rule.reason(sentence, support):
                checks[at] = rule.failed(index, support.policy, reason)
                keep = keep and checks[at].severity is Severity.FLAG
        return SentenceVerdict(keep=keep, checks=tuple(checks), sentence=sentence)

    def _passed(self, index: int) -> tuple[Check, ...]:
        """The checks of a sentence at this place that passes all of them: most sentences pass most."""
        known = self._all_passed.get(index)
        if known is None:
            known = tuple(rule.passed(index, self.ledger.checks) for rule in RULES)
            if index < _MOST_SENTENCES:
                self._all_passed[index] = known
        return known

    def _support(self, given: ComplianceGiven) -> Support:
        """Return what the draft may rest on, gathered once for all sentences of the drafts that are under way."""
        for known, support in self._under_way:
            if known is given:
                return support
        support = support_of(given, self.ledger, self.entailment)
        self._under_way.append((given, support))
        return support

    def close(
        self, kept: tuple[Sentence, ...], verdicts: tuple[SentenceVerdict, ...], given: ComplianceGiven
    ) -> ComplianceSection:
        """Judge the whole: its rules, language, what is left, and how many of the stated facts are confirmed."""
        support = self._support(given)
        whole = (
            *(rule.judged(kept, support) for rule in WHOLE_RULES),
            _whole("reply_language", _language(kept, given)),
            _whole("answers_something", _answers(kept, given)),
        )
        checks = (*(check for verdict in verdicts for check in verdict.checks), *whole)
        dropped = tuple(v.sentence for v in verdicts if not v.keep and v.sentence is not None)
        good = {id(verdict.sentence) for verdict in verdicts if verdict.keep}
        return ComplianceSection(
            verdict=verdict_of(checks),
            checks=checks,
            dropped=tuple(sentence for sentence in dropped if sentence not in kept),
            facts_stated=sum(_facts(sentence) for sentence in kept),
            facts_confirmed=sum(_facts(sentence) for sentence in kept if id(sentence) in good),
        )


def _whole(name: str, reason: str) -> Check:
    result = CheckResult.FAILED if reason else CheckResult.PASSED
    return Check(name=name, result=result, severity=Severity.BLOCK, reason=reason)


def _facts(sentence: Sentence) -> int:
    """How many facts a sentence states: its values, or itself where it states none in figures."""
    return 0 if sentence.courtesy else max(1, len(values_in(sentence.text)))


def _language(kept: tuple[Sentence, ...], given: ComplianceGiven) -> str:
    said = " ".join(sentence.text for sentence in kept)
    if len(said) < _LONG_ENOUGH_TO_TELL:
        return ""
    found = detect(said, default=given.source_language, confidence=_SURE)
    if found.code == given.source_language:
        return ""
    return f"the draft is written in “{found.code}”, the customer wrote in “{given.source_language}”"


def _answers(kept: tuple[Sentence, ...], given: ComplianceGiven) -> str:
    stated = [sentence for sentence in kept if not sentence.courtesy]
    if any(len(sentence.text.split()) >= LEAST_WORDS for sentence in stated):
        return ""
    asks = any(sentence.courtesy and sentence.text.rstrip().endswith("?") for sentence in kept)
    if given.drafting.needs_order_id and asks:
        return ""
    return "too little is left of the draft"
