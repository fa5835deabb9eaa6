"""Checks of attention: a stored blocked draft is put to people as if it were sound; it is never carried out."""

from dataclasses import dataclass

from approvals.authority import require_role
from approvals.composing import Unfit
from approvals.ports import Person
from approvals.presence import require_present
from approvals.submission import REPLY_TARGET, Submission
from db.engine import Database
from db.read_models.approvers import blocked_runs
from db.uow import UnitOfWork
from support_agents.domain.action import ActionKind, SendReply
from support_agents.domain.approval import Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RequestId, RunId, WorkspaceId
from support_agents.domain.runs import RunRecord
from support_agents.domain.sections import Verdict


@dataclass(frozen=True)
class Seeds:
    """Opt-in: without `allowed` none can be planted. The database refuses an execution of one whatever happens here."""

    database: Database
    submission: Submission
    allowed: bool = False

    async def candidates(self, workspace: WorkspaceId, *, limit: int = 20) -> tuple[RunRecord, ...]:
        """Blocked drafts of the newest runs whose tickets have not moved on and have nothing pending."""
        if not self.allowed:
            return ()
        async with self.database.read() as uow:
            found = [record for record in await blocked_runs(uow, workspace) if await _is_fit(uow, record)]
        return tuple(found[:limit])

    async def plant(self, person: Person, run_id: RunId) -> RequestId:
        """Put a blocked draft to people: a manager's step, on record."""
        if not self.allowed:
            raise SupportError("not_allowed", "checks of attention are off: set SUPPORT_ATTENTION_CHECKS")
        async with self.database.write("seed") as uow:
            await require_present(uow, person)
            require_role(person.role, Role.MANAGER)
            record = await uow.runs.load(run_id)
            if record.workspace != person.workspace:
                raise SupportError("not_found", "no such run")
            ticket = await uow.tickets.lock(record.ticket_id)
            if ticket is None or not await _is_fit(uow, record):
                raise SupportError(
                    "conflict", "this draft cannot be seeded: its ticket has moved on or is being decided"
                )
            snapshot = await uow.tickets.snapshot(ticket)
            text = record.sections.draft.text if record.sections.draft else ""
            proposed = SendReply(to=ticket.requester_email, subject=ticket.subject, text=text)
            now = await uow.now()
            action = self.submission.composer.reply(proposed, record, snapshot, after=None, now=now)
            if isinstance(action, Unfit):
                raise SupportError("conflict", action.reason)
            made = await self.submission.insert(uow, action, ref="seed", now=now, seeded_by=person.operator_id)
            if isinstance(made, Unfit):
                raise SupportError("conflict", made.reason)
            await uow.audit.append(
                workspace=person.workspace, event="seed.planted", subject=made, actor=str(person.operator_id),
                data={"run": str(run_id), "session": str(person.session_id)},
            )  # fmt: skip
            return made


async def _is_fit(uow: UnitOfWork, record: RunRecord) -> bool:
    """Known to be bad, of the ticket as it is now, and nothing else on it waits for a decision."""
    compliance, draft = record.sections.compliance, record.sections.draft
    if compliance is None or draft is None or compliance.verdict is not Verdict.BLOCKED or not draft.text.strip():
        return False
    ticket = await uow.tickets.get(record.ticket_id)
    if ticket is None or ticket.revision != record.ticket_revision:
        return False
    pending = [(open_.kind, open_.target) for open_ in await uow.approvals.open_on(record.ticket_id)]
    return (ActionKind.SEND_REPLY, REPLY_TARGET) not in pending
