"""The compliance agent: named checks on every sentence and on the whole draft; it judges and never rewrites."""

from collections.abc import Callable
from dataclasses import dataclass

from support_agents.agents.checks import claims, courtesy, evidence, privacy
from support_agents.agents.checks.support import Support, support_of
from support_agents.agents.protocol import SentenceVerdict
from support_agents.domain.sections import (
    Check,
    CheckResult,
    ComplianceGiven,
    ComplianceSection,
    Sentence,
    Verdict,
)
from support_agents.screening.language import detect
from support_agents.wording.values import values_in

CheckRule = Callable[[Sentence, Support], str]
"""Returns why the sentence fails, in a person's words; empty when it passes."""

# In the order they are shown; each is pure and takes a fraction of a millisecond.
CHECKS: dict[str, CheckRule] = {
    "citation_or_fact": evidence.citation_or_fact,
    "grounded_values": evidence.grounded_values,
    "supported_by_quote": evidence.supported_by_quote,
    "condition_kept": evidence.condition_kept,
    "order_status": evidence.order_status,
    "no_unproposed_promise": claims.no_unproposed_promise,
    "no_other_person": privacy.no_other_person,
    "no_internal": privacy.no_internal,
    "attachments": claims.attachments,
    "honest_courtesy": courtesy.honest_courtesy,
}
LEAST_WORDS = 4
_LONG_ENOUGH_TO_TELL = 40
_SURE = 0.6


@dataclass(frozen=True)
class ComplianceAgent:
    """`SentenceCheck` by the table `CHECKS`."""

    def check(self, sentence: Sentence, index: int, given: ComplianceGiven) -> SentenceVerdict:
        """Judge one sentence by every check; one failure is enough to lose it."""
        support = support_of(given)
        checks = tuple(_check(name, rule(sentence, support), index) for name, rule in CHECKS.items())
        keep = all(check.result is CheckResult.PASSED for check in checks)
        return SentenceVerdict(keep=keep, checks=checks, sentence=sentence)

    def close(
        self, kept: tuple[Sentence, ...], verdicts: tuple[SentenceVerdict, ...], given: ComplianceGiven
    ) -> ComplianceSection:
        """Judge the whole: language, what is left, and how many of the stated facts are confirmed."""
        whole = (
            _check("reply_language", _language(kept, given), None),
            _check("answers_something", _answers(kept, given), None),
        )
        failed = any(check.result is CheckResult.FAILED for check in whole)
        dropped = tuple(v.sentence for v in verdicts if not v.keep and v.sentence is not None)
        lost = any(not verdict.keep for verdict in verdicts)
        good = {id(verdict.sentence) for verdict in verdicts if verdict.keep}
        return ComplianceSection(
            verdict=Verdict.BLOCKED if failed else Verdict.REPAIRED if lost else Verdict.PASS,
            checks=(*(check for verdict in verdicts for check in verdict.checks), *whole),
            dropped=tuple(sentence for sentence in dropped if sentence not in kept),
            facts_stated=sum(_facts(sentence) for sentence in kept),
            facts_confirmed=sum(_facts(sentence) for sentence in kept if id(sentence) in good),
        )


def _check(name: str, reason: str, index: int | None) -> Check:
    result = CheckResult.FAILED if reason else CheckResult.PASSED
    return Check(name=name, result=result, reason=reason, sentence=index)


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
