"""What a check is: a name, what follows when it fails, and how it finds its reason; it knows none of them."""

from collections.abc import Callable
from dataclasses import dataclass

from support_agents.agents.checks.support import Support
from support_agents.domain.sections import Check, CheckResult, Sentence, Severity

Reason = Callable[[Sentence, Support], str]
"""Returns why the sentence fails, in a person's words; empty when it passes. Pure, a fraction of a millisecond."""


@dataclass(frozen=True)
class SentenceRule:
    """One check on one sentence; the policy file may set another severity."""

    name: str
    severity: Severity
    reason: Reason

    def apply(self, sentence: Sentence, index: int, support: Support) -> Check:
        """Judge the sentence."""
        reason = self.reason(sentence, support)
        return Check(
            name=self.name,
            result=CheckResult.FAILED if reason else CheckResult.PASSED,
            severity=support.policy.severity.get(self.name, self.severity),
            reason=reason,
            sentence=index,
        )
