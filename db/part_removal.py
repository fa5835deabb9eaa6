"""Takes old parts of PostgreSQL's tables off and leaves sealed manifests of them; it deletes nothing."""

import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text

from db.audit_sealer import AuditSealer
from db.base import Uuid
from db.engine import Database
from db.fences import UPKEEP
from db.part_manifests import Manifest, Span, add_manifest
from db.part_store import Part, PartStore
from db.parts import PARTED
from db.statements import Statements
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import WorkspaceId

_WHOSE = bindparam("workspace", type_=Uuid())
_SEAL_HERE = text("SELECT seal FROM audit WHERE workspace_id = :workspace AND sealed_seq = :seq").bindparams(_WHOSE)

# How rows of a part lead to their ticket; the audit is a record, and tells of tickets by their ids alone.
_TICKET_OF = {
    "messages": "JOIN tickets t ON t.id = p.ticket_id",
    "run_sections": "JOIN runs r ON r.id = p.run_id JOIN tickets t ON t.id = r.ticket_id",
}
_MOST_NAMED = 10


class OpenTickets(StrEnum):
    """What becomes of parts that hold something of tickets which are still open."""

    STAY = "stay"
    GO = "go"


@dataclass
class _Told:
    """What has been seen of one workspace's rows."""

    held: int = 0
    first: UUID | None = None
    last: UUID | None = None
    lines: Any = field(default_factory=hashlib.sha256)


@dataclass(frozen=True)
class PartRemoval:
    """Works as the owner of the database: no role of a process may do this."""

    database: Database
    sealer: AuditSealer

    async def detach(self, before: datetime, open_tickets: OpenTickets = OpenTickets.STAY) -> tuple[str, ...]:
        """Take off every part whose rows are all older than `before`, and return their names.

        Each leaves manifests, and stays in the database as a table of its own that only the owner may read. `too_soon`
        where the time is later than the present month's beginning, `audit_broken` where the audit does not verify: then
        nothing has been taken off. So with `open_tickets` where a part holds messages or sections of tickets that are
        still open: people and agents would read a conversation without its beginning. `unsealed` where a part of the
        audit holds entries without seals: it stays.
        """
        if before > datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0):
            raise SupportError("too_soon", "name a day in an earlier month: the present one is still being written")
        old = [
            part for part in await PartStore(self.database).parts() if part.until is not None and part.until <= before
        ]
        if open_tickets is OpenTickets.STAY:
            await self._require_closed(old)
        if old:
            await self._verified()
        for part in old:
            await self._detach(part)
        return tuple(part.name for part in old)

    async def _require_closed(self, parts: Collection[Part]) -> None:
        found: dict[str, str] = {}
        async with self.database.read(UPKEEP) as uow:
            for part in parts:
                if part.parted in _TICKET_OF:
                    found |= dict.fromkeys(await _open_in(uow.session, part), part.name)
        if not found:
            return
        named = "; ".join(f"{ticket} ({part})" for ticket, part in [*found.items()][:_MOST_NAMED])
        more = f"; and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        message = (
            f"{len(found)} open tickets have rows in these parts: {named}{more}. Solve or close them in the helpdesk,"
            " name an earlier day, or take their rows off all the same with --open-tickets go. Nothing was taken off"
        )
        raise SupportError("open_tickets", message)

    async def _verified(self) -> None:
        """A part is only sealed as it is when the audit says that this is how it was."""
        async with self.database.read(UPKEEP) as uow:
            workspaces = (
                (await uow.session.execute(text("SELECT id FROM workspaces").columns(id=Uuid()))).scalars().all()
            )
        for workspace in workspaces:
            problems = await self.sealer.verify(WorkspaceId(workspace))
            if problems:
                first = problems[0]
                message = f"entry {first.seq} of workspace {workspace}: {first.what}; `support-agents audit verify`"
                raise SupportError("audit_broken", message)

    async def _detach(self, part: Part) -> None:
        async with self.database.write("detach", fence=UPKEEP) as uow:
            session = uow.session
            await session.execute(text(f"LOCK TABLE {part.name} IN SHARE MODE"))  # nobody writes what is being counted
            if part.parted == "audit":
                await _all_sealed(session, part)
            for workspace, told in (await _told(session, part)).items():
                ends = (await self.sealer.taken_off(uow, workspace)).ends
                await add_manifest(session, await _manifest(session, part, workspace, told, ends), self.sealer.key)
            await session.execute(text(f"ALTER TABLE {part.parted} DETACH PARTITION {part.name}"))


