"""The check on courtesy: only our own phrases pass without evidence, so that no claim hides in politeness."""

from support_agents.agents.checks.rule import SentenceRule
from support_agents.agents.checks.support import Support
from support_agents.domain.sections import OrderAnswer, Sentence, Severity
from support_agents.wording.letters import is_courtesy

# Questions that say something of the look-up; each only after that answer.
_AFTER = {
    "question.order_check": frozenset({OrderAnswer.UNKNOWN}),
    "question.order_email": frozenset({OrderAnswer.NOT_THEIRS}),
}


def _honest_courtesy(sentence: Sentence, support: Support) -> str:
    """A sentence marked as courtesy is one of our phrases, word for word, and true of this case."""
    if not sentence.courtesy:
        return ""
    phrases = support.phrases
    if phrases is None or not is_courtesy(sentence.text, support.drafting):
        return "it passes for courtesy but is not one of our phrases"
    for key, answers in _AFTER.items():
        if sentence.text in phrases.line(key) and support.drafting.order_answer not in answers:
            return "it says of the order system what the order system did not say"
    return ""


HONEST_COURTESY = SentenceRule("honest_courtesy", Severity.DROP, _honest_courtesy)
