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


def _contradiction(sentence: Sentence, support: Support) -> str:
    return _found(sentence, support, _CONTRADICTS)


def _overstatement(sentence: Sentence, support: Support) -> str:
    return _found(sentence, support, _OVERSTATES)


def _found(sentence: Sentence, support: Support, signs: frozenset[Sign]) -> str:
    """The first of `signs`; approved wording is not asked, nor what states facts of the order, which others check."""
    if not sentence.citations or sentence.facts or support.is_verbatim(sentence) or support.is_macro(sentence):
        return ""
    source = support.source(sentence)
    if any(has(Trait.NEGATION, passage.heading, support.language) for passage in support.cited(sentence)):
        signs -= {Sign.NEGATION}  # the list below a heading that says “not” need not repeat it
    lines = read(words_only(sentence.text)).lines
    quoted = tuple(line for citation in sentence.citations for line in read(citation.quote).lines)
    found = (one for line in lines for one in differences(line, source, support.language, quoted=quoted))
    return next((one.reason for one in found if one.sign in signs), "")


SAYS_THE_SAME = SentenceRule("says_the_same", Severity.DROP, _contradiction)
SAYS_NO_MORE = SentenceRule("says_no_more", Severity.FLAG, _overstatement)
