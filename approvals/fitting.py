"""Which waiting requests fit one person: theirs to decide here, in words they read; it claims and decides nothing."""

from dataclasses import dataclass

from approvals.authority import RANK, Nobody, is_manager, require_not_own
from approvals.canonical import Sealed, unseal
from approvals.entitlement import Entitlement, still_counted
from approvals.ports import Person, Surface
from db.read_models.desk import Waiting
from db.read_models.queue import queue_item
from db.repositories.approvals import ApprovalRequest
from db.repositories.operators import Operator
from db.uow import UnitOfWork
from support_agents.domain.errors import SupportError


@dataclass(frozen=True)
class Fitting:
    """`entitlement` says what this surface may decide at all, and whose approval would still be missing."""

    entitlement: Entitlement

    async def fits(self, uow: UnitOfWork, person: Person, operator: Operator | None, waiting: Waiting) -> bool:
        """Whether to offer it as the next: nobody else looks at it, and this person's answer would count."""
        return not waiting.claimed_by and await self.theirs(uow, person, operator, waiting)

    async def theirs(self, uow: UnitOfWork, person: Person, operator: Operator | None, waiting: Waiting) -> bool:
        """Whether this person's answer would count, whoever else looks at it."""
        return (
            self._may(person, waiting)
            and await _reads(uow, operator, waiting)
            and await self._counts(uow, person, waiting)
        )

    def _may(self, person: Person, waiting: Waiting) -> bool:
        """Whether the person could approve it here: not what concerns themselves, nor more than Slack may decide."""
        try:
            require_not_own(person.email, waiting.requester_email)
        except SupportError:
            return False
        authority = self.entitlement.authority
        return person.surface is not Surface.SLACK or authority.may_from_slack(waiting.kind, waiting.amount)

    async def _counts(self, uow: UnitOfWork, person: Person, waiting: Waiting) -> bool:
        """Whether their approval would count: not what they planted, nor what only awaits a role that they lack."""
        request = await uow.approvals.get(waiting.request)
        if request is None or request.seeded_by == person.operator_id:
            return False
        try:
            require_not_own(person.email, unseal(Sealed(request.canonical, request.digest)).concerns)
        except SupportError:
            return False  # their own, or bytes that nobody can decide on
        return await self._needed(uow, person, request)

    async def _needed(self, uow: UnitOfWork, person: Person, request: ApprovalRequest) -> bool:
        needed = self.entitlement.needed(request)
        if isinstance(needed, Nobody) or is_manager(person.role):
            return True  # what nobody may approve any more can still be rejected
        if RANK[person.role] < RANK[needed.approver]:
            return False
        if not needed.managers:
            return True
        counted = await still_counted(uow, await uow.approvals.decisions(request.id), needed)
        others = {decision.operator_id for decision, role in counted if not is_manager(role)}
        return len(others) < needed.approvals - needed.managers


async def _reads(uow: UnitOfWork, operator: Operator | None, waiting: Waiting) -> bool:
    """Whether the person reads the ticket's language and takes its intent."""
    if operator is None or not (operator.languages or operator.skills):
        return True
    item = await queue_item(uow, waiting.request)
    sections = item.run.sections if item else None
    language = sections.screening.language if sections and sections.screening else ""
    intent = sections.intent.top.name if sections and sections.intent and sections.intent.intents else ""
    return operator.takes(language=language, intent=intent)
