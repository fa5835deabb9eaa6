"""Proves again, inside the transaction, that a person is there: a live session of theirs at the role they have now."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from approvals.ports import Person, Surface
from db.uow import UnitOfWork
from support_agents.domain.errors import SupportError

FACTOR_LIFE = timedelta(minutes=10)


@dataclass(frozen=True)
class Present:
    """A person who is there: by which surface – a Slack session decides as Slack – and how fresh their factor is."""

    surface: Surface
    enrolled: bool
    factor_fresh: bool
    by_link: bool = False

    def require_factor(self) -> None:
        """Raise `factor_needed` unless the second factor was proved in this session minutes ago."""
        if not self.enrolled:
            raise SupportError("factor_needed", "enrol a second factor in the console first: money needs one")
        if not self.factor_fresh:
            raise SupportError("factor_needed", "enter the code of your authenticator app")


async def require_present(uow: UnitOfWork, person: Person) -> Present:
    """Raise `not_allowed` if the session has ended or the role has changed since the request came in."""
    found = await uow.second_factors.presence(person.operator_id, person.session_id, person.role)
    if found is None:
        raise SupportError("not_allowed", "your session is over, or your role has changed: sign in again")
    return Present(
        surface=Surface.SLACK if found.origin == Surface.SLACK else person.surface,
        enrolled=found.enrolled,
        factor_fresh=_is_fresh(found.proved_at, found.now),
        by_link=found.origin == "link",
    )


def _is_fresh(proved_at: datetime | None, now: datetime) -> bool:
    """Neither too old nor from a clock that has since been set back."""
    return proved_at is not None and timedelta() <= now - proved_at <= FACTOR_LIFE
