"""Chains committed audit entries in batches, and finds what was changed or removed since; it writes no entry itself."""

import asyncio
import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from db.anchor import Anchor, Head
from db.engine import Database
from db.part_manifests import NOTHING_OFF, Covered, covered, seal_again
from db.repositories.audit import AuditEntry, Seal
from db.uow import UnitOfWork
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RunId, WorkspaceId

BATCH = 500


class Tampering(StrEnum):
    """What is wrong with the chain at an entry."""

    MISSING = "missing"
    CHANGED = "changed"
    BAD_SEAL = "bad_seal"
    BEHIND_ANCHOR = "behind_anchor"
    RECORD_CHANGED = "record_changed"
    DOUBLED = "doubled"
    BAD_MANIFEST = "bad_manifest"


@dataclass(frozen=True)
class Problem:
    """A place in the chain that does not hold."""

    seq: int
    what: Tampering


@dataclass
class _Place:
    """How far the chain has been followed."""

    seq: int = 0
    seal: str = ""

    def skip(self, off: Covered, *, until: int | None) -> Iterator[Problem]:
        """Go over what lies next in parts that were taken off; `until` is the next entry that is there."""
        while (span := off.spans.get(self.seq + 1)) is not None and (until is None or span.first_seq < until):
            if span.seal_before != self.seal:
                yield Problem(span.first_seq, Tampering.BAD_SEAL)
            self.seq, self.seal = span.last_seq, span.last_seal


