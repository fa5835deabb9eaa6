"""What may be granted in a day or a rolling time: reserved under lock when decided, looked at again before dispatch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol
from uuid import UUID

from approvals.authority import Authority, Cap, Per
from approvals.canonical import CanonicalAction, CanonicalRefund
from db.repositories.approvals import ApprovalRequest, DayMoney, Decision
from db.repositories.money_claims import Claim, MoneySubject, NewClaim
from db.repositories.tickets import Ticket
from db.uow import UnitOfWork
from support_agents.domain.approval import Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import OperatorId
from support_agents.domain.money import Money


class BusinessDay(Protocol):
    """Tells the business's calendar day of an instant."""

    def day(self, instant: datetime) -> date:
        """Return it."""
        ...


@dataclass(frozen=True)
class Limits:
    """Locks are taken in this order: an operator's day, then customer, instrument, order."""

    authority: Authority
    hours: BusinessDay

    async def reserve_day(
        self, uow: UnitOfWork, request: ApprovalRequest, operator: OperatorId, role: Role, *, now: datetime
    ) -> None:
        """Take the amount off the operator's day, or raise `not_allowed`."""
        money = day_money(request, operator, day=self.hours.day(now))
        if money is None:
            return
        limit = self.authority.daily_limit(role, money.currency)
        if not await uow.approvals.reserve_money(money, limit=limit):
            raise SupportError("not_allowed", "this would pass what you may approve in one day")

    async def claim(
        self, uow: UnitOfWork, request: ApprovalRequest, action: CanonicalAction, ticket: Ticket, *, now: datetime
    ) -> None:
        """Claim the amount from customer, instrument and order, or raise `not_allowed` naming the cap."""
        if request.amount_minor is None or request.currency is None or not isinstance(action, CanonicalRefund):
            return
        claim = NewClaim(request_id=request.id, minor=request.amount_minor, day=self.hours.day(now), claimed_at=now)
        for per, holder in sorted(holders(action, ticket).items()):
            subject = MoneySubject(workspace_id=request.workspace_id, per=per, holder=holder, currency=request.currency)
            row = await uow.money_claims.lock(subject)
            for cap in self._caps(request, per):
                if await self._so_far(uow, row, cap, now) + request.amount_minor > cap.minor:
                    raise SupportError("not_allowed", over(cap))
            await uow.money_claims.add(row, request.workspace_id, claim)

    async def objection(
        self, uow: UnitOfWork, request: ApprovalRequest, decisions: Sequence[tuple[Decision, Role]]
    ) -> str | None:
        """Why today's limits no longer carry what was reserved; claims made later do not count against it."""
        for decision, role in decisions:
            money = day_money(request, decision.operator_id, day=self.hours.day(decision.created_at))
            if money is None:
                return None
            if await uow.approvals.reserved_money(money) > self.authority.daily_limit(role, money.currency):
                return "it would pass what its approver may let go in one day"
        for claim in await uow.money_claims.of(request.id):
            for cap in self._caps(request, Per(claim.per)):
                if await _up_to(uow, claim, cap) > cap.minor:
                    return over(cap)
        return None

    def _caps(self, request: ApprovalRequest, per: Per) -> tuple[Cap, ...]:
        caps = self.authority.caps_on(request.currency or "", request.customer_tier)
        return tuple(cap for cap in caps if cap.per is per)

    async def _so_far(self, uow: UnitOfWork, subject: UUID, cap: Cap, now: datetime) -> int:
        """All that counts at this moment, even what a clock that was set back calls later."""
        if cap.within is None:
            return await uow.money_claims.taken_in_day(subject, self.hours.day(now))
        return await uow.money_claims.taken_since(subject, now - cap.within)


async def _up_to(uow: UnitOfWork, claim: Claim, cap: Cap) -> int:
    """All that counted when this claim was made, itself included."""
    at = claim.claimed_at
    if cap.within is None:
        return await uow.money_claims.taken_in_day(claim.subject_id, claim.day, until=at)
    return await uow.money_claims.taken_since(claim.subject_id, at - cap.within, until=at)


async def give_back(uow: UnitOfWork, request: ApprovalRequest, days: Mapping[OperatorId, date]) -> None:
    """Give back what a request that came to nothing had reserved; people in one order, so that none wait crosswise."""
    for operator in sorted(days):
        money = day_money(request, operator, day=days[operator])
        if money is not None:
            await uow.approvals.release_money(money)
    await uow.money_claims.release(request.id)


def day_money(request: ApprovalRequest, operator: OperatorId, *, day: date) -> DayMoney | None:
    """Return whose day the request's amount counts against; None for actions without money."""
    if request.amount_minor is None or request.currency is None:
        return None
    return DayMoney(
        workspace_id=request.workspace_id,
        operator_id=operator,
        day=day,
        currency=request.currency,
        minor=request.amount_minor,
    )


def holders(action: CanonicalRefund, ticket: Ticket) -> Mapping[Per, str]:
    """Tell customer, order and instrument apart; an order system that knows no instruments tells payments apart."""
    return {
        Per.CUSTOMER: str(ticket.subject_id),
        Per.ORDER: action.order_id,
        Per.INSTRUMENT: action.instrument or action.payment_ref,
    }


def over(cap: Cap) -> str:
    """Say which cap would be passed."""
    time = "in one day" if cap.within is None else f"within {_span(cap.within)}"
    return f"this would pass what one {cap.per} may get back {time}: {Money(minor=cap.minor, currency=cap.currency)}"


def _span(length: timedelta) -> str:
    hours = int(length.total_seconds()) // 3_600
    return f"{length.days} days" if hours and hours % 24 == 0 else f"{hours} hours"
