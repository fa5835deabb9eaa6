"""The work of `db parts` and `audit`: asks the database as its owner, and prints what it says."""

from datetime import UTC, datetime

from rich.table import Table

from api.acting import sealer_of
from api.cli.installation import configured, recorded
from api.cli.output import results
from api.container import Records
from db.audit_sealer import AuditSealer
from db.fences import UPKEEP
from db.part_removal import OpenTickets, PartRemoval
from db.part_store import PartStore
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE

_MEGABYTE = 1_000_000
_MOST_NAMED = 20


async def listed() -> None:
    """Print the parts, then the manifests."""
    async with recorded(configured()) as records:
        store = PartStore(records.database)
        found, strays = await store.parts(), await store.strays()
        async with records.database.read(UPKEEP) as uow:
            manifests = await uow.audit.manifests(DEFAULT_WORKSPACE)
            doubtful = (await _sealer(records).taken_off(uow, DEFAULT_WORKSPACE)).broken
    table = Table("part", "from", "until", "MB", box=None)
    for part in found:
        table.add_row(part.name, _day(part.since), _day(part.until), f"{part.bytes / _MEGABYTE:.1f}")
    results().print(table)
    for each in manifests:
        note = " – its seal does not hold: `support-agents audit verify`" if each in doubtful else ""
        results().print(f"taken off: {each.part}, {each.held} rows, SHA-256 {each.digest}{note}", markup=False)
    for name in strays:
        results().print(f"{name} holds rows that fit no other part; run `support-agents db parts make`", markup=False)


def _day(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d}"


async def made() -> None:
    """Make coming parts."""
    async with recorded(configured()) as records:
        store = PartStore(records.database)
        await store.parts()  # says so where there are none
        results().print(f"{await store.make()} parts made")


async def taken_off(before: datetime | None, open_tickets: str) -> None:
    """Take off what is older than the day, or than the setting says."""
    if open_tickets not in set(OpenTickets):
        raise SupportError("settings", f"--open-tickets is `stay` or `go`, not “{open_tickets}”")
    settings = configured()
    until = before or _kept_since(settings.database_keep_months)
    async with recorded(settings) as records:
        off = await PartRemoval(records.database, _sealer(records)).detach(until, OpenTickets(open_tickets))
    results().print("\n".join(off) if off else f"no part ends before {until:%Y-%m-%d}", markup=False)
    if off:
        results().print("dump these tables where they are to be kept (pg_dump -t), then drop them")


def _kept_since(months: int) -> datetime:
    if not months:
        raise SupportError("settings", "name a day with --before, or set SUPPORT_DATABASE_KEEP_MONTHS")
    now = datetime.now(UTC)
    years, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    return datetime(years, month + 1, 1, tzinfo=UTC)


async def verified() -> bool:
    """Print whether the audit holds."""
    async with recorded(configured()) as records:
        problems = await _sealer(records).verify(DEFAULT_WORKSPACE)
    for problem in problems[:_MOST_NAMED]:
        results().print(f"entry {problem.seq}: {problem.what}", markup=False)
    if len(problems) > _MOST_NAMED:
        results().print(f"and {len(problems) - _MOST_NAMED} more")
    results().print("the audit does not hold" if problems else "the audit holds")
    return not problems


def _sealer(records: Records) -> AuditSealer:
    return sealer_of(records.settings, records.key, records.database)
