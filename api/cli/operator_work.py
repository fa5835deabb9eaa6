"""The work of `operators`: adds, lists and disables people in SQL; works beside a running server."""

from dataclasses import dataclass
from datetime import timedelta

from rich.table import Table

from api.cli.installation import configured, recorded
from api.cli.output import results
from db.repositories.operators import Operator
from db.uow import UnitOfWork
from support_agents.domain.approval import Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE


async def add(email: str, *, name: str, role: Role, password: str) -> None:
    """Add a person with a password."""
    local, _, domain = email.partition("@")
    if not (local and domain) or email.split() != [email]:
        raise SupportError("invalid", f"'{email}' is not an e-mail address")
    async with recorded(configured()) as records:
        await records.auth.add_operator(DEFAULT_WORKSPACE, email=email, name=name, role=role, password=password)
    results().print(f"{email} may sign in as {role}", markup=False)


async def show_all() -> None:
    """Print everyone, oldest first."""
    async with recorded(configured()) as records, records.database.read() as uow:
        people = await uow.operators.all(DEFAULT_WORKSPACE)
    if not people:
        results().print("nobody yet; run `support-agents operators add EMAIL --role admin`")
        return
    table = Table("address", "name", "role", "state", box=None)
    for person in people:
        table.add_row(person.email, person.name, person.role, "disabled" if person.disabled_at else "active")
    results().print(table)


@dataclass(frozen=True)
class Desk:
    """What a person reads and takes (codes, space separated), how long they are away, and who stands in."""

    languages: str
    skills: str
    away: timedelta
    delegate: str


async def set_desk(email: str, desk: Desk) -> None:
    """Store it, on record."""
    async with recorded(configured()) as records, records.database.write("operator_desk") as uow:
        person = await _known(uow, email)
        delegate = await _known(uow, desk.delegate) if desk.delegate else None
        if delegate is not None and delegate.id == person.id:
            raise SupportError("invalid", "nobody stands in for themselves")
        await uow.operators.set_desk(
            person.id,
            languages=desk.languages,
            skills=desk.skills,
            away_until=await uow.now() + desk.away if desk.away else None,
            delegate=delegate.id if delegate else None,
        )
        await uow.audit.append(
            workspace=DEFAULT_WORKSPACE, event="operator_desk", subject=person.id, actor="command line"
        )
    results().print(f"{email}: {desk.languages or 'any language'}, {desk.skills or 'any intent'}", markup=False)


async def _known(uow: UnitOfWork, email: str) -> Operator:
    person = await uow.operators.by_email(DEFAULT_WORKSPACE, email)
    if person is None:
        raise SupportError("not_found", f"nobody has the address {email}; see `support-agents operators list`")
    return person


async def disable(email: str) -> None:
    """Disable one person, on record."""
    async with recorded(configured()) as records, records.database.write("operator_disabled") as uow:
        person = await _known(uow, email)
        await uow.operators.disable(person.id)
        await uow.audit.append(
            workspace=DEFAULT_WORKSPACE, event="operator_disabled", subject=person.id, actor="command line"
        )
    results().print(f"{email} may sign in no more", markup=False)


async def reset_factor(email: str) -> None:
    """Take one person's second factor away, on record."""
    async with recorded(configured()) as records:
        async with records.database.read() as uow:
            person = await uow.operators.by_email(DEFAULT_WORKSPACE, email)
        if person is None:
            raise SupportError("not_found", f"nobody has the address {email}; see `support-agents operators list`")
        await records.factors.reset_here(DEFAULT_WORKSPACE, person.id)
    results().print(f"{email} has no second factor any more and signs in anew", markup=False)
