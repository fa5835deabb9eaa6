"""People on our side, their sessions and sign-in links, as rows; passwords and tokens arrive here hashed."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, bindparam, insert, or_, select, update

from db.base import database_now, table_of, upsert
from db.models.operators import OperatorRow, SessionRow, SignInLinkRow
from db.statements import Statements
from support_agents.domain.approval import Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import OperatorId, SessionId, WorkspaceId, new_id

OPERATORS = table_of(OperatorRow)
SESSIONS = table_of(SessionRow)
LINKS = table_of(SignInLinkRow)


@dataclass(frozen=True)
class Operator:
    """A person who may sign in while not disabled."""

    id: OperatorId
    workspace_id: WorkspaceId
    email: str
    name: str
    role: Role
    password_hash: str | None
    disabled_at: datetime | None
    languages: str = ""
    skills: str = ""
    away_from: datetime | None = None
    away_until: datetime | None = None
    delegate_id: OperatorId | None = None

    def away(self, now: datetime) -> bool:
        """Whether the person is away at this moment."""
        since = self.away_from is None or self.away_from <= now
        return self.away_until is not None and since and now < self.away_until

    def takes(self, *, language: str, intent: str) -> bool:
        """Whether the person reads the language and takes the intent; nothing named means any."""
        reads = not self.languages or not language or language in self.languages.split()
        return reads and (not self.skills or not intent or intent in self.skills.split())


@dataclass(frozen=True)
class NewSession:
    """A session to be opened; all secrets but the CSRF one are hashed."""

    operator: OperatorId
    origin: str
    token_hash: str
    csrf_secret: str
    idle_until: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Session:
    """A live interactive session and whose it is."""

    id: SessionId
    operator: Operator
    csrf_secret: str
    rotated_at: datetime
    seen_at: datetime
    idle_until: datetime
    expires_at: datetime


OPERATOR_COLUMNS = tuple(OPERATORS.c[name] for name in Operator.__dataclass_fields__)
GET = select(*OPERATOR_COLUMNS).where(OPERATORS.c.id == bindparam("operator"))
SESSION_NAMES = ("csrf_secret", "rotated_at", "seen_at", "idle_until", "expires_at")


def email_hash(email: str) -> str:
    """What an operator is found by, whatever the case of the address."""
    return hashlib.sha256(email.strip().lower().encode("utf-8", "replace")).hexdigest()


class Operators:
    """Operators and what they sign in with. Liveness is decided by the database's clock."""

    def __init__(self, session: Statements) -> None:
        self._session = session

    async def add(
        self, workspace: WorkspaceId, *, email: str, name: str, role: Role, password_hash: str | None = None
    ) -> OperatorId:
        """Add a person; `already_exists` when the address is taken."""
        operator = OperatorId(new_id())
        row = {"id": operator, "workspace_id": workspace, "email": email.strip(), "email_hash": email_hash(email)}
        statement = upsert(OPERATORS).on_conflict_do_nothing(index_elements=["workspace_id", "email_hash"])
        rest = {"name": name, "role": role, "password_hash": password_hash}
        added = await self._session.execute(statement.returning(OPERATORS.c.id), row | rest)
        if added.first() is None:
            raise SupportError("already_exists", "an operator with this address exists")
        return operator

    async def by_email(self, workspace: WorkspaceId, email: str) -> Operator | None:
        """Find a person by address."""
        mine = (OPERATORS.c.workspace_id == workspace, OPERATORS.c.email_hash == email_hash(email))
        row = (await self._session.execute(select(*OPERATOR_COLUMNS).where(*mine))).first()
        return None if row is None else _operator(row)

    async def get(self, operator: OperatorId) -> Operator | None:
        """Find a person by id."""
        row = (await self._session.execute(GET, {"operator": operator})).first()
        return None if row is None else _operator(row)

    async def all(self, workspace: WorkspaceId) -> tuple[Operator, ...]:
        """Everyone, oldest first."""
        query = select(*OPERATOR_COLUMNS).where(OPERATORS.c.workspace_id == workspace).order_by(OPERATORS.c.id)
        return tuple(_operator(row) for row in await self._session.execute(query))

    async def set_password(self, operator: OperatorId, password_hash: str) -> None:
        """Replace the password and end every session."""
        await self._update(OPERATORS, OPERATORS.c.id == operator, {"password_hash": password_hash})
        await self.end_sessions(operator)

    async def set_role(self, operator: OperatorId, role: Role) -> None:
        """Give another role and end every session."""
        await self._update(OPERATORS, OPERATORS.c.id == operator, {"role": role})
        await self.end_sessions(operator)

    async def disable(self, operator: OperatorId) -> None:
        """Let the person sign in no more; end every session."""
        await self._update(OPERATORS, OPERATORS.c.id == operator, {"disabled_at": database_now()})
        await self.end_sessions(operator)

    async def set_desk(  # noqa: PLR0913 - what a person takes
        self,
        operator: OperatorId,
        *,
        languages: str,
        skills: str,
        away_from: datetime | None = None,
        away_until: datetime | None = None,
        delegate: OperatorId | None = None,
    ) -> None:
        """Say what a person reads and takes, when they are away, and who stands in meanwhile."""
        values = {
            "languages": languages, "skills": skills, "away_from": away_from, "away_until": away_until,
            "delegate_id": delegate,
        }  # fmt: skip
        await self._update(OPERATORS, OPERATORS.c.id == operator, values)

    async def open_session(self, new: NewSession) -> SessionId:
        """Open a session after a successful sign-in."""
        session = SessionId(new_id())
        workspace = select(OPERATORS.c.workspace_id).where(OPERATORS.c.id == new.operator).scalar_subquery()
        now = database_now()
        await self._session.execute(
            insert(SESSIONS).values(
                id=session,
                workspace_id=workspace,
                operator_id=new.operator,
                origin=new.origin,
                token_hash=new.token_hash,
                csrf_secret=new.csrf_secret,
                rotated_at=now,
                seen_at=now,
                idle_until=new.idle_until,
                expires_at=new.expires_at,
            )
        )
        return session

    async def session(self, token_hash: str, *, rotated_since: datetime) -> Session | None:
        """The live session of a token; a token replaced after `rotated_since` still counts (requests under way)."""
        now = database_now()
        before = (SESSIONS.c.previous_token_hash == token_hash) & (SESSIONS.c.rotated_at > rotated_since)
        query = (
            select(SESSIONS.c.id.label("session_id"), *(SESSIONS.c[name] for name in SESSION_NAMES), *OPERATOR_COLUMNS)
            .join(OPERATORS, OPERATORS.c.id == SESSIONS.c.operator_id)
            .where(or_(SESSIONS.c.token_hash == token_hash, before), SESSIONS.c.ended_at.is_(None))
            .where(SESSIONS.c.idle_until > now, SESSIONS.c.expires_at > now, OPERATORS.c.disabled_at.is_(None))
        )
        row = (await self._session.execute(query)).first()
        if row is None:
            return None
        return Session(row.session_id, _operator(row), *(getattr(row, name) for name in SESSION_NAMES))

    async def touch_session(self, session: SessionId, *, idle_until: datetime) -> None:
        """Note that it was used."""
        await self._update(SESSIONS, SESSIONS.c.id == session, {"seen_at": database_now(), "idle_until": idle_until})

    async def rotate_session(self, session: SessionId, *, old_hash: str, new_hash: str) -> bool:
        """Replace the token; False when another request replaced it first."""
        statement = (
            update(SESSIONS)
            .where(SESSIONS.c.id == session, SESSIONS.c.token_hash == old_hash)
            .values(token_hash=new_hash, previous_token_hash=old_hash, rotated_at=database_now())
            .returning(SESSIONS.c.id)
        )
        return (await self._session.execute(statement)).first() is not None

    async def end_session(self, session: SessionId) -> None:
        """Sign out."""
        await self._update(SESSIONS, SESSIONS.c.id == session, {"ended_at": database_now()})

    async def end_sessions(self, operator: OperatorId) -> None:
        """Sign a person out everywhere."""
        live = (SESSIONS.c.operator_id == operator) & SESSIONS.c.ended_at.is_(None)
        await self._update(SESSIONS, live, {"ended_at": database_now()})

    async def add_link(self, operator: OperatorId, *, token_hash: str, expires_at: datetime) -> None:
        """Store a sign-in link that works once."""
        workspace = select(OPERATORS.c.workspace_id).where(OPERATORS.c.id == operator).scalar_subquery()
        values = {"operator_id": operator, "token_hash": token_hash, "expires_at": expires_at}
        await self._session.execute(insert(LINKS).values(id=new_id(), workspace_id=workspace, **values))

    async def use_link(self, token_hash: str) -> OperatorId | None:
        """Use up a link and say whose it was; None when it is unknown, used or too old."""
        statement = (
            update(LINKS)
            .where(LINKS.c.token_hash == token_hash, LINKS.c.used_at.is_(None), LINKS.c.expires_at > database_now())
            .values(used_at=database_now())
            .returning(LINKS.c.operator_id)
        )
        operator: OperatorId | None = (await self._session.execute(statement)).scalar_one_or_none()
        return operator

    async def _update(self, table: Table, where: ColumnElement[bool], values: dict[str, Any]) -> None:
        await self._session.execute(update(table).where(where).values(values))


def _operator(row: Row[*tuple[Any, ...]]) -> Operator:
    values = {name: getattr(row, name) for name in Operator.__dataclass_fields__}
    return Operator(**values | {"role": Role(row.role)})