@dataclass(frozen=True)
class AuditSealer:
    """Seals with `key`, which like the anchor is kept outside the database."""

    database: Database
    anchor: Anchor
    key: bytes = field(repr=False)
    # Keys that sealed before, each with the last entry that it may have sealed (None: still accepted for any).
    former: Callable[[], Sequence[tuple[bytes, int | None]]] = field(default=tuple, repr=False)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def seal(self, workspace: WorkspaceId) -> int:
        """Seal what was committed before this call and sign the new head outside; returns how many entries.

        `behind_anchor` when the database has lost entries that were sealed, `audit_broken` when it holds entries after
        the anchored one that no key of this installation sealed: then nothing may be sealed after them.
        """
        async with self.turn:  # or an older head could be written over a newer one
            return await self._sealed(workspace)

    async def _sealed(self, workspace: WorkspaceId) -> int:
        anchored = (await asyncio.to_thread(self.anchor.read)).get(workspace)
        if anchored is None:
            raise SupportError("no_anchor", "the installation has no epoch yet")
        sealed = 0
        while batch := await self._seal_batch(workspace, anchored):
            sealed += batch[0]
            anchored = batch[1]
            await asyncio.to_thread(self.anchor.write, workspace, anchored)
        return sealed

    async def verify(self, workspace: WorkspaceId) -> tuple[Problem, ...]:
        """Everything that does not hold between the first entry and the anchored head; empty when all is well."""
        anchored = (await asyncio.to_thread(self.anchor.read)).get(workspace)
        async with self.database.read() as uow:
            off = await self.taken_off(uow, workspace)
        problems = [
            Problem(each.spans[0].first_seq if each.spans else 0, Tampering.BAD_MANIFEST) for each in off.broken
        ]
        at = _Place()
        async for entry, found in self._along(workspace, at, off):
            problems.extend(found)
            if entry is not None and not await self._record_holds(entry, off):
                problems.append(Problem(at.seq, Tampering.RECORD_CHANGED))
        if anchored is not None and at.seq < anchored.seq:
            problems.append(Problem(anchored.seq, Tampering.BEHIND_ANCHOR))
        return tuple(problems)

    async def head(self, uow: UnitOfWork, workspace: WorkspaceId) -> tuple[int, str]:
        """Number and seal of the last sealed entry, here or in a part taken off whose manifest holds; 0 before any.

        That an entry here has a number does not say that it was sealed by this installation: `followed` does.
        """
        seq, seal = await uow.audit.head(workspace) or (0, "")
        beyond = await uow.audit.manifests(workspace, beyond=seq)
        return max([(seq, seal), *covered(beyond, self._speaking).ends.items()])

    async def taken_off(self, uow: UnitOfWork, workspace: WorkspaceId) -> Covered:
        """What is to be believed of parts that were taken off."""
        return covered(await uow.audit.manifests(workspace), self._speaking)

    async def followed(self, workspace: WorkspaceId, known: Head) -> Head:
        """The head as far as the chain goes on from the one that is known, each entry and seal looked at.

        `behind_anchor` where the known one is not there any more, `audit_broken` where what comes after it does not
        hold: another process may have sealed that, or somebody who has no key.
        """
        async with self.database.read() as uow:
            seq, seal = await self.head(uow, workspace)
            if seq < known.seq or (seq == known.seq and seal != known.seal):
                raise SupportError("behind_anchor", f"sealed to {known.seq}, but the database ends at {seq}")
            off = await self.taken_off(uow, workspace) if seq > known.seq else NOTHING_OFF
        at = _Place(known.seq, known.seal)
        async for _, found in self._along(workspace, at, off):
            for problem in found:
                message = (
                    f"entry {problem.seq} after the anchored {known.seq} does not hold ({problem.what}): somebody wrote"
                    " it past this software. Nothing is sealed or carried out after it; run `support-agents audit"
                    " verify`, see “Entries that nobody sealed” in docs/operations.md, and start anew"
                )
                raise SupportError("audit_broken", message)
        return Head(epoch=known.epoch, seq=at.seq, seal=at.seal)

    async def _along(
        self, workspace: WorkspaceId, at: _Place, off: Covered
    ) -> AsyncIterator[tuple[AuditEntry | None, tuple[Problem, ...]]]:
        """Go along the chain from `at`, which moves with it: each entry with what is wrong there; None at its end."""
        async for entry in self._chain(workspace, after=at.seq):
            found = (*at.skip(off, until=entry.sealed_seq or 0), *self._wrong(entry, at))
            at.seq, at.seal = entry.sealed_seq or 0, entry.seal or ""
            yield entry, found
        yield None, tuple(at.skip(off, until=None))

    def _wrong(self, entry: AuditEntry, before: _Place) -> Iterator[Problem]:
        """What does not hold of an entry that comes after the others."""
        seq, expected = entry.sealed_seq or 0, before.seq + 1
        if seq > expected:  # once for each gap, which may be as wide as numbers go
            yield Problem(expected, Tampering.MISSING)
        if seq < expected:
            yield Problem(seq, Tampering.DOUBLED)
        if entry.commitment != _commitment(entry, entry.salt or ""):
            yield Problem(seq, Tampering.CHANGED)
        link = f"{entry.workspace}|{before.seal}|{seq}|{entry.id}|{entry.commitment or ''}"
        if seq == expected and not self._is_sealed(entry.seal or "", link, seq):
            yield Problem(seq, Tampering.BAD_SEAL)

    async def _record_holds(self, entry: AuditEntry, off: Covered) -> bool:
        """Whether a run that the entry tells of is still as it was; sections in a part taken off are not asked for."""
        said = entry.data.get("record")
        if said is None or (off.sections_before is not None and entry.subject < off.sections_before):
            return True
        async with self.database.read() as uow:
            return said == await uow.runs.commitment(RunId(entry.subject))

    async def _seal_batch(self, workspace: WorkspaceId, anchored: Head) -> tuple[int, Head] | None:
        seq, seal = anchored.seq, anchored.seal
        async with self.database.read() as uow:  # most of the time there is nothing: no need for the writer's turn
            idle = not await uow.audit.unsealed(workspace, limit=1)
            if idle and await self.head(uow, workspace) == (seq, seal):
                return None
        if not idle:
            async with self.database.write("seal") as uow:
                await uow.workspaces.lock(workspace)
                if await self.head(uow, workspace) == (seq, seal):
                    seals = self._seals(workspace, anchored, await uow.audit.unsealed(workspace, limit=BATCH))
                    if not seals:
                        return None
                    await uow.audit.add_seals(seals)
                    return len(seals), Head(epoch=anchored.epoch, seq=seals[-1].seq, seal=seals[-1].seal)
        # Another process may have sealed what this one is about to act on, and not have said so outside yet.
        return 0, await self.followed(workspace, anchored)

    def _seals(self, workspace: WorkspaceId, after: Head, entries: Sequence[AuditEntry]) -> list[Seal]:
        seq, seal = after.seq, after.seal
        seals: list[Seal] = []
        for entry in entries:
            salt = secrets.token_hex(16)
            commitment = _commitment(entry, salt)
            seq, seal = seq + 1, self._seal(workspace, seal, seq + 1, entry.id, commitment)
            seals.append(Seal(entry=entry.id, salt=salt, commitment=commitment, seq=seq, seal=seal))
        return seals

    async def _chain(self, workspace: WorkspaceId, *, after: int) -> AsyncIterator[AuditEntry]:
        while True:
            async with self.database.read() as uow:
                entries = await uow.audit.sealed(workspace, after=after, limit=BATCH)
            for entry in entries:
                yield entry
                after = entry.sealed_seq or after
            if len(entries) < BATCH:
                return

    async def seal_parts_again(self, workspace: WorkspaceId) -> None:
        """Seal manifests of parts with the present key, before an older one is let go of: no other may seal them."""
        async with self.database.write("parts_sealed_again") as uow:
            await seal_again(uow.session, workspace, self.key, self._still_accepted())

    def _still_accepted(self) -> tuple[bytes, ...]:
        """The older keys that were not let go of; a key that was cannot speak for rows that are not there."""
        return tuple(key for key, last in self.former() if last is None)

    @property
    def _speaking(self) -> tuple[bytes, ...]:
        """The keys whose manifests are believed."""
        return (self.key, *self._still_accepted())

    def _seal(self, workspace: WorkspaceId, previous: str, seq: int, entry: UUID, commitment: str) -> str:
        return _sealed(self.key, f"{workspace}|{previous}|{seq}|{entry}|{commitment}")

    def _is_sealed(self, seal: str, link: str, seq: int) -> bool:
        """By the present key, or by one that was in use then: a key that was let go and leaked seals nothing more."""
        former = (key for key, last in self.former() if last is None or seq <= last)
        return any(hmac.compare_digest(seal, _sealed(key, link)) for key in (self.key, *former))


