"""The work of `operators`: adds, lists and disables people in SQL; works beside a running server."""

from rich.table import Table

from api.cli.installation import configured, recorded
from api.cli.output import results
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


async def disable(email: str) -> None:
    """Disable one person, on record."""
    async with recorded(configured()) as records, records.database.write("operator_disabled") as uow:
        person = await uow.operators.by_email(DEFAULT_WORKSPACE, email)
        if person is None:
            raise SupportError("not_found", f"nobody has the address {email}; see `support-agents operators list`")
        await uow.operators.disable(person.id)
        await uow.audit.append(
            workspace=DEFAULT_WORKSPACE, event="operator_disabled", subject=person.id, actor="command line"
        )
    results().print(f"{email} may sign in no more", markup=False)
