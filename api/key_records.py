"""Which secret keys something stored depends on: noted at each start, checked, and let go when nothing does any more.

What can be made anew under the present key is; what cannot keeps the one derived key that it needs, sealed under the
present key, in the database. So an old secret itself is not needed for ever, and one that leaked opens nothing new.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from api import logging
from api.choices import Privilege
from api.sealing import Sealing
from api.secret_key import Former, SecretKey, decision_key
from api.settings import Settings
from db.audit_sealer import first_sealed_by
from db.engine import Database
from db.repositories.secret_keys import KeyRecord
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, WorkspaceId

INSTALLATION, DECISIONS = "installation", "decisions"
VARIABLES: Mapping[str, str] = {INSTALLATION: "SUPPORT_SECRET_KEY", DECISIONS: "SUPPORT_DECISION_KEY"}
OLD: Mapping[str, str] = {INSTALLATION: "SUPPORT_SECRET_KEYS_OLD", DECISIONS: "SUPPORT_DECISION_KEYS_OLD"}
# What was sealed, hashed or named by these cannot be made anew: the entry is sealed, the code is not known here.
LASTING = ("audit", "recovery code", "identifiers", "event key", "slack")
_SEALING = "kept key"
_NOTING = frozenset({None, Privilege.DECIDE, Privilege.ACT})
# In place of the fingerprint of a key that nobody has and that was never noted.
UNKNOWN = "unknown"


@dataclass(frozen=True)
class KeptOn:
    """A key that another has replaced and that this process still accepts."""

    kind: str
    fingerprint: str
    replaced_at: datetime
    let_go: bool

    def told(self, now: datetime) -> str:
        """For how long, and what that means."""
        days = (now - self.replaced_at).days
        accepted = "" if self.kind == DECISIONS else ", the anchor and second factors"
        return (
            f"the {self.kind} key {self.fingerprint} was replaced {days} days ago; while it stands in {OLD[self.kind]}"
            f" it is accepted for decisions{accepted}"
        )

    @property
    def fix(self) -> str:
        """What to do."""
        if self.let_go:
            return f"nothing needs it any more; take it out of {OLD[self.kind]} and restart"
        return f"run `support-agents secrets reseal`, then take it out of {OLD[self.kind]} and restart"


@dataclass(frozen=True)
class KeyRecords:
    """The keys of one process beside those that the database knows of."""

    settings: Settings
    database: Database
    key: SecretKey
    workspace: WorkspaceId = DEFAULT_WORKSPACE

    @property
    def keys(self) -> Mapping[str, SecretKey]:
        """This process's keys by what they are for."""
        own = decision_key(self.settings)
        return {INSTALLATION: self.key} if own is None else {INSTALLATION: self.key, DECISIONS: own}

    async def load(self) -> None:
        """Learn of earlier keys and have this process's noted.

        Raises `secret_key_missing` when something stored needs a key that this process does not have,
        `secret_key_unnoted` when it cannot know which of its keys was the first, and `secret_key_retired` when its key
        is one that others have let go: nothing was changed then.
        """
        if self.settings.privilege is Privilege.AGENTS:
            return
        records = await self.all()
        for kind, key in self.keys.items():
            _check(kind, key, [each for each in records if each.kind == kind])
        first = [] if any(each.kind == INSTALLATION for each in records) else await self._first()
        known = {(each.kind, each.fingerprint) for each in records}
        mine = [(kind, key.fingerprint) for kind, key in self.keys.items()]
        new = [each for each in dict.fromkeys((*first, *mine)) if each not in known]
        if self.settings.privilege in _NOTING:
            for kind, fingerprint in new:  # one after another: they are known by the order in which they came
                async with self.database.write("key_noted") as uow:
                    await uow.secret_keys.add(self.workspace, kind=kind, fingerprint=fingerprint)
            records = await self.all() if new else records
        noted = [each for each in records if each.kind == INSTALLATION]
        self.key.history.fingerprints = tuple(each.fingerprint for each in noted)
        self.key.history.former = {each.fingerprint: self.opened(each) for each in noted if each.kept}
        await self._tell(records)

    async def _first(self) -> list[tuple[str, str]]:
        """The key with which this installation began, where a version that noted none has begun it."""
        if self.settings.privilege not in _NOTING:
            if self.key.older:
                raise SupportError("secret_key_unnoted", _UNNOTED)
            return []
        each_key = {each.fingerprint: each.derived("audit") for each in (self.key, *self.key.elders)}
        found = await first_sealed_by(self.database, self.workspace, each_key)
        if not found and found is not None:
            raise SupportError("secret_key_missing", _NEVER_NOTED)
        return [(INSTALLATION, found)] if found else []

    async def kept_on(self) -> tuple[KeptOn, ...]:
        """Which keys this process accepts although others have taken their place."""
        return _kept_on(await self.all(), self.keys)

    async def _tell(self, records: Sequence[KeyRecord]) -> None:
        if kept := _kept_on(records, self.keys):
            async with self.database.read() as uow:
                now = await uow.now()
            for each in kept:
                logging.get().warning("old_key_accepted", reason=f"{each.told(now)}: {each.fix}")

    async def all(self) -> tuple[KeyRecord, ...]:
        """Every key that was ever in use, oldest first."""
        async with self.database.read() as uow:
            return await uow.secret_keys.all(self.workspace)

    def opened(self, record: KeyRecord) -> Former:
        """What is kept of a key."""
        sealing = Sealing(self.key, _SEALING)
        keys = {
            purpose: sealing.open(bytes.fromhex(sealed), owner=_owner(record, purpose))
            for purpose, sealed in record.kept.items()
        }
        return Former(record.fingerprint, keys, record.sealed_to)

    def sealed(self, record: KeyRecord, keys: Mapping[str, bytes]) -> Mapping[str, str]:
        """What is to be kept of a key, sealed under the present one."""
        sealing = Sealing(self.key, _SEALING)
        return {purpose: sealing.seal(key, owner=_owner(record, purpose)).hex() for purpose, key in keys.items()}

    def is_sealed_by_present(self, record: KeyRecord) -> bool:
        """Whether what is kept of a key needs the present key alone."""
        sealing = Sealing(self.key, _SEALING)
        return all(
            sealing.is_present(bytes.fromhex(sealed), owner=_owner(record, purpose))
            for purpose, sealed in record.kept.items()
        )