async def first_sealed_by(database: Database, workspace: WorkspaceId, keys: Mapping[str, bytes]) -> str | None:
    """The name of the key that sealed the oldest entry here; None where there is none, empty where none of them did."""
    async with database.read() as uow:
        found = await uow.audit.sealed(workspace, after=0, limit=1)
        told = await uow.audit.manifests(workspace)
    if not found:
        return None
    (entry,) = found
    # The oldest may follow on parts that were taken off. Whether such a manifest holds is of no matter: a seal that
    # follows from what it says was made by this key.
    before = {"", *(span.last_seal for each in told for span in each.spans)}
    links = [f"{entry.workspace}|{seal}|{entry.sealed_seq}|{entry.id}|{entry.commitment or ''}" for seal in before]
    return next(
        (
            name
            for name, key in keys.items()
            if any(hmac.compare_digest(entry.seal or "", _sealed(key, link)) for link in links)
        ),
        "",
    )


def _sealed(key: bytes, link: str) -> str:
    return hmac.new(key, b"audit:" + link.encode(), hashlib.sha256).hexdigest()


def _commitment(entry: AuditEntry, salt: str) -> str:
    """Binds to the entry without telling it: once salt and entry are erased, the chain still holds."""
    said = [
        str(entry.id),
        str(entry.workspace),
        entry.at.isoformat(),
        entry.event,
        str(entry.subject),
        entry.actor,
        dict(entry.data),
    ]
    text = json.dumps([salt, *said], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
