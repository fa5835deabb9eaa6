"""The approval queue: where people decide on exact bytes; nothing is carried out here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from approvals.authority import Authority, require_not_own, require_role
from approvals.canonical import AnyAction, CanonicalReply, Sealed, same_digest, unseal
from approvals.composing import Unfit
from approvals.consequences import Consequences
from approvals.decision_seal import DecisionSeal
from approvals.edit_diff import diff_of
from approvals.entitlement import Entitlement, missing, money_of, still_counted
from approvals.lifecycle import RequestTrigger, request_after
from approvals.limits import Limits
from approvals.ports import Person
from approvals.presence import Present, require_present
from approvals.rendering import plain
from approvals.submission import Submission
from db.engine import Database
from db.repositories.approvals import ApprovalRequest, Decision, NewDecision
from db.repositories.tickets import Ticket
from db.uow import UnitOfWork
from support_agents.domain.approval import DecisionVerdict, RequestStatus, Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DecisionId, ExecutionId, RequestId, WorkspaceId, new_id
from support_agents.domain.runs import Rechecked, RunRecord
from support_agents.domain.sections import CheckResult, Verdict
from support_agents.domain.ticket import TicketSnapshot

BATCH = 100
CHECKED = "this was a check of attention: nothing was to be sent"


Look = Callable[[UnitOfWork, ApprovalRequest], Awaitable[None]]


async def anything(_uow: UnitOfWork, _request: ApprovalRequest) -> None:
    """Object to nothing."""


@dataclass(frozen=True)
class Decided:
    """What came of a decision; `approvals` counts distinct people, `missing` says who else must approve."""

    request_id: RequestId
    status: RequestStatus
    approvals: int
    missing: str = ""
    execution_id: ExecutionId | None = None
    not_before: datetime | None = None


@dataclass(frozen=True)
class Case:
    """A request with ticket and row locked, and its action as decoded from the very bytes."""

    request: ApprovalRequest
    ticket: Ticket
    action: AnyAction
    now: datetime


@dataclass(frozen=True)
class ApprovalQueue:
    """Submit, decide, replace, expire; every use case is one transaction."""

    database: Database
    authority: Authority
    submission: Submission
    consequences: Consequences
    seal: DecisionSeal = field(kw_only=True)

    @property
    def entitlement(self) -> Entitlement:
        """The table with its limits, in this business's days."""
        return Entitlement(self.authority, Limits(self.authority, self.consequences.hours))

    async def submit(self, uow: UnitOfWork, record: RunRecord, ticket: TicketSnapshot) -> tuple[RequestId, ...]:
        """Put a run's proposals to people, inside the caller's transaction."""
        return await self.submission.submit(uow, record, ticket)

    async def decide(  # noqa: PLR0913 - a decision is made of these
        self,
        request_id: RequestId,
        *,
        digest: str,
        verdict: DecisionVerdict,
        person: Person,
        reason: str = "",
        look: Look = anything,
    ) -> Decided:
        """Count a person's answer to exactly these bytes; the last approval needed schedules the execution.

        `look` raises where the surface has a reason of its own against it; it is asked under the request's lock.
        """
        async with self.database.write("decide") as uow:
            case = await self.open_case(uow, request_id, person.workspace, digest=digest)
            await look(uow, case.request)
            require_role(person.role, Role.APPROVER)
            present = await require_present(uow, person)
            if case.request.seeded_by is not None:
                return await self._checked(uow, case, person, verdict, reason)
            if verdict is DecisionVerdict.REJECT:
                return await self._reject(uow, case, person, reason)
            return await self._approve(uow, case, person, present, reason=reason)

    async def replace(self, request_id: RequestId, *, digest: str, rechecked: Rechecked, person: Person) -> RequestId:
        """Put a person's edit, already checked, in the place of a pending reply: new bytes, earlier approvals void."""
        _require_checked(rechecked)
        async with self.database.write("replace") as uow:
            case = await self.open_case(uow, request_id, person.workspace, digest=digest)
            require_role(person.role, Role.APPROVER)
            if not isinstance(case.action, CanonicalReply):
                raise SupportError("not_editable", "money and recipients cannot be edited")
            await require_present(uow, person)
            edited = self.submission.composer.edited(case.action, rechecked.text, now=case.now)
            await self.consequences.close(
                uow, case.request, RequestTrigger.SUPERSEDED, reason="edited", actor=str(person.operator_id)
            )
            made = await self.submission.insert(
                uow,
                edited,
                ref=case.request.ref,
                now=case.now,
                supersedes=case.request.id,
                seeded_by=case.request.seeded_by,
            )
            if isinstance(made, Unfit):
                raise SupportError("not_allowed", made.reason)
            await uow.reviewing.add_edit(
                person.workspace, person.operator_id, request=request_id, replaced_by=made,
                diff=diff_of(case.action.text, edited.text),
            )  # fmt: skip
            await uow.reviewing.drop_unsent(person.operator_id, case.ticket.id)
            return made

    async def expire_due(self) -> int:
        """Expire requests whose time is over and return their tickets to people; returns how many."""
        async with self.database.read() as uow:
            due = await uow.approvals.expired(limit=BATCH)
        return sum([await self._expire(request) for request in due])

    async def sweep_superseded(self) -> int:
        """Repaint requests that their ticket's newer revision has already made undecidable; returns how many."""
        async with self.database.read() as uow:
            stale = await uow.approvals.stale(limit=BATCH)
        return sum([await self._sweep(request) for request in stale])

    async def _expire(self, seen: ApprovalRequest) -> bool:
        async with self.database.write("expire") as uow:
            ticket, request = await _locked(uow, seen)
            if request.status is not RequestStatus.PENDING or request.expires_at > await uow.now():
                return False
            reason = "nobody decided in time: needs a fresh draft"
            await self.consequences.close(uow, request, RequestTrigger.EXPIRED, reason=reason)
            if ticket.revision == request.ticket_revision and request.seeded_by is None:
                await uow.tickets.needs_person(ticket.id, reason)
            return True

    async def _sweep(self, seen: ApprovalRequest) -> bool:
        async with self.database.write("supersede") as uow:
            ticket, request = await _locked(uow, seen)
            still_open = request.status in {RequestStatus.PENDING, RequestStatus.APPROVED}
            started = await uow.executions.by_request(request.id) is not None
            if not still_open or started or ticket.revision == request.ticket_revision:
                return False
            await self.consequences.close(uow, request, RequestTrigger.SUPERSEDED, reason="the ticket has moved on")
            return True

    async def open_case(self, uow: UnitOfWork, request_id: RequestId, workspace: WorkspaceId, *, digest: str) -> Case:
        """Lock ticket, then request; prove that it can still be decided and that these are the bytes."""
        ticket = await uow.tickets.lock_of(request_id)
        request = await uow.approvals.lock(request_id)
        if ticket is None or request is None or request.workspace_id != workspace:
            raise SupportError("not_found", "no such approval request")
        if not same_digest(digest, request.digest):
            raise SupportError("digest_mismatch", "this is not the version that is up for approval; read it again")
        action = unseal(Sealed(request.canonical, request.digest))
        _require_same(request, action)
        now = await uow.now()
        if request.status is not RequestStatus.PENDING:
            raise await _too_late(uow, request)
        if request.expires_at <= now:
            raise SupportError("expired", "the time to decide is over; the ticket needs a fresh draft")
        if ticket.revision != request.ticket_revision:
            raise SupportError("stale", "the ticket has moved on since this was drafted")
        return Case(request, ticket, action, now)

    async def _checked(
        self, uow: UnitOfWork, case: Case, person: Person, verdict: DecisionVerdict, reason: str
    ) -> Decided:
        """A check of attention ends here, whatever was decided: it is counted, and the ticket stays as it was."""
        if case.request.seeded_by == person.operator_id:
            raise SupportError("not_allowed", "you planted this check yourself")
        await self._insert(uow, case, person, verdict, reason)
        caught = verdict is DecisionVerdict.REJECT
        trigger = RequestTrigger.REJECTED if caught else RequestTrigger.SUPERSEDED
        await self.consequences.close(
            uow, case.request, trigger, reason=CHECKED if not caught else reason, actor=str(person.operator_id)
        )
        event = "seed.caught" if caught else "seed.missed"
        await uow.audit.append(
            workspace=case.request.workspace_id, event=event, subject=case.request.id, actor=str(person.operator_id)
        )
        return Decided(case.request.id, request_after(case.request.status, trigger), approvals=0)

    async def _reject(self, uow: UnitOfWork, case: Case, person: Person, reason: str) -> Decided:
        await self._insert(uow, case, person, DecisionVerdict.REJECT, reason)
        why = f"rejected: {reason}" if reason else "rejected"
        actor = str(person.operator_id)
        await self.consequences.close(uow, case.request, RequestTrigger.REJECTED, reason=why, actor=actor)
        await uow.tickets.needs_person(case.ticket.id, why)
        return Decided(case.request.id, RequestStatus.REJECTED, approvals=0)

    async def _approve(self, uow: UnitOfWork, case: Case, person: Person, present: Present, *, reason: str) -> Decided:
        request = case.request
        require_not_own(person.email, case.ticket.requester_email)
        require_not_own(person.email, case.action.concerns)
        needed = self.entitlement.require(request, person, present)
        limits = self.entitlement.limits
        await limits.reserve_day(uow, request, person.operator_id, person.role, now=case.now)
        answers = await self._insert(uow, case, person, DecisionVerdict.APPROVE, reason)
        approving = await still_counted(uow, answers, needed)
        lacking = missing(needed, approving)
        trigger = RequestTrigger.APPROVE_COUNTED if lacking else RequestTrigger.APPROVE_COMPLETED
        status = request_after(request.status, trigger)
        if lacking:
            return Decided(request.id, status, len(approving), missing=lacking)
        await limits.claim(uow, request, case.action, case.ticket, now=case.now)
        if not await uow.approvals.move(request, status):
            raise SupportError("already_decided", "somebody else was first", retryable=True)
        approved = request.model_copy(update={"status": status})
        execution = await self.consequences.schedule_if_due(uow, approved, answers, now=case.now)
        if execution is None:
            return Decided(request.id, status, len(approving), missing="the action it waits for")
        return Decided(request.id, status, len(approving), "", execution.id, execution.not_before)

    async def _insert(
        self, uow: UnitOfWork, case: Case, person: Person, verdict: DecisionVerdict, reason: str
    ) -> tuple[Decision, ...]:
        """Store the answer and return all that there are; under the request's lock nobody adds another."""
        request = case.request
        answers = await uow.approvals.decisions(request.id)
        for earlier in answers:
            if earlier.operator_id == person.operator_id:
                raise SupportError("already_decided", f"you were first yourself: {earlier.verdict} is on record")
        decision = NewDecision(
            id=DecisionId(new_id()),
            workspace_id=request.workspace_id,
            request_id=request.id,
            digest=request.digest,
            operator_id=person.operator_id,
            session_id=person.session_id,
            role=person.role,
            verdict=verdict,
            reason=reason,
            created_at=case.now,
        )
        stored = await uow.approvals.decide(decision, seal=self.seal.of(decision))
        await uow.audit.append(
            workspace=request.workspace_id, event=f"decision.{verdict}", subject=request.id,
            actor=str(person.operator_id), data={"digest": request.digest, "session": str(person.session_id)},
        )  # fmt: skip
        return (*answers, stored)


