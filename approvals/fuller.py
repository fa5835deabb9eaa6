"""A fuller draft beside a reply that time cut: offered, and put in its place by a person alone; it drafts nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from approvals.authority import require_role
from approvals.canonical import CanonicalReply, Sealed, unseal
from approvals.card import Findings
from approvals.composing import Unfit
from approvals.lifecycle import RequestTrigger
from approvals.ports import Person
from approvals.presence import require_present
from approvals.queue import ApprovalQueue
from approvals.rendering import plain
from approvals.verdict_line import VerdictLine, verdict_line
from db.read_models.queue import QueueItem, queue_item
from db.uow import UnitOfWork
from support_agents.domain.action import ActionKind, ProposedAction, SendReply
from support_agents.domain.approval import RequestStatus, Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RequestId
from support_agents.domain.runs import Outcome, RunRecord

TAKEN = "a person took the fuller draft"
_GONE = "there is no fuller draft for this version any more; look at the request again"


@dataclass(frozen=True)
class FullerDraft:
    """What a child run wrote whole, with its own checks' word: the text as it would be put up for approval."""

    text: str
    verdict: VerdictLine

    @property
    def findings(self) -> Findings:
        """The same for a card."""
        found = self.verdict
        return Findings(line=found.line, tone=found.tone, problems=found.problems, detail=found.detail)


async def fuller_of(uow: UnitOfWork, item: QueueItem) -> FullerDraft | None:
    """The fuller draft that can be had in place of this request's reply now; None for most."""
    found = await _child(uow, item)
    return None if found is None else FullerDraft(plain(found[1].text), verdict_line(found[0].sections.compliance))


@dataclass(frozen=True)
class FullerDrafts:
    """Takes a fuller draft; nothing is approved here, and approvals of the short one are not carried over."""

    queue: ApprovalQueue

    async def look(self, person: Person, request_id: RequestId, *, digest: str) -> FullerDraft:
        """Return what is offered beside the version with this digest; nothing changes by looking."""
        async with self.queue.database.read() as uow:
            item = await queue_item(uow, request_id)
            if item is None or item.request.workspace_id != person.workspace:
                raise SupportError("not_found", "there is no such request")
            offered = await fuller_of(uow, item) if item.request.digest == digest else None
        if offered is None:
            raise SupportError("superseded", _GONE)
        return offered

    async def take(self, person: Person, request_id: RequestId, *, digest: str) -> RequestId:
        """Supersede the short reply and put the fuller one up for approval: a new request with bytes of its own.

        Money and other steps of the ticket stay as they are. `superseded` when it is no longer offered.
        """
        queue = self.queue
        async with queue.database.write("take_fuller") as uow:
            case = await queue.open_case(uow, request_id, person.workspace, digest=digest)
            require_role(person.role, Role.APPROVER)
            await require_present(uow, person)
            item = await queue_item(uow, request_id)
            found = await _child(uow, item) if item is not None else None
            if found is None or not isinstance(case.action, CanonicalReply):
                raise SupportError("superseded", _GONE)
            child, reply = found
            snapshot = await uow.tickets.snapshot(case.ticket)
            composer, before = queue.submission.composer, case.action
            action = composer.reply(reply, child, snapshot, after=before.after, now=case.now)
            if isinstance(action, Unfit):
                raise SupportError("not_allowed", action.reason)
            actor = str(person.operator_id)
            await queue.consequences.close(uow, case.request, RequestTrigger.SUPERSEDED, reason=TAKEN, actor=actor)
            # What came in since without a revision of its own – late, or in another order – neither draft has read.
            read = {"seen_until": min(action.seen_until, before.seen_until), "tier": before.tier}
            action = action.model_copy(update=read)
            made = await queue.submission.insert(uow, action, ref=case.request.ref, now=case.now)
            if isinstance(made, Unfit):
                raise SupportError("not_allowed", made.reason)
            await uow.audit.append(
                workspace=person.workspace, event="fuller_draft.taken", subject=made, actor=actor,
                data={"run": str(child.run_id), "in_place_of": str(request_id)},
            )  # fmt: skip
            return made


async def _child(uow: UnitOfWork, item: QueueItem) -> tuple[RunRecord, SendReply] | None:
    """The child run and its reply, if both may stand in the place of what is up for approval.

    Not once it is decided or the ticket has moved on, and not over words that a person has edited. Where a model's
    second look led to other steps than the first, the two drafts do not speak of the same thing.
    """
    request, run = item.request, item.run
    undecided = request.status is RequestStatus.PENDING and not item.superseded
    own = request.supersedes_id is None and request.seeded_by is None
    if request.kind is not ActionKind.SEND_REPLY or not undecided or not own or not run.was_cut:
        return None
    child = await uow.runs.child_of(run.run_id)
    if child is None or child.outcome is not Outcome.DRAFTED or child.ticket_revision != request.ticket_revision:
        return None
    (first, steps), (reply, others) = _parted(run.actions), _parted(child.actions)
    if first is None or reply is None or steps != others or first.after != reply.after:
        return None
    action = unseal(Sealed(request.canonical, request.digest))
    said_already = isinstance(action, CanonicalReply) and action.text == plain(reply.text)
    return None if said_already else (child, reply)


def _parted(actions: Sequence[ProposedAction]) -> tuple[SendReply | None, list[ProposedAction]]:
    reply = next((action for action in actions if isinstance(action, SendReply)), None)
    return reply, [action for action in actions if not isinstance(action, SendReply)]
