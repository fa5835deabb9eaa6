"""Which secret keys something stored depends on: noted at each start, checked, and let go when nothing does any more.

What can be made anew under the present key is; what cannot keeps the one derived key that it needs, sealed under the
present key, in the database. So an old secret itself is not needed for ever, and one that leaked opens nothing new.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from api.choices import Privilege
from api.sealing import Sealing
from api.secret_key import Former, SecretKey, decision_key
from api.settings import Settings
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

        Raises `secret_key_missing` when something stored needs a key that this process does not have, and
        `secret_key_retired` when its key is one that others have let go: nothing was changed then.
        """
        if self.settings.privilege is Privilege.AGENTS:
            return
        records = await self.all()
        for kind, key in self.keys.items():
            _check(kind, key, [each for each in records if each.kind == kind])
        known = {(each.kind, each.fingerprint) for each in records}
        new = [(kind, key.fingerprint) for kind, key in self.keys.items() if (kind, key.fingerprint) not in known]
        if new and self.settings.privilege in _NOTING:
            async with self.database.write("key_noted") as uow:
                for kind, fingerprint in new:
                    await uow.secret_keys.add(self.workspace, kind=kind, fingerprint=fingerprint)
            records = await self.all()
        mine = [each for each in records if each.kind == INSTALLATION]
        self.key.history.fingerprints = tuple(each.fingerprint for each in mine)
        self.key.history.former = {each.fingerprint: self.opened(each) for each in mine if each.kept}

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
