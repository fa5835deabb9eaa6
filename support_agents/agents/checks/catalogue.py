"""Every check on a sentence or a draft, in the order they are shown: a new one is a file and one line here."""

from support_agents.agents.checks import (
    claims,
    courtesy,
    evidence,
    leaks,
    length,
    links,
    meaning,
    policy_claims,
    privacy,
    tone,
)
from support_agents.agents.checks.rule import DraftRule, SentenceRule
from support_agents.domain.errors import SupportError
from support_agents.domain.sections import Severity
from support_agents.policy.ledger import PolicyLedger

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


WHOLE_RULES: tuple[DraftRule, ...] = (length.CHANNEL_LENGTH,)


def refuse_unknown(ledger: PolicyLedger) -> None:
    """Raise `SupportError` for a name in `checks.severity` that is no check's, or a severity that one cannot have."""
    whole = {rule.name for rule in WHOLE_RULES}
    known = {rule.name for rule in RULES} | whole
    place = f"{'' if ledger.checks_from is None else f'{ledger.checks_from}: '}checks.severity"
    for name, severity in ledger.checks.severity.items():
        if name not in known:
            told = f"{place}: there is no check “{name}”; known: {', '.join(sorted(known))}"
            raise SupportError("policy_invalid", told)
        if name in whole and severity is Severity.DROP:
            told = f"{place}.{name}: it judges the whole draft, so it can flag or block but drop no sentence"
            raise SupportError("policy_invalid", told)
