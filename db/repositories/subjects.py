"""People whose data is held, found by keyed hashes; it never stores what was hashed."""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select

from db.base import table_of
from db.made import made
from db.many import ManyRows
from db.models.subjects import SubjectIdentifierRow, SubjectRow
from db.statements import Statements
from support_agents.domain.ids import WorkspaceId, new_id

IDENTIFIERS = table_of(SubjectIdentifierRow)
COLUMNS = IDENTIFIERS.c
ADD_SUBJECTS = ManyRows(table_of(SubjectRow), ("id", "workspace_id"))
KEY = ("workspace_id", "kind", "hash")
ADD_IDENTIFIERS = ManyRows(IDENTIFIERS, ("id", "subject_id", *KEY), unless_there=KEY)
_BY_EMAIL = select(COLUMNS.hash, COLUMNS.subject_id).where(
    COLUMNS.workspace_id == bindparam("workspace"), COLUMNS.kind == "email"
)
# Not a row value IN (…): SQLite would scan the table for more than one row.
FIND = _BY_EMAIL.where(COLUMNS.hash.in_(bindparam("hashes", expanding=True)))
FIND_ONE = made(_BY_EMAIL.where(COLUMNS.hash == bindparam("hashes")))


class Person(NamedTuple):
    """What a subject is found by."""

    workspace: WorkspaceId
    email_hash: str


@dataclass(frozen=True)
class IdentifierHash:
    """Hashes identifiers under a key that is kept outside the database, and may be known only when it is needed."""

    key: bytes | Callable[[], bytes] = field(repr=False)

    def email(self, address: str) -> str:
        """Hash of the address in lower case without surrounding space, in hex."""
        normal = "email:" + address.strip().lower()
        return hmac.digest(self._key, normal.encode("utf-8", "replace"), "sha256").hex()

    def body(self, raw: bytes) -> str:
        """Hash of a payload that has no key of its own, in hex."""
        return hmac.digest(self._key, b"body:" + raw, "sha256").hex()

    @property
    def _key(self) -> bytes:
        return self.key() if callable(self.key) else self.key


class Subjects:
    """Finds or makes the subjects that identifiers belong to."""

    def __init__(self, session: Statements) -> None:
        self._session = session

    async def by_email(self, people: Sequence[Person]) -> dict[Person, UUID]:
        """The subject of each person, made where there is none."""
        found = await self._find(people)
        missing = [person for person in people if person not in found]
        if not missing:
            return found
        new = {person: new_id() for person in missing}
        subjects = [{"id": subject, "workspace_id": person.workspace} for person, subject in new.items()]
        await ADD_SUBJECTS.insert(self._session, subjects)
        rows = [
            {
                "id": new_id(),
                "workspace_id": person.workspace,
                "subject_id": subject,
                "kind": "email",
                "hash": person.email_hash,
            }
            for person, subject in new.items()
        ]
        if len(await ADD_IDENTIFIERS.inserted(self._session, rows)) < len(
            missing
        ):  # another process was first with some
            new |= await self._find(missing)
        return found | new

    async def _find(self, people: Sequence[Person]) -> dict[Person, UUID]:
        by_workspace: dict[WorkspaceId, list[str]] = {}
        for person in people:
            by_workspace.setdefault(person.workspace, []).append(person.email_hash)
        found: dict[Person, UUID] = {}
        for workspace, hashes in by_workspace.items():
            alone = len(hashes) == 1
            given = {"workspace": workspace, "hashes": hashes[0] if alone else hashes}
            rows = await self._session.execute(FIND_ONE if alone else FIND, given)
            found |= {Person(workspace, row[0]): row[1] for row in rows}
        return found
