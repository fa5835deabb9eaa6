"""Texts that a reviewer can have by one tap: fewer sentences of the draft, or one question; it writes no new fact."""

from collections.abc import Sequence

from approvals.modals import Alternative
from support_agents.domain.runs import Sections
from support_agents.domain.sections import OrderAnswer, Sentence, written
from support_agents.domain.ticket import TicketSnapshot
from support_agents.pipeline import compliance_given
from support_agents.ports import Clock
from support_agents.redrafting import KEPT
from support_agents.wording.facts import fact_texts
from support_agents.wording.phrases import phrases_of


def alternatives_of(sections: Sections, ticket: TicketSnapshot, text: str, *, macro: str) -> dict[Alternative, str]:
    """Return those that there are, and that differ from `text`; `macro` is what the next best one would say."""
    found = {
        Alternative.MACRO: macro,
        Alternative.SHORTER: _shorter(sections.draft.sentences if sections.draft else ()),
        Alternative.ASK_ORDER: _asking(sections, ticket),
    }
    return {which: words for which, words in found.items() if words and words.strip() != text.strip()}


def slots_of(sections: Sections, ticket: TicketSnapshot, clock: Clock) -> dict[str, str]:
    """Return every verified fact of a run as it is written in a draft, by name."""
    given = compliance_given(sections, ticket, clock).drafting
    return fact_texts(given, given.language)


def _shorter(sentences: Sequence[Sentence]) -> str:
    """The greeting, the first things stated, the closing; nothing when there is no less to say."""
    stating = [place for place, sentence in enumerate(sentences) if not sentence.courtesy]
    if len(stating) <= KEPT:
        return ""
    dropped = set(stating[KEPT:])
    return written([sentence for place, sentence in enumerate(sentences) if place not in dropped])


def _asking(sections: Sections, ticket: TicketSnapshot) -> str:
    """One question for the order number, in the ticket's language; nothing when the order is known."""
    known = sections.plan is not None and sections.plan.order_answer is OrderAnswer.FOUND
    phrases = phrases_of(sections.screening.language) if sections.screening else None
    if known or phrases is None:
        return ""
    blocks = (phrases.greeting(ticket.requester.name), phrases.line("question.order_id"), phrases.line("signature"))
    return "\n\n".join(filter(None, blocks))
