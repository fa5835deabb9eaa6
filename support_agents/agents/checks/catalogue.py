"""Every check on a sentence, in the order they are shown: a new one is a file of its own and one line here."""

from collections.abc import Iterable

from support_agents.agents.checks import claims, courtesy, evidence, leaks, links, meaning, policy_claims, privacy, tone
from support_agents.agents.checks.rule import SentenceRule
from support_agents.domain.errors import SupportError

RULES: tuple[SentenceRule, ...] = (
    evidence.CITATION_OR_FACT,
    evidence.GROUNDED_VALUES,
    evidence.SUPPORTED_BY_QUOTE,
    evidence.CONDITION_KEPT,
    meaning.SAYS_THE_SAME,
    meaning.SAYS_NO_MORE,
    meaning.FOLLOWS,
    policy_claims.POLICY_LEDGER,
    evidence.ORDER_STATUS,
    claims.NO_UNPROPOSED_PROMISE,
    privacy.NO_OTHER_PERSON,
    privacy.NO_INTERNAL,
    claims.ATTACHMENTS,
    courtesy.HONEST_COURTESY,
    links.SAFE_LINKS,
    leaks.NO_SECRET,
    leaks.NO_PROMPT,
    leaks.NOTHING_TAINTED,
    tone.NO_PROFANITY,
    tone.TONE,
    tone.NEVER_SAID,
    tone.NO_COMPETITOR,
    tone.NO_LEGAL_ADVICE,
)


def refuse_unknown(names: Iterable[str]) -> None:
    """Raise `SupportError` for a name in the policy file that is no check's."""
    known = {rule.name for rule in RULES}
    for name in names:
        if name not in known:
            raise SupportError("policy_invalid", f"checks.severity: there is no check “{name}”; known: {sorted(known)}")
