"""Checks on what a draft says of ourselves: no promise that was not proposed, nothing about files nobody opened."""

from support_agents.agents.checks.rule import SentenceRule
from support_agents.agents.checks.support import Support, words_only
from support_agents.domain.action import IssueRefund
from support_agents.domain.orders import OrderStatus
from support_agents.domain.sections import Sentence, Severity
from support_agents.wording.traits import Trait, has, words_of

_GROUPS = (Trait.ACTION_REFUND, Trait.ACTION_SHIP, Trait.ACTION_CANCEL, Trait.ACTION_OTHER)


def _no_unproposed_promise(sentence: Sentence, support: Support) -> str:
    """No action is promised or reported that is neither proposed nor a verified fact; a quoted policy may name any."""
    if sentence.courtesy or support.is_verbatim(sentence):
        return ""
    said = words_only(sentence.text)
    if not has(Trait.PROMISE, said, support.language):
        return ""
    allowed = _allowed(sentence, support)
    for group in _GROUPS:
        words = words_of(group, said, support.language)
        if words and group not in allowed:
            return f"it promises or reports “{words[0]}”, which nobody has been asked to approve"
    return ""


def _allowed(sentence: Sentence, support: Support) -> frozenset[Trait]:
    """The kinds of action that this sentence states as a proposed action or as a verified fact."""
    order, found = support.drafting.order, set()
    refunds = {f"action.{a.ref}" for a in support.drafting.actions if isinstance(a, IssueRefund)}
    if refunds & {*sentence.facts}:
        found.add(Trait.ACTION_REFUND)
    if order is None:
        return frozenset(found)
    names = {name for name in sentence.facts if name.startswith("order.")}
    if "order.refunded" in names and order.refunded.minor > 0:
        found.add(Trait.ACTION_REFUND)
    said = words_only(sentence.text)
    if names and any(has(trait, said, support.language) for trait in (Trait.SAYS_SHIPPED, Trait.SAYS_NOT_SHIPPED)):
        found.add(Trait.ACTION_SHIP)  # whether that is true is another check's question
    if names and order.status is OrderStatus.CANCELLED:
        found.add(Trait.ACTION_CANCEL)
    return frozenset(found)


def _attachments(sentence: Sentence, support: Support) -> str:
    """Nothing is asked for that is attached already, and nobody claims to have looked at a file."""
    said = words_only(sentence.text)
    if has(Trait.SEEN, said, support.language) and not support.is_verbatim(sentence):
        return "it claims to have seen a file that nobody has opened"
    if support.drafting.attachments and has(Trait.EVIDENCE, said, support.language):
        return "it asks for or speaks of files although something is attached already"
    return ""


NO_UNPROPOSED_PROMISE = SentenceRule("no_unproposed_promise", Severity.DROP, _no_unproposed_promise)
ATTACHMENTS = SentenceRule("attachments", Severity.DROP, _attachments)
