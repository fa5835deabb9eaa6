"""What a check is, of a sentence or a whole draft: a name, what follows when it fails, its reason; it knows none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from support_agents.agents.checks.support import Support
from support_agents.domain.sections import Check, CheckResult, Sentence, Severity
from support_agents.policy.check_policy import CheckPolicy

Reason = Callable[[Sentence, Support], str]
"""Returns why the sentence fails, in a person's words; empty when it passes. Pure, a fraction of a millisecond."""
DraftReason = Callable[[Sequence[Sentence], Support], str]
"""Returns the same of all sentences that are kept, greeting and closing among them."""


@dataclass(frozen=True)
class SentenceRule:
    """One check on one sentence; the policy file may set another severity."""

    name: str
    severity: Severity
    reason: Reason

    def passed(self, index: int, policy: CheckPolicy) -> Check:
        """The check of a sentence that passes."""
        return Check(name=self.name, result=CheckResult.PASSED, severity=self.severity_under(policy), sentence=index)

    def failed(self, index: int, policy: CheckPolicy, reason: str) -> Check:
        """The check of a sentence that does not."""
        severity = self.severity_under(policy)
        return Check(name=self.name, result=CheckResult.FAILED, severity=severity, reason=reason, sentence=index)

    def severity_under(self, policy: CheckPolicy) -> Severity:
        """What follows when it fails."""
        return policy.severity.get(self.name, self.severity)


@dataclass(frozen=True)
class DraftRule:
    """One check on the draft as a whole; the policy file may let it block, and it can drop nothing."""

    name: str
    severity: Severity
    reason: DraftReason

    def judged(self, kept: Sequence[Sentence], support: Support) -> Check:
        """The check of a draft."""
        reason = self.reason(kept, support)
        severity = support.policy.severity.get(self.name, self.severity)
        return Check(
            name=self.name,
            result=CheckResult.FAILED if reason else CheckResult.PASSED,
            severity=severity,
            reason=reason,
        )