_UNNOTED = (
    "this process was given older keys, and no process has noted yet which of them was the first: start one of"
    " SUPPORT_PRIVILEGE decide or act (or `serve`) before it"
)
_NEVER_NOTED = (
    f"the first entry of the audit was sealed by a key that this process was not given: put it into {OLD[INSTALLATION]}"
    f" and start again; if it is lost for good, run `support-agents secrets forget {UNKNOWN}`. Nothing was changed"
)


def _kept_on(records: Sequence[KeyRecord], keys: Mapping[str, SecretKey]) -> tuple[KeptOn, ...]:
    """Of a key that was never noted nobody can say; one that comes next stands there, too."""
    found = []
    for kind, key in keys.items():
        noted = [each for each in records if each.kind == kind]
        elders = {each.fingerprint for each in key.elders}
        for number, each in enumerate(noted):
            after = noted[number + 1 :]
            if each.fingerprint in elders and after:
                found.append(KeptOn(kind, each.fingerprint, after[0].created_at, let_go=each.retired_at is not None))
    return tuple(found)


def _owner(record: KeyRecord, purpose: str) -> bytes:
    return f"{record.fingerprint} {purpose}".encode()


def _check(kind: str, key: SecretKey, records: Iterable[KeyRecord]) -> None:
    held = {each.fingerprint for each in (key, *key.elders)}
    for each in records:
        if each.retired_at is None and each.fingerprint not in held:
            message = (
                f"something stored needs a key that this process was not given (its fingerprint is {each.fingerprint}):"
                f" put it into {OLD[kind]} until `support-agents secrets reseal` has said that nothing needs it;"
                f" if it is lost for good, see `support-agents secrets forget --help`. Nothing was changed"
            )
            raise SupportError("secret_key_missing", message)
        if each.retired_at is not None and each.fingerprint == key.fingerprint:
            message = f"{VARIABLES[kind]} is a key that was let go of: give this process the one that took its place"
            raise SupportError("secret_key_retired", message)
