"""Decisions from a team messenger: approve, reject, undo, disown; who asks is proved before, bytes by their digest."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from approvals.authority import require_role
from approvals.canonical import Sealed, unseal
from approvals.card_reading import blocked_by
from approvals.execution import Executions
from approvals.interactions import About
from approvals.lifecycle import RequestTrigger
from approvals.linking import Linking
from approvals.ports import Person
from approvals.presence import require_present
from approvals.queue import ApprovalQueue, Decided
from approvals.submission import RECORD_TARGET
from approvals.wording import KINDS
from db.engine import Database
from db.models.slack import LinkEnd
from db.read_models.desk import held_until, scheduled_by, subject_of, undecided_by
from db.repositories.approvals import ApprovalRequest
from db.uow import UnitOfWork
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import DecisionVerdict, RejectReason, RequestStatus, Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import ExecutionId, RequestId, WorkspaceId

# A card that changes under a finger must not be decided by it.
STILL = timedelta(seconds=3)
# How long a request that somebody took from the queue is marked as theirs.
CLAIM = timedelta(minutes=3)
NOT_ME = "the approver’s Slack account says that it was not them"


@dataclass(frozen=True)
class Seen:
    """The message that was clicked; empty for what is no message. A whispered one is painted by answers to clicks.

    `waited` is how long ago the click came.
    """

    place: str = ""
    ref: str = ""
    whispered: bool = False
    waited: timedelta = timedelta()


@dataclass(frozen=True)
class Disowned:
    """What came of `Not me`: how many actions could still be stopped, and how many had left."""

    stopped: int
    too_late: int


@dataclass(frozen=True)
class Desk:
    """Every use case is committed when it returns."""

    database: Database
    queue: ApprovalQueue
    linking: Linking
    executions: Executions
    still: timedelta = STILL

    async def approve(self, person: Person, about: About, seen: Seen) -> Decided:
        """Approve exactly these bytes, unless the card changed just now or holds what nobody can see."""
        async with self.database.read() as uow:
            came_at = await uow.now()  # before its turn at the request's lock, which may be long in coming

        async def look(uow: UnitOfWork, request: ApprovalRequest) -> None:
            await _require_still(uow, request, person, seen, since=came_at - seen.waited - self.still)
            _require_visible(request)

        return await self.queue.decide(
            about.request_id, digest=about.digest, verdict=DecisionVerdict.APPROVE, person=person, look=look
        )

    async def reject(self, person: Person, about: About, reason: RejectReason, words: str) -> Decided:
        """Reject for a reason of the list, with words of one's own."""
        return await self._reject(person, about, said(reason, words))

    async def pass_on(self, person: Person, about: About, group: str = "another group") -> Decided:
        """Give the ticket to a group: nothing is sent, and whoever takes it reads why."""
        return await self._reject(person, about, f"passed on to {group}")

    async def named(self, person: Person, request_id: RequestId) -> str:
        """Return what a request is about in one line, from its row and its ticket alone."""
        async with self.database.read() as uow:
            about = await subject_of(uow, person.workspace, request_id)
        if about is None:
            raise SupportError("not_found", "there is no such request")
        if about.amount is not None:
            what = f"refund {about.amount} for {about.target}"
        elif about.kind is not ActionKind.SEND_REPLY:
            of = "" if about.target == RECORD_TARGET else f" ({about.target})"
            what = f"{KINDS[about.kind].lower()}{of}"
        else:
            what = f"reply to {about.customer}"
        return f"{what}: {about.subject}" if about.subject else what

    async def undo(self, person: Person, request_id: RequestId) -> ExecutionId:
        """Take an approved action back while its window is open."""
        require_role(person.role, Role.APPROVER)
        async with self.database.read() as uow:
            await require_present(uow, person)
            execution = await uow.executions.by_request((await mine(uow, person.workspace, request_id)).id)
        if execution is None:
            raise SupportError("too_late", "there is nothing to take back")
        await self.executions.cancel(execution.id, workspace=person.workspace, actor=str(person.operator_id))
        return execution.id

    async def disown(self, person: Person, about: About) -> Disowned:
        """It was not me: end this account's link first, then stop all it approved that can still be stopped."""
        async with self.database.read() as uow:
            request = await mine(uow, person.workspace, about.request_id)
            decided = [d for d in await uow.approvals.decisions(request.id) if d.operator_id == person.operator_id]
        if not decided:
            raise SupportError("not_allowed", "this decision is not yours")
        session = decided[-1].session_id
        await self.linking.end(person, LinkEnd.FROZEN)
        async with self.database.write("disown") as uow:
            await uow.audit.append(
                workspace=person.workspace, event="decision.disowned", subject=request.id,
                actor=str(person.operator_id), data={"session": str(session)},
            )  # fmt: skip
            counted = await undecided_by(uow, session)
            scheduled = await scheduled_by(uow, session)
        withdrawn = [await self._withdraw(each) for each in counted]
        stopped = [await self._stop(person, each) for each in scheduled]
        return Disowned(stopped=sum(withdrawn) + sum(stopped), too_late=len(stopped) - sum(stopped))

    async def _stop(self, person: Person, execution_id: ExecutionId) -> bool:
        try:
            await self.executions.cancel(
                execution_id, workspace=person.workspace, actor=str(person.operator_id), reason=NOT_ME
            )
        except SupportError as error:
            if error.retryable:
                raise
            return False
        return True

    async def _withdraw(self, request_id: RequestId) -> bool:
        """Close a request whose approval has not led to an execution yet; the ticket returns to people."""
        async with self.database.write("withdraw") as uow:
            seen = await uow.approvals.get(request_id)
            ticket = await uow.tickets.lock(seen.ticket_id) if seen else None
            request = await uow.approvals.lock(request_id)
            if ticket is None or request is None or await uow.executions.by_request(request.id) is not None:
                return False
            if request.status not in {RequestStatus.PENDING, RequestStatus.APPROVED}:
                return False
            await self.queue.consequences.close(uow, request, RequestTrigger.SUPERSEDED, reason=NOT_ME)
            await uow.tickets.needs_person(ticket.id, NOT_ME)
            return True

    async def _reject(self, person: Person, about: About, reason: str) -> Decided:
        return await self.queue.decide(
            about.request_id, digest=about.digest, verdict=DecisionVerdict.REJECT, person=person, reason=reason
        )


