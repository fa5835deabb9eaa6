"""Whether the evidence lists this very thing as excepted from returning; then no general rule is stated."""

from collections.abc import Iterator

from support_agents import linear
from support_agents.domain.knowledge import Passage
from support_agents.domain.orders import OrderStatus
from support_agents.domain.sections import DraftingGiven
from support_agents.screening.terms import terms
from support_agents.wording.segments import split_sentences
from support_agents.wording.traits import Trait, has

RETURNING = frozenset({"return_request", "refund_request", "exchange_request"})
_BETWEEN = linear.compile(r"[,;:]|\b(?:and|or|und|oder|et|ou)\b| y | o ")
# Words of such lists that name no thing.
_NO_THING = frozenset(
    terms("item items article articles artikel artículo artículos produit product products order such as")
)


def is_excepted(given: DraftingGiven) -> bool:
    """Whether the order's item, or something the customer names, stands in a list of what cannot be returned."""
    item = given.order.item if given.order is not None else ""
    if given.order is not None and given.order.status is OrderStatus.RETURNED:
        return False  # it has been taken back
    theirs = frozenset(terms(f"{item} {given.text}"))
    things = [thing for found in given.passages for text in _excepted(found.passage) for thing in _things(text)]
    return any(thing <= theirs for thing in things if thing)


def _things(item: str) -> Iterator[frozenset[str]]:
    """The things that a list item names, each as the words that must all be there."""
    for part in _BETWEEN.split(item):
        yield frozenset(terms(part)) - _NO_THING


def _excepted(passage: Passage) -> tuple[str, ...]:
    """The list items below a heading, or behind a lead-in, that says what cannot be returned."""
    lines = [segment.text for segment in split_sentences(passage.text)]
    heading = has(Trait.EXCLUDES, f"{passage.title} {passage.heading}", passage.language)
    lead_in = any(line.endswith(":") and has(Trait.EXCLUDES, line, passage.language) for line in lines)
    return tuple(line for line in lines if line[:1] in "-*•") if heading or lead_in else ()
