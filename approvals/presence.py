"""Proves again, inside the transaction, that a person is there: a live session of theirs at the role they have now."""

from approvals.ports import Person
from db.uow import UnitOfWork
from support_agents.domain.errors import SupportError


async def require_present(uow: UnitOfWork, person: Person) -> None:
    """Raise `not_allowed` if the session has ended or the role has changed since the request came in."""
    if not await uow.approvals.is_present(person.operator_id, person.session_id, person.role):
        raise SupportError("not_allowed", "your session is over, or your role has changed: sign in again")