async def _locked(uow: UnitOfWork, seen: ApprovalRequest) -> tuple[Ticket, ApprovalRequest]:
    ticket = await uow.tickets.lock(seen.ticket_id)
    request = await uow.approvals.lock(seen.id)
    if ticket is None or request is None:
        raise SupportError("not_found", "no such approval request")
    return ticket, request


async def _too_late(uow: UnitOfWork, request: ApprovalRequest) -> SupportError:
    """Tell the loser who was first, or what else ended the question."""
    match request.status:
        case RequestStatus.EXPIRED:
            return SupportError("expired", "the time to decide is over; the ticket needs a fresh draft")
        case RequestStatus.SUPERSEDED:
            return SupportError("superseded", request.closed_reason or "replaced by something newer")
        case _:
            last = (await uow.approvals.decisions(request.id))[-1]
            first = await uow.operators.get(last.operator_id)
            who = first.email if first is not None else "somebody"
            return SupportError("already_decided", f"{who} was first: {request.status}")


def _require_checked(rechecked: Rechecked) -> None:
    if not plain(rechecked.text):
        raise SupportError("invalid", "a reply needs some text")
    if rechecked.compliance.verdict is Verdict.BLOCKED:
        failed = [c.reason or c.name for c in rechecked.compliance.checks if c.result is CheckResult.FAILED]
        raise SupportError("blocked", "the edit did not pass its checks: " + "; ".join(failed))


def _require_same(request: ApprovalRequest, action: AnyAction) -> None:
    """The row repeats what the bytes say; where it does not, somebody has been at the row."""
    told = (
        action.workspace, action.ticket, action.action, action.kind, action.revision, action.after, action.way,
        action.authority, action.rule, action.tier,
    )  # fmt: skip
    row = (
        request.workspace_id, request.ticket_id, request.action_id, request.kind, request.ticket_revision,
        request.after_action_id, request.way, request.authority_version, request.authority_rule, request.customer_tier,
    )  # fmt: skip
    if told != row or action.money != money_of(request):
        raise SupportError("digest_mismatch", "the request's row and its canonical bytes disagree")
