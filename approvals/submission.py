"""Puts a run's proposed actions to people, inside the transaction that stores the run; it decides no request."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from approvals.authority import Authority, Nobody
from approvals.canonical import AnyAction, CanonicalRefund, seal
from approvals.composing import Composer, Unfit, verified_order
from approvals.consequences import Consequences
from approvals.routing import Disposition, asks_for_refunds, dispose_reply
from db.models.inside_steps import InsideStepKind
from db.repositories.approvals import NewRequest
from db.repositories.inside_steps import InsideStepId, NewInsideStep
from db.repositories.refund_ledger import OrderMoney
from db.uow import UnitOfWork
from support_agents.domain.action import (
    ActionKind,
    CancelOrder,
    DeleteRecord,
    IssueRefund,
    OrderStep,
    ReplaceOrder,
    SendReply,
)
from support_agents.domain.approval import Mode
from support_agents.domain.events import EventName
from support_agents.domain.ids import ActionId, OperatorId, RequestId, new_id
from support_agents.domain.runs import Outcome, RunRecord
from support_agents.domain.ticket import TicketSnapshot

REPLY_TARGET, RECORD_TARGET = "requester", "record"


@dataclass
class _Submitting:
    """One submission under way."""

    uow: UnitOfWork
    record: RunRecord
    ticket: TicketSnapshot
    mode: Mode
    now: datetime
    requests: list[RequestId] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)
    actions: dict[str, ActionId] = field(default_factory=dict)
    targets: set[tuple[ActionKind, str]] = field(default_factory=set)


@dataclass(frozen=True)
class Submission:
    """The rules by which proposals become approval requests, notes, or nothing but the record."""

    authority: Authority
    composer: Composer
    consequences: Consequences
    time_limit: timedelta

    async def submit(self, uow: UnitOfWork, record: RunRecord, ticket: TicketSnapshot) -> tuple[RequestId, ...]:
        """Supersede the ticket's older requests and insert new ones, if the ticket is still at the run's revision."""
        if record.outcome is Outcome.OVERTAKEN:
            return ()
        present = await uow.tickets.lock(ticket.id)
        if present is None or not present.revision == record.ticket_revision == ticket.revision:
            return ()
        standing = await uow.approvals.standing(ticket.workspace, ticket.id)
        if standing.has_open:
            await self.consequences.supersede_open(uow, ticket.id, reason="a newer run answered the ticket")
        work = _Submitting(uow, record, ticket, standing.mode, standing.now)
        for refund in (action for action in record.actions if isinstance(action, IssueRefund)):
            await self._refund(work, refund)
        for step in (a for a in record.actions if isinstance(a, CancelOrder | ReplaceOrder | DeleteRecord)):
            await self._step(work, step)
        for reply in (action for action in record.actions if isinstance(action, SendReply)):
            await self._reply(work, reply)
        if work.by_hand:
            await uow.tickets.needs_person(ticket.id, "; ".join(work.by_hand))
        return tuple(work.requests)

    async def insert(  # noqa: PLR0913 - a request with where it comes from
        self,
        uow: UnitOfWork,
        action: AnyAction,
        *,
        ref: str,
        now: datetime,
        supersedes: RequestId | None = None,
        seeded_by: OperatorId | None = None,
    ) -> RequestId | Unfit:
        """Seal an action and insert its pending request, unless nobody may approve it; a seeded one leads nowhere."""
        amount = action.money
        needed = self.authority.needed(action.kind, amount, action.tier)
        if isinstance(needed, Nobody):
            return Unfit(needed.reason)
        rule = needed.rule
        action = action.model_copy(update={"authority": self.authority.version, "rule": rule.name})
        sealed = seal(action)
        request = NewRequest(
            id=RequestId(new_id()),
            workspace_id=action.workspace,
            ticket_id=action.ticket,
            run_id=action.run,
            action_id=action.action,
            kind=action.kind,
            ref=ref,
            target=target_of(action),
            way=action.way,
            canonical=sealed.canonical,
            digest=sealed.digest,
            ticket_revision=action.revision,
            amount_minor=None if amount is None else amount.minor,
            currency=None if amount is None else amount.currency,
            approvals_needed=needed.approvals,
            managers_needed=needed.managers,
            after_action_id=action.after,
            expires_at=self.consequences.hours.after(now, rule.time_limit or self.time_limit),
            supersedes_id=supersedes,
            authority_version=action.authority,
            authority_rule=action.rule,
            customer_tier=action.tier,
            seeded_by=seeded_by,
            undo_seconds=None if rule.undo is None else int(rule.undo.total_seconds()),
        )
        await uow.approvals.add(request)
        await uow.audit.append(
            workspace=action.workspace, event="request.submitted", subject=request.id, actor="system",
            data={"digest": sealed.digest, "run": str(action.run), "action": str(action.action)},
        )  # fmt: skip
        return request.id

    async def _refund(self, work: _Submitting, proposed: IssueRefund) -> None:
        if not asks_for_refunds(work.mode):
            return
        action = self.composer.refund(proposed, work.record, work.ticket)
        if isinstance(action, Unfit):
            work.by_hand.append(action.reason)
        elif not await self._is_left(work, action):
            work.by_hand.append("this order is already refunded, or is being refunded, as far as it was paid")
        else:
            await self._put(work, action, proposed.ref)

    async def _step(self, work: _Submitting, proposed: OrderStep) -> None:
        if not asks_for_refunds(work.mode):
            return
        action = self.composer.step(proposed, work.record, work.ticket)
        if isinstance(action, Unfit):
            work.by_hand.append(action.reason)
        else:
            await self._put(work, action, proposed.ref)

    async def _reply(self, work: _Submitting, proposed: SendReply) -> None:
        way = self.composer.routes.way_back(work.ticket)
        disposition = dispose_reply(work.mode, way)
        if disposition is Disposition.NOTE:
            await _note(work, proposed)
        if disposition in {Disposition.NOTE, Disposition.RECORD_ONLY}:
            return
        if proposed.after is not None and proposed.after not in work.actions:
            work.by_hand.append("the reply states an action that cannot be put to approval")
            return
        after = None if proposed.after is None else work.actions[proposed.after]
        action = self.composer.reply(proposed, work.record, work.ticket, after=after, now=work.now)
        if isinstance(action, Unfit):
            work.by_hand.append(action.reason)
        else:
            await self._put(work, action, proposed.ref)

    async def _put(self, work: _Submitting, action: AnyAction, ref: str) -> None:
        subject = (action.kind, target_of(action))
        if subject in work.targets:
            work.by_hand.append("the run proposed the same thing twice")
            return
        work.targets.add(subject)
        order = verified_order(work.record)
        tier = self.authority.tier_of(work.ticket.requester, order.customer_tier if order is not None else "")
        action = action.model_copy(update={"tier": tier})
        inserted = await self.insert(work.uow, action, ref=ref, now=work.now)
        if isinstance(inserted, Unfit):
            work.by_hand.append(inserted.reason)
            return
        work.requests.append(inserted)
        work.actions[ref] = action.action

    async def _is_left(self, work: _Submitting, action: CanonicalRefund) -> bool:
        order = verified_order(work.record)
        if order is None:
            return False
        money = OrderMoney(order_id=order.order_id, paid=order.total, refunded=order.refunded)
        return action.amount.minor <= await work.uow.refund_ledger.left(action.workspace, money)


def target_of(action: AnyAction) -> str:
    """Return what is acted upon: at most one request per ticket, kind and target is pending."""
    match action.kind:
        case ActionKind.SEND_REPLY:
            return REPLY_TARGET
        case ActionKind.DELETE_RECORD:
            return RECORD_TARGET
        case _:
            return action.order_id


async def _note(work: _Submitting, proposed: SendReply) -> None:
    step = NewInsideStep(
        id=InsideStepId(new_id()),
        workspace_id=work.ticket.workspace,
        ticket_id=work.ticket.id,
        run_id=work.record.run_id,
        kind=InsideStepKind.NOTE,
        body=f"Draft reply, not sent:\n\n{proposed.text}",
        ticket_revision=work.record.ticket_revision,
    )
    await work.uow.inside_steps.add(step)
    await work.uow.outbox.add(EventName.INSIDE_STEP_DUE, step.id, workspace=step.workspace_id)