async def _open_in(session: Statements, part: Part) -> tuple[str, ...]:
    """The open tickets of which the part holds something, by their names at their source."""
    query = text(
        f"SELECT DISTINCT t.source, t.external_id FROM {part.name} p {_TICKET_OF[part.parted]}"  # noqa: S608 - as below
        " WHERE t.status = 'open' ORDER BY t.source, t.external_id"
    )
    return tuple(f"{row.source} {row.external_id}" for row in await session.execute(query))


async def _all_sealed(session: Statements, part: Part) -> None:
    query = text(f"SELECT count(*) FROM {part.name} WHERE sealed_seq IS NULL")  # noqa: S608 - a name from the catalogue
    if unsealed := (await session.execute(query)).scalar_one():
        message = f"{unsealed} entries of {part.name} have no seal yet; start the scheduler, or `serve`, and try again"
        raise SupportError("unsealed", message, retryable=True)


async def _told(session: Statements, part: Part) -> dict[WorkspaceId, _Told]:
    """Go over all rows once."""
    key = PARTED[part.parted]
    order = "run_id, section" if part.parted == "run_sections" else key
    line = "encode(sha256(convert_to(p::text, 'UTF8')), 'hex')"
    query = text(f"SELECT workspace_id, {key} AS key, {line} AS line FROM {part.name} p ORDER BY {order}")  # noqa: S608 - as above
    told: dict[WorkspaceId, _Told] = defaultdict(_Told)
    rows = await session.stream(query)
    async for workspace, found, hashed in rows:
        seen = told[workspace]
        seen.held += 1
        seen.first, seen.last = seen.first or found, found
        seen.lines.update(f"{hashed}\n".encode())
    return told


async def _manifest(
    session: Statements, part: Part, workspace: WorkspaceId, told: _Told, ends: Mapping[int, str]
) -> Manifest:
    if part.before is None or told.first is None or told.last is None:
        raise ValueError("a part that is taken off has an end and rows")
    spans = [span async for span in _spans(session, part, workspace, ends)] if part.parted == "audit" else ()
    return Manifest(
        workspace,
        part.parted,
        part.name,
        part.before,
        told.held,
        told.first,
        told.last,
        told.lines.hexdigest(),
        tuple(spans),
    )


async def _spans(
    session: Statements, part: Part, workspace: WorkspaceId, ends: Mapping[int, str]
) -> AsyncIterator[Span]:
    """The stretches of the chain that lie in the part: about a month's end two parts may hold every other entry.

    `ends` are the seals of the last entries of those that were taken off before.
    """
    query = text(
        "SELECT min(sealed_seq) AS first_seq, max(sealed_seq) AS last_seq FROM ("  # noqa: S608 - as above
        f" SELECT sealed_seq, sealed_seq - row_number() OVER (ORDER BY sealed_seq) AS stretch FROM {part.name}"
        " WHERE workspace_id = :workspace) AS numbered GROUP BY stretch ORDER BY first_seq"
    ).bindparams(_WHOSE)
    for first, last in (await session.execute(query, {"workspace": workspace})).all():
        before = await _seal(session, workspace, first - 1) or ends.get(first - 1, "")
        yield Span(first, last, before, await _seal(session, workspace, last))


async def _seal(session: Statements, workspace: WorkspaceId, seq: int) -> str:
    """The seal of an entry; nothing before the first and of one that was taken off before."""
    found = (await session.execute(_SEAL_HERE, {"workspace": workspace, "seq": seq})).scalar_one_or_none()
    return str(found or "")
