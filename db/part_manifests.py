"""What a part held that was taken off, sealed with the audit's key, so that the chain goes on; it reads no part."""

import hashlib
import hmac
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import insert, select

from db.base import table_of
from db.models.parts import PartManifestRow
from db.statements import Statements
from support_agents.domain.ids import WorkspaceId, new_id

ROWS = table_of(PartManifestRow)
_SAID = (
    "workspace_id",
    "parted",
    "part",
    "before",
    "held",
    "first",
    "last",
    "digest",
    "spans",
    "last_seq",
    "last_seal",
)


class Span(NamedTuple):
    """Entries of the audit one after another: the first's and last's numbers, the seal before them, and the last's."""

    first_seq: int
    last_seq: int
    seal_before: str
    last_seal: str


@dataclass(frozen=True)
class Manifest:
    """What one part held of one workspace.

    Every key was below `before`. `digest` is the SHA-256 in hex over the SHA-256 (hex, a line each) of the rows as
    PostgreSQL writes them as text in UTC, in the order of the table's primary key.
    """

    workspace_id: WorkspaceId
    parted: str
    part: str
    before: UUID
    held: int
    first: UUID
    last: UUID
    digest: str
    spans: tuple[Span, ...] = ()
    mac: str = ""

    @property
    def last_span(self) -> Span | None:
        """The one with the highest numbers."""
        return max(self.spans, default=None)

    def sealed(self, key: bytes) -> str:
        """The MAC that it must have."""
        said = json.dumps([str(value) for value in self.values(mac="").values()], separators=(",", ":"))
        return hmac.new(key, b"part:" + said.encode(), hashlib.sha256).hexdigest()

    def holds(self, key: bytes) -> bool:
        """Whether it was sealed with the key as it is."""
        return hmac.compare_digest(self.mac, self.sealed(key))

    def values(self, *, mac: str) -> dict[str, object]:
        """Its row, without an id."""
        last = self.last_span
        derived = {"last_seq": last and last.last_seq, "last_seal": last and last.last_seal}
        said = {name: getattr(self, name) for name in _SAID if name not in derived}
        return {**said, "spans": [list(span) for span in self.spans], **derived, "mac": mac}


@dataclass(frozen=True)
class Covered:
    """What manifests say in place of rows; `broken` do not hold and say nothing."""

    spans: Mapping[int, Span]
    sections_before: UUID | None
    broken: tuple[Manifest, ...]

    @property
    def ends(self) -> Mapping[int, str]:
        """The seal of the last entry of each stretch that was taken off, by its number."""
        return {span.last_seq: span.last_seal for span in self.spans.values()}


NOTHING_OFF = Covered({}, None, ())


def covered(manifests: Collection[Manifest], keys: Collection[bytes]) -> Covered:
    """Take the word of those that were sealed with one of the keys; of each part one manifest must be."""
    held = [each for each in manifests if any(each.holds(key) for key in keys)]
    told = {(each.workspace_id, each.part) for each in held}
    sections = [each.before for each in held if each.parted == "run_sections"]
    return Covered(
        {span.first_seq: span for each in held for span in each.spans},
        max(sections, default=None),
        tuple(each for each in manifests if (each.workspace_id, each.part) not in told),
    )


async def manifests_of(session: Statements, workspace: WorkspaceId, *, beyond: int | None) -> tuple[Manifest, ...]:
    """All of a workspace's, oldest first, or those that tell of entries with a number above `beyond`.

    Whoever could write them may have made them up: ask `covered` what they say.
    """
    query = select(ROWS).where(ROWS.c.workspace_id == workspace).order_by(ROWS.c.parted, ROWS.c.before)
    if beyond is not None:
        query = query.where(ROWS.c.last_seq > beyond)
    found = []
    for row in (await session.execute(query)).mappings():
        given = {name: row[name] for name in _SAID if not name.startswith("last_s")}
        found.append(Manifest(**{**given, "spans": tuple(Span(*span) for span in row["spans"])}, mac=row["mac"]))
    return tuple(found)


async def add_manifest(session: Statements, manifest: Manifest, key: bytes) -> None:
    """Seal it and put it down."""
    await session.execute(insert(ROWS), {"id": new_id(), **manifest.values(mac=manifest.sealed(key))})


async def seal_again(session: Statements, workspace: WorkspaceId, key: bytes, former: Collection[bytes]) -> None:
    """Put down again under the present key what only earlier ones sealed that are still accepted."""
    manifests = await manifests_of(session, workspace, beyond=None)
    present = {each.part for each in manifests if each.holds(key)}
    for each in manifests:
        if each.part not in present and any(each.holds(old) for old in former):
            await add_manifest(session, each, key)
            present.add(each.part)
