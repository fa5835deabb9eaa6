"""What a message was about, said by a person in a team messenger: kept as an example; it decides nothing."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from approvals.authority import RANK, require_role
from approvals.card import Card
from approvals.desk import mine
from approvals.interactions import About
from approvals.modals import LONGEST_INTENT, MOST_INTENTS
from approvals.ports import Person
from db.engine import Database
from db.uow import UnitOfWork
from support_agents.domain.approval import Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RunId, TicketId
from support_agents.domain.runs import RunRecord


class Corrector(Protocol):
    """Keeps corrections for every surface, by the same rules and on the same record."""

    @property
    def known(self) -> Collection[str]:
        """The intents of the model in use."""
        ...

    async def correct(self, run_id: RunId, *, intent: str, person: Person) -> object:
        """Keep the run's message under another intent, in this person's name; the same answer again changes nothing."""
        ...


@dataclass(frozen=True)
class Choices:
    """The intents to choose from, the likeliest first; `left` counts those beyond what a list holds.

    `present` is what a person said before, or else the model's guess; `guessed` the latter alone.
    """

    ticket_id: TicketId
    intents: tuple[str, ...]
    present: str
    guessed: str
    left: int = 0


@dataclass(frozen=True)
class DeskCorrections:
    """Whoever may approve may correct, also what is decided or has expired: the message is the same."""

    database: Database
    corrector: Corrector

    def offered(self, person: Person, card: Card) -> bool:
        """Whether this person can be asked at all."""
        return bool(card.more.intent) and RANK[person.role] >= RANK[Role.APPROVER]

    async def begin(self, person: Person, about: About) -> Choices:
        """Return what can be said of the message behind a request."""
        require_role(person.role, Role.APPROVER)
        async with self.database.read() as uow:
            run = await _run_of(uow, person, about)
            said = (await uow.intent_corrections.intents(person.workspace, [run.run_id])).get(run.run_id, "")
        ranked = [score.name for score in run.sections.intent.intents] if run.sections.intent else []
        if not ranked:
            raise SupportError("invalid", "this run read no words that could be learnt from")
        known = {name for name in self.corrector.known if 0 < len(name) <= LONGEST_INTENT}
        likeliest = [name for name in dict.fromkeys((said, *ranked)) if name in known]
        all_of = (*likeliest, *sorted(known.difference(likeliest)))
        return Choices(
            ticket_id=run.ticket_id,
            intents=all_of[:MOST_INTENTS],
            present=said or ranked[0],
            guessed=ranked[0],
            left=max(0, len(all_of) - MOST_INTENTS),
        )

    async def keep(self, person: Person, about: About, intent: str) -> None:
        """Keep the answer as an example; raises what the console's form does, and when the run is gone."""
        async with self.database.read() as uow:
            run = await _run_of(uow, person, about)
        if intent not in self.corrector.known:
            raise SupportError("invalid", "this intent is not in use any more: open the form again and choose another")
        await self.corrector.correct(run.run_id, intent=intent, person=person)


async def _run_of(uow: UnitOfWork, person: Person, about: About) -> RunRecord:
    """The run that made the request's draft; bytes of another version are refused like anything not as we made it."""
    request = await mine(uow, person.workspace, about.request_id)
    if request.digest != about.digest:
        raise SupportError("digest_mismatch", "this is not the version that the card shows; look at it again")
    found = await uow.runs.records([request.run_id])
    if not found:
        raise SupportError("not_found", "the run behind this card is gone: there is nothing to learn from")
    return found[0]
