"""A person's edit of a proposed reply: the run's own checks again, then a new request in the old one's place."""

from dataclasses import dataclass
from time import monotonic

from api.alternatives import alternatives_of
from approvals.canonical import CanonicalReply, Sealed, unseal
from approvals.modals import Alternative
from approvals.ports import Person
from approvals.queue import ApprovalQueue
from db.engine import Database
from support_agents.domain.budget import Budget
from support_agents.domain.deadline import Deadline
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RequestId, RunId, new_id
from support_agents.domain.runs import Rechecked, Run
from support_agents.runner import TicketRunner

LONGEST = 20_000
_SECONDS = 2.0


@dataclass(frozen=True)
class Edited:
    """What became of an edit that passed."""

    request_id: RequestId
    digest: str
    rechecked: Rechecked


@dataclass(frozen=True)
class Editing:
    """Reads, checks and replaces in three steps; no transaction is open while the checks run."""

    database: Database
    runner: TicketRunner
    queue: ApprovalQueue

    async def edit(self, request_id: RequestId, *, text: str, digest: str | None, person: Person) -> Edited:
        """Replace a pending reply's text; `digest`, when given, must be that of the version the person was shown."""
        async with self.database.read() as uow:
            request = await uow.approvals.get(request_id)
            ticket = await uow.tickets.get(request.ticket_id) if request else None
            if request is None or ticket is None or request.workspace_id != person.workspace:
                raise SupportError("not_found", "no such approval request")
            snapshot = await uow.tickets.snapshot(ticket)
            sections = await uow.runs.sections(request.run_id)
        rechecked = self.runner.recheck(sections, snapshot, text)
        replaced = await self.queue.replace(
            request_id, digest=digest or request.digest, rechecked=rechecked, person=person
        )
        async with self.database.read() as uow:
            made = await uow.approvals.get(replaced)
        if made is None:
            raise SupportError("not_found", "the new request is gone already")
        return Edited(replaced, made.digest, rechecked)

    async def alternatives(self, request_id: RequestId) -> dict[Alternative, str]:
        """Texts that can take the reply's place by one tap; none for money."""
        async with self.database.read() as uow:
            request = await uow.approvals.get(request_id)
            ticket = await uow.tickets.get(request.ticket_id) if request else None
            if request is None or ticket is None:
                return {}
            snapshot = await uow.tickets.snapshot(ticket)
            sections = await uow.runs.sections(request.run_id)
        action = unseal(Sealed(request.canonical, request.digest))
        if not isinstance(action, CanonicalReply):
            return {}
        run = Run(RunId(new_id()), request.workspace_id, Deadline(monotonic() + _SECONDS), Budget())
        another = await self.runner.another_reply(sections, snapshot, run)
        return alternatives_of(sections, snapshot, action.text, macro=another)