async def _require_still(
    uow: UnitOfWork, request: ApprovalRequest, person: Person, seen: Seen, *, since: datetime
) -> None:
    """Refuse a click on a message that was repainted, or now shows another request, later than `since`."""
    changed = None
    if seen.whispered:
        until = await held_until(uow, person.operator_id, request.id)
        changed = until - CLAIM if until is not None else None
    elif seen.ref:
        shown = await uow.posted_cards.at(request.workspace_id, place=seen.place, ref=seen.ref)
        changed = shown.rendered_at if shown is not None and shown.version > 1 else None
    if changed is not None and changed > since:
        raise SupportError("changed_just_now", "this card changed a moment ago: look at it again, then decide")


async def mine(uow: UnitOfWork, workspace: WorkspaceId, request_id: RequestId) -> ApprovalRequest:
    """The request, if it is this workspace's."""
    request = await uow.approvals.get(request_id)
    if request is None or request.workspace_id != workspace:
        raise SupportError("not_found", "there is no such request")
    return request


def said(reason: RejectReason, words: str) -> str:
    """A typed reason with the person's own words."""
    return f"{reason.label}: {words}" if words else reason.label


def _require_visible(request: ApprovalRequest) -> None:
    blocked = blocked_by(unseal(Sealed(request.canonical, request.digest)))
    if blocked:
        raise SupportError("blocked", "; ".join(blocked))
