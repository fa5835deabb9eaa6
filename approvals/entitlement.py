"""Who of those who approved still counts, and whether that is enough under today's table; it changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from approvals.authority import RANK, Authority, Needed, Nobody, is_manager, require_role
from approvals.decision_seal import DecisionSeal
from approvals.limits import Limits
from approvals.ports import Person, Surface
from approvals.presence import Present
from db.repositories.approvals import ApprovalRequest, Decision
from db.uow import UnitOfWork
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import DecisionVerdict, Role
from support_agents.domain.errors import SupportError
from support_agents.domain.money import Money

Counted = tuple[Decision, Role]


@dataclass(frozen=True)
class Entitlement:
    """The authority table, asked about one request: when a person decides, and again before anything leaves."""

    authority: Authority
    limits: Limits

    def needed(self, request: ApprovalRequest) -> Needed | Nobody:
        """Who must approve by today's table, but never fewer than the request was put to."""
        needed = self.authority.needed(request.kind, money_of(request), request.customer_tier)
        if isinstance(needed, Nobody):
            return needed
        return Needed(
            approvals=max(needed.approvals, request.approvals_needed),
            managers=max(needed.managers, request.managers_needed),
            rule=needed.rule,
        )

    def require(self, request: ApprovalRequest, person: Person, present: Present) -> Needed:
        """Raise unless this person may approve this from where they are, with the factor that it asks for."""
        needed = self.needed(request)
        if isinstance(needed, Nobody):
            raise SupportError("not_allowed", f"{needed.reason} any more")
        require_role(person.role, needed.approver)
        from_slack = present.surface is Surface.SLACK
        if from_slack and not self.authority.may_from_slack(request.kind, money_of(request), request.customer_tier):
            raise SupportError("console_needed", "this is decided in the console, not in Slack")
        if not from_slack and self.authority.asks_factor(request.kind, enrolled=present.enrolled):
            present.require_factor()
        return needed

    def settler(self, request: ApprovalRequest) -> Role:
        """The least role that may say what became of it when nobody can be asked: never less than may approve it.

        Money, and what a manager must have approved, takes a manager; what nobody may approve any more, an admin.
        """
        needed = self.needed(request)
        if isinstance(needed, Nobody):
            return Role.ADMIN
        of_manager = needed.managers > 0 or request.kind is ActionKind.ISSUE_REFUND
        return max(needed.approver, Role.MANAGER if of_manager else Role.APPROVER, key=lambda role: RANK[role])

    async def objection(self, uow: UnitOfWork, request: ApprovalRequest, seal: DecisionSeal) -> str | None:
        """Why an approved request must not be carried out now: a forged decision, nobody may, too few, limits."""
        needed = self.needed(request)
        if isinstance(needed, Nobody):
            return f"the authority table has changed: {needed.reason}"
        answers = await uow.approvals.decisions(request.id)
        if forged := seal.objection(answers):
            return forged
        counted = await still_counted(uow, answers, needed)
        lacking = missing(needed, counted)
        if lacking:
            return f"the authority table or its approvers have changed: it would need {lacking}"
        return await self.limits.objection(uow, request, counted)


async def still_counted(uow: UnitOfWork, answers: Sequence[Decision], needed: Needed) -> tuple[Counted, ...]:
    """A request's approvals by people who may still sign in, each at the lesser of their role then and now."""
    counted = []
    for decision in answers:
        operator = await uow.operators.get(decision.operator_id)
        if decision.verdict is not DecisionVerdict.APPROVE or operator is None or operator.disabled_at is not None:
            continue
        role = min(decision.role, operator.role, key=lambda role: RANK[role])
        if RANK[role] >= RANK[needed.approver]:
            counted.append((decision, role))
    return tuple(counted)


def missing(needed: Needed, counted: Sequence[Counted]) -> str:
    """Say who else must approve; nothing when it is enough."""
    people = {decision.operator_id for decision, _ in counted}
    managers = {decision.operator_id for decision, role in counted if is_manager(role)}
    if len(managers) < needed.managers:
        return "a manager" if needed.approver is not Role.ADMIN else "an admin"
    return "another person" if len(people) < needed.approvals else ""


def money_of(request: ApprovalRequest) -> Money | None:
    """Return the request's amount as its row has it."""
    if request.amount_minor is None or request.currency is None:
        return None
    return Money(minor=request.amount_minor, currency=request.currency)
