"""The parts of PostgreSQL's tables: lists them and has coming ones made; SQLite has none. It takes none off."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text

from db.engine import Database
from db.fences import UPKEEP
from db.parts import MAKE, PARTED, STRAYS
from db.statements import Statements
from support_agents.domain.errors import SupportError

_LIST = text(
    "SELECT p.relname AS parted, c.relname AS part, pg_total_relation_size(c.oid) AS bytes,"
    " substring(pg_get_expr(c.relpartbound, c.oid) FROM 'FROM [(]''([0-9a-f-]+)')::uuid AS low,"
    " substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO [(]''([0-9a-f-]+)')::uuid AS high"
    " FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent"
    " WHERE p.relkind = 'p' AND p.relname = ANY (:parted) ORDER BY p.relname, high NULLS LAST"
)


@dataclass(frozen=True)
class Part:
    """A part of the table `parted`: keys from the time `since` (None: from the first) until before `until`.

    The part for the rest has no `until`.
    """

    parted: str
    name: str
    since: datetime | None
    until: datetime | None
    before: UUID | None
    bytes: int


@dataclass(frozen=True)
class PartStore:
    """Looks at the parts of one database; its scheduler's role may do all of this."""

    database: Database

    async def make(self) -> int:
        """Have coming parts made; returns how many, 0 where they are there or where there are no parts at all."""
        async with self.database.read(UPKEEP) as uow:
            if not _has_parts(uow.session):
                return 0
        async with self.database.write("make_parts", fence=UPKEEP) as uow:
            return int((await uow.session.execute(text(MAKE))).scalar_one())

    async def strays(self) -> tuple[str, ...]:
        """The parts for the rest that hold rows: parts were not made in time, or a clock has jumped ahead."""
        async with self.database.read(UPKEEP) as uow:
            if not _has_parts(uow.session):
                return ()
            return tuple((await uow.session.execute(text(STRAYS))).scalars())

    async def parts(self) -> tuple[Part, ...]:
        """All that are attached, oldest first; `no_parts` on SQLite."""
        async with self.database.read(UPKEEP) as uow:
            return await _parts(uow.session)


def _has_parts(session: Statements) -> bool:
    return session.backend == "postgresql"


async def _parts(session: Statements) -> tuple[Part, ...]:
    if not _has_parts(session):
        raise SupportError("no_parts", "SQLite keeps each table whole; parts are for PostgreSQL (SUPPORT_DATABASE_URL)")
    rows = await session.execute(_LIST, {"parted": [*PARTED]})
    return tuple(Part(row.parted, row.part, _moment(row.low), _moment(row.high), row.high, row.bytes) for row in rows)


def _moment(key: UUID | None) -> datetime | None:
    """The time that a UUIDv7 begins with."""
    return None if key is None else datetime.fromtimestamp((key.int >> 80) / 1000, UTC)
