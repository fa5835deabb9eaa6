"""A run in a few numbers that can be compared with those of other runs; it judges none and keeps no text."""

from collections.abc import Mapping
from math import log1p
from typing import NamedTuple

from support_agents.domain.action import IssueRefund
from support_agents.domain.runs import Sections
from support_agents.domain.ticket import TicketSnapshot

# Numbers of different versions are never compared: raise it when the meaning or the order of a field changes.
VERSION = "1"


class Features(NamedTuple):
    """Counts and amounts are logarithms, so that twice as much is as far at every size."""

    words: float
    asks: float
    certainty: float
    likeness: float
    figures: float
    links: float
    files: float
    messages: float
    worth: float
    refund: float
    reply: float


# What a person is told when a number lies far above, or far below, what is usual.
WORDS: Mapping[str, tuple[str, str]] = {
    "words": ("a much longer message", "a much shorter message"),
    "asks": ("more asks at once", "fewer asks"),
    "certainty": ("a clearer case", "a case that is hard to name"),
    "likeness": ("articles that fit much better", "articles that hardly fit"),
    "figures": ("many figures in the message", "no figures in the message"),
    "links": ("links in the message", "no links"),
    "files": ("more files", "no files"),
    "messages": ("a much longer conversation", "a new conversation"),
    "worth": ("an order of much higher worth", "an order of much lower worth"),
    "refund": ("a much higher refund", "a much lower refund"),
    "reply": ("a much longer reply", "a much shorter reply"),
}


def features_of(ticket: TicketSnapshot, sections: Sections) -> Features | None:
    """The numbers of a run; None for one that ended before it was understood."""
    screening, intent, plan = sections.screening, sections.intent, sections.plan
    if screening is None or intent is None or not intent.intents:
        return None
    text = screening.clean_text
    passages = sections.retrieval.passages if sections.retrieval else ()
    order = plan.order if plan else None
    refunds = [action.amount.minor for action in (plan.actions if plan else ()) if isinstance(action, IssueRefund)]
    newest = ticket.messages[-1] if ticket.messages else None
    return Features(
        words=log1p(len(text.split())),
        asks=log1p(len(intent.asks)),
        certainty=intent.top.probability,
        likeness=max((each.similarity for each in passages), default=0.0),
        figures=log1p(sum(map(str.isdigit, text))),
        links=log1p(text.count("://")),
        files=log1p(len(newest.attachments) if newest else 0),
        messages=log1p(len(ticket.messages)),
        worth=log1p(order.total.minor) if order else 0.0,
        refund=log1p(sum(refunds)),
        reply=log1p(len(sections.draft.text.split()) if sections.draft else 0),
    )
