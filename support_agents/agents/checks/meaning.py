"""Checks that a sentence in other words than its source still says the same; a quoted one is not asked."""

from support_agents.agents.checks.differences import Sign, differences
from support_agents.agents.checks.rule import SentenceRule
from support_agents.agents.checks.source import read
from support_agents.agents.checks.support import Support, words_only
from support_agents.domain.sections import Sentence, Severity
from support_agents.wording.traits import Trait, has

# These change what is said; the others may only say more or less of it than the source, or name things by other names.
_CONTRADICTS = frozenset({Sign.NUMBER, Sign.UNIT, Sign.OPPOSITE, Sign.NEGATION, Sign.NEGATION_LOST, Sign.ROLE_SWAP})
_OVERSTATES = frozenset(Sign) - _CONTRADICTS
UNSUPPORTED = 0.5
"""How sure the model must be, in the product and in `eval grounding` alike."""


def _contradiction(sentence: Sentence, support: Support) -> str:
    return _found(sentence, support, _CONTRADICTS)


def _overstatement(sentence: Sentence, support: Support) -> str:
    return _found(sentence, support, _OVERSTATES)


def _unsupported(sentence: Sentence, support: Support) -> str:
    """The word of the installation's own model of entailment, if it has one, on what the signs cannot see."""
    if support.entailment is None or not _is_asked(sentence, support):
        return ""
    sure = support.entailment.unsupported(support.source(sentence).text, words_only(sentence.text))
    return f"the entailment model does not find it in the source ({sure:.0%} sure)" if sure >= UNSUPPORTED else ""


def _is_asked(sentence: Sentence, support: Support) -> bool:
    """Not approved wording, nor what states facts of the order, which others check, nor a quote."""
    plain = bool(sentence.citations) and not sentence.facts
    return plain and not support.is_verbatim(sentence) and not support.is_macro(sentence)


def _found(sentence: Sentence, support: Support, signs: frozenset[Sign]) -> str:
    """The reason of the first of `signs`."""
    if not _is_asked(sentence, support):
        return ""
    source = support.source(sentence)
    if any(has(Trait.NEGATION, passage.heading, support.language) for passage in support.cited(sentence)):
        signs -= {Sign.NEGATION}  # the list below a heading that says “not” need not repeat it
    lines = read(words_only(sentence.text)).lines
    quoted = tuple(line for citation in sentence.citations for line in read(citation.quote).lines)
    found = (one for line in lines for one in differences(line, source, support.language, quoted=quoted))
    return next((one.reason for one in found if one.sign in signs), "")


SAYS_THE_SAME = SentenceRule("says_the_same", Severity.DROP, _contradiction)
FOLLOWS = SentenceRule("follows_from_source", Severity.FLAG, _unsupported)
SAYS_NO_MORE = SentenceRule("says_no_more", Severity.FLAG, _overstatement)
