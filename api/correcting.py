"""A person's word on what a message was about, kept as an example to train on; it changes no run and no ticket."""

from collections.abc import Collection
from dataclasses import dataclass
from secrets import token_bytes

import re2

from approvals.authority import require_role
from approvals.ports import Person
from db.engine import Database
from support_agents.domain.approval import Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RunId, TicketId
from support_agents.domain.intent import Correction
from support_agents.domain.runs import RunRecord
from support_agents.screening.pii import mask

_SHORTEST_NAME = 3
_NAME = "[NAME]"


@dataclass(frozen=True)
class Corrected:
    """What was kept, and the ticket that it concerns."""

    ticket_id: TicketId
    guessed: str
    intent: str


@dataclass(frozen=True)
class Correcting:
    """Keeps corrections; `known` are the intents of the model in use, `unknown` among them."""

    database: Database
    known: Collection[str]

    async def correct(self, run_id: RunId, *, intent: str, person: Person) -> Corrected:
        """Keep the run's message under another intent (or the same, as confirmed), without personal identifiers.

        The same answer by the same person again – a double click, a form sent twice – is kept and on record once.
        Raises `not_allowed` below an approver, `not_found`, and `invalid` for an intent that the model has not or a
        run that read no words.
        """
        require_role(person.role, Role.APPROVER)
        if intent not in self.known:
            raise SupportError("invalid", f"Choose one of the intents in use: {', '.join(sorted(self.known))}.")
        async with self.database.write("intent_corrected") as uow:
            record = await uow.runs.load(run_id)
            ticket = await uow.tickets.get(record.ticket_id)
            if ticket is None or record.workspace != person.workspace:
                raise SupportError("not_found", "There is no such run.")
            correction = _correction(record, intent, ticket.requester_name)
            if await uow.intent_corrections.keep(person.workspace, run_id, person.operator_id, correction):
                await uow.audit.append(
                    workspace=person.workspace,
                    event="intent_corrected",
                    subject=run_id,
                    actor=str(person.operator_id),
                    data={"guessed": correction.guessed, "intent": intent},
                )
        return Corrected(record.ticket_id, correction.guessed, intent)


def _correction(record: RunRecord, intent: str, name: str) -> Correction:
    screening, understood = record.sections.screening, record.sections.intent
    if screening is None or understood is None or not understood.intents or not screening.clean_text.strip():
        raise SupportError("invalid", "This run read no words that could be learnt from.")
    return Correction(
        text=without_identifiers(screening.clean_text, name),
        language=screening.language,
        guessed=understood.top.name,
        intent=intent,
        model_version=understood.model_version,
    )


def without_identifiers(text: str, name: str) -> str:
    """Return a text with kinds in place of personal identifiers: `[EMAIL]`, and `[NAME]` for the customer's name.

    Which of two addresses it was is nothing to learn from, so one kind has one word.
    """
    masked = mask(text, token_bytes(16))
    text = masked.text
    for placeholder in masked.restore:
        text = text.replace(placeholder, f"{placeholder.rpartition('_')[0]}]")
    for part in (name.strip(), *name.split()):
        if len(part) >= _SHORTEST_NAME:
            text = re2.sub(rf"\b{re2.escape(part)}\b", _NAME, text)
    return text
