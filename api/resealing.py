"""Lets go of older secret keys: makes anew under the present key what can be made anew, and says what still waits."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from api.acting import decision_seal, sealer_of
from api.container import Records
from api.factors import SecondFactors
from api.key_records import DECISIONS, INSTALLATION, LASTING, OLD, UNKNOWN, VARIABLES, KeyRecords
from api.secret_key import SecretKey
from approvals.decision_seal import DecisionSeal
from db.audit_sealer import AuditSealer
from db.repositories.secret_keys import KeyRecord
from db.uow import UnitOfWork
from support_agents.domain.errors import SupportError

_PAGE = 1_000


@dataclass(frozen=True)
class Resealed:
    """What was done: factors sealed anew, keys let go of, and why others could not be."""

    factors: int
    let_go: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Resealing:
    """Runs beside the processes of an installation, when all of them have the present key; running it again is free."""

    records: KeyRecords
    sealer: AuditSealer
    seal: DecisionSeal
    factors: SecondFactors
    page: int = _PAGE

    async def run(self) -> Resealed:
        """Make anew, then let go of each older key that nothing needs any more."""
        workspace, present = self.records.workspace, self.records.keys
        records = await self.records.all()
        if any(each.kind not in present and each.retired_at is None for each in records):
            raise SupportError(
                "settings", f"{VARIABLES[DECISIONS]} is needed, too: decisions are sealed by a key of their own"
            )
        self._require_known(records)
        await self._require_chain()
        sealed = await self.factors.seal_again(workspace)
        await asyncio.to_thread(self.sealer.anchor.sign_again)
        await self.sealer.seal_parts_again(workspace)
        open_decisions = await self.open_decisions()
        let_go, waiting = [], []
        for record in records:
            key = present.get(record.kind)
            if key is None or record.fingerprint == key.fingerprint:
                continue
            if record.retired_at is not None:
                await self._keep(record)
            elif open_decisions and self._seals_decisions(record):
                waiting.append(
                    f"{record.kind} key {record.fingerprint}: {open_decisions} answers to requests that are not at an"
                    f" end were sealed by it; leave it in {OLD[record.kind]} and run this again later"
                )
            else:
                await self._let_go(record, key)
                let_go.append(f"{record.kind} key {record.fingerprint}")
        return Resealed(sealed, tuple(let_go), tuple(waiting))

    def _require_known(self, records: Iterable[KeyRecord]) -> None:
        """Say no word of a key that was never noted: what it sealed before keys were noted would be lost with it."""
        known = {each.fingerprint for each in records}
        for kind, key in self.records.keys.items():
            if strange := [each.fingerprint for each in key.elders if each.fingerprint not in known]:
                message = (
                    f"{OLD[kind]} holds {strange[0]}, with which no process was started since keys are noted: start"
                    f" once with it in {VARIABLES[kind]} and the present one in {OLD[kind]}, or take it out if it is"
                    " another installation's"
                )
                raise SupportError("settings", message)

    async def _require_chain(self) -> None:
        """Up to its end an older key may have sealed: nobody else may say where that is."""
        anchored = (await asyncio.to_thread(self.sealer.anchor.read)).get(self.records.workspace)
        if anchored is not None:
            await self.sealer.followed(self.records.workspace, anchored)

    async def forget(self, fingerprint: str) -> None:
        """Take note that a key is lost for good; what only it could open or verify stays unreadable."""
        if fingerprint == UNKNOWN and not any(each.kind == INSTALLATION for each in await self.records.all()):
            async with self.records.database.write("key_unknown") as uow:
                await uow.secret_keys.add(self.records.workspace, kind=INSTALLATION, fingerprint=UNKNOWN)
        found = [each for each in await self.records.all() if each.fingerprint == fingerprint]
        held = {one.fingerprint for key in self.records.keys.values() for one in (key, *key.elders)}
        if not found or found[0].retired_at is not None:
            raise SupportError("not_found", "no key of that fingerprint is needed; see `support-agents secrets show`")
        if fingerprint in held:
            raise SupportError("conflict", "that key is here: let go of it by `support-agents secrets reseal`")
        async with self.records.database.write("key_forgotten") as uow:
            await uow.secret_keys.retire(self.records.workspace, found[0], sealed_to=None, kept={})
            await self._on_record(uow, "secret_key.forgotten", found[0])

    async def open_decisions(self) -> int:
        """How many answers something may still follow from that an older key sealed; all are looked at."""
        found, after = 0, UUID(int=0)
        while True:
            async with self.records.database.read() as uow:
                page = await uow.approvals.open_answers(self.records.workspace, after=after, limit=self.page)
            found += sum(not self.seal.is_present(each) for each in page)
            if len(page) < self.page:
                return found
            after = page[-1].id

    def _seals_decisions(self, record: KeyRecord) -> bool:
        return record.kind == DECISIONS or DECISIONS not in self.records.keys

    async def _keep(self, record: KeyRecord) -> None:
        """What is kept of a key that was let go of before needs the present key alone from now on."""
        if self.records.is_sealed_by_present(record):
            return
        kept = self.records.sealed(record, self.records.opened(record).keys)
        async with self.records.database.write("key_kept") as uow:
            await uow.secret_keys.keep(self.records.workspace, record, kept)

    async def _let_go(self, record: KeyRecord, key: SecretKey) -> None:
        (elder,) = [each for each in key.elders if each.fingerprint == record.fingerprint]
        lasting = LASTING if record.kind == INSTALLATION else ()
        kept = self.records.sealed(record, {purpose: elder.derived(purpose) for purpose in lasting})
        async with self.records.database.write("key_let_go") as uow:
            sealed_to, _ = await self.sealer.head(uow, self.records.workspace)
            await uow.secret_keys.retire(self.records.workspace, record, sealed_to=sealed_to, kept=kept)
            await self._on_record(uow, "secret_key.let_go", record)

    async def _on_record(self, uow: UnitOfWork, event: str, record: KeyRecord) -> None:
        await uow.audit.append(
            workspace=self.records.workspace,
            event=event,
            subject=self.records.workspace,
            actor="command line",
            data={"kind": record.kind, "fingerprint": record.fingerprint},
        )


def resealing_of(records: Records) -> Resealing:
    """Wire it for an installation's records."""
    settings, key, database = records.settings, records.key, records.database
    return Resealing(
        records=KeyRecords(settings, database, key),
        sealer=sealer_of(settings, key, database),
        seal=decision_seal(settings, key),
        factors=records.factors,
    )
