"""What was said on a ticket before its newest message, in a few lines; it asks no model and judges nothing."""

from support_agents.domain.ticket import Author, Message, TicketSnapshot
from support_agents.screening import injection, quoting
from support_agents.wording.segments import split_sentences

_TURNS = 4
_LONGEST_TURN = 240
_LEAST_WORDS = 4
_LONGEST_READ = 4_000
_SPEAKERS = {Author.CUSTOMER: "Customer", Author.OPERATOR: "We"}


def earlier(ticket: TicketSnapshot) -> tuple[str, ...]:
    """Return the last asks and answers, oldest first, a line each: who spoke, and the sentences that say something.

    Quoted history and sentences that try to instruct software are left out, so that nothing is told twice and what
    was judged once does not come in again through a later message.
    """
    newest = ticket.last_from_customer
    before = [message for message in ticket.messages if message is not newest and message.author in _SPEAKERS]
    lines = [(message, _said(message)) for message in before[-_TURNS:]]
    return tuple(f"{_SPEAKERS[message.author]}: {said}" for message, said in lines if said)


def _said(message: Message) -> str:
    text = quoting.newest(message.text[:_LONGEST_READ])
    text = injection.without(text, injection.find_all(text))
    said = ""
    for segment in split_sentences(" ".join(text.split())):
        if len(segment.text.split()) < _LEAST_WORDS:
            continue
        if len(said) + len(segment.text) > _LONGEST_TURN:
            break
        said = f"{said} {segment.text}".strip()
    return said
