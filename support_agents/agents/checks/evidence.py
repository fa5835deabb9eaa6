"""Checks that a sentence rests on what it cites: values, words, negation, conditions and the state of the order."""

from support_agents.agents.checks.rule import SentenceRule
from support_agents.agents.checks.support import Support, content_words, normal, words_only
from support_agents.domain.orders import OrderStatus
from support_agents.domain.sections import Sentence, Severity
from support_agents.wording.traits import Trait, denies_something, has
from support_agents.wording.values import unconfirmed, values_in

_BORNE_OUT = 0.5
_AFTER_SHIPPING = frozenset({OrderStatus.SHIPPED, OrderStatus.DELIVERED, OrderStatus.RETURNED})
_STATES: dict[Trait, frozenset[OrderStatus]] = {
    Trait.SAYS_NOT_SHIPPED: frozenset({OrderStatus.PROCESSING, OrderStatus.CANCELLED}),
    Trait.SAYS_SHIPPED: _AFTER_SHIPPING,
    Trait.SAYS_DELIVERED: frozenset({OrderStatus.DELIVERED, OrderStatus.RETURNED}),
    Trait.SAYS_CANCELLED: frozenset({OrderStatus.CANCELLED}),
    Trait.SAYS_RETURNED: frozenset({OrderStatus.RETURNED}),
}


def _citation_or_fact(sentence: Sentence, support: Support) -> str:
    """Every sentence that states something names a retrieved passage or a verified fact."""
    if sentence.courtesy:
        return ""
    for citation in sentence.citations:
        passage = support.passage(citation.passage_id)
        if passage is None or normal(citation.quote) not in normal(passage.text):
            return "it cites something that was not retrieved"
    for name in sentence.facts:
        if name.startswith("open."):
            if support.phrases is None or not support.phrases.is_open(sentence.text):
                return "it names a question as open in words that are not ours"
        elif not support.facts.get(name):
            return f"there is no verified fact “{name}”"
    return "" if sentence.citations or sentence.facts else "it rests on no passage and on no verified fact"


def _grounded_values(sentence: Sentence, support: Support) -> str:
    """Every number, date, amount, percentage and address stands in the cited passage or in a verified fact."""
    stated = values_in(words_only(sentence.text))
    missing = unconfirmed(stated, support.values(sentence)) if stated else ()
    named = ", ".join(f"“{value.text}”" for value in missing)
    return f"{named} is in no cited passage and no verified fact" if missing else ""


def _supported_by_quote(sentence: Sentence, support: Support) -> str:
    """Most content words of a cited sentence stand in what it cites or in the facts it names."""
    if not sentence.citations or support.is_verbatim(sentence):
        return ""
    words = content_words(words_only(sentence.text))
    known = frozenset().union(
        *(content_words(f"{p.title} {p.heading} {p.text}") for p in support.cited(sentence)),
        *(content_words(support.facts.get(name, "")) for name in sentence.facts),
    )
    share = len(words & known) / len(words) if words else 1.0
    return "" if share >= _BORNE_OUT else "the cited passage does not say this"


def _condition_kept(sentence: Sentence, support: Support) -> str:
    """A negation or condition of the quote is not lost, and none is added."""
    if not sentence.citations or support.is_verbatim(sentence):
        return ""
    said = words_only(sentence.text)
    quotes = " ".join(citation.quote for citation in sentence.citations)
    denied = any(denies_something(citation.quote, said, support.language) for citation in sentence.citations)
    if has(Trait.NEGATION, said, support.language) != (denied or _heading_denies(sentence, said, support)):
        return "the cited passage says the opposite, or its “not” was lost"
    lost = has(Trait.STRONG_CONDITION, quotes, support.language) and not has(
        Trait.STRONG_CONDITION, said, support.language
    )
    return "the condition of the cited passage was lost" if lost else ""


def _heading_denies(sentence: Sentence, said: str, support: Support) -> bool:
    """Whether `said` repeats the “not” of a heading whose list it quotes."""
    return has(Trait.NEGATION, said, support.language) and any(
        has(Trait.NEGATION, passage.heading, support.language) for passage in support.cited(sentence)
    )


def _order_status(sentence: Sentence, support: Support) -> str:
    """What a sentence says of the state of this order is what the order system says."""
    order = support.drafting.order
    if sentence.courtesy or support.is_verbatim(sentence):
        return ""
    said = words_only(sentence.text)
    if order is None:
        claims = not sentence.citations and any(has(trait, said, support.language) for trait in _STATES)
        return "the order is not known" if claims else ""
    for trait, statuses in _STATES.items():
        if has(trait, said, support.language) and order.status not in statuses:
            return f"the order is {order.status.value}"
    return ""


CITATION_OR_FACT = SentenceRule("citation_or_fact", Severity.DROP, _citation_or_fact)
GROUNDED_VALUES = SentenceRule("grounded_values", Severity.DROP, _grounded_values)
SUPPORTED_BY_QUOTE = SentenceRule("supported_by_quote", Severity.DROP, _supported_by_quote)
CONDITION_KEPT = SentenceRule("condition_kept", Severity.DROP, _condition_kept)
ORDER_STATUS = SentenceRule("order_status", Severity.DROP, _order_status)
