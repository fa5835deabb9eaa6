"""Who is asking: sessions of people, bearer tokens of programs; only an interactive session ever makes a `Person`."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from uuid import UUID

from api.passwords import Passwords
from api.secret_key import SecretKey
from api.sign_in_limits import SignInLimits
from approvals.ports import Person
from db import fences
from db.engine import Database
from db.repositories.operators import NewSession, Operator, Session
from db.uow import UnitOfWork
from support_agents.domain.approval import Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE, OperatorId, WorkspaceId

ROTATE_AFTER = timedelta(minutes=15)
OVERLAP = timedelta(minutes=1)
IDLE = timedelta(hours=2)
SEEN_EVERY = timedelta(minutes=1)
LINK_LIFE = timedelta(minutes=5)
_PREFIX = "sat_"


class Scope(StrEnum):
    """What a bearer token may do. There is no scope for deciding."""

    READ = "read"
    CANCEL = "cancel"


class Origin(StrEnum):
    """How a session came about."""

    PASSWORD = "password"  # noqa: S105 - a word, not a password
    LINK = "link"


@dataclass(frozen=True)
class Interactive:
    """A person at a browser. `replacement` is a new cookie value to set, when the old one was due for rotation."""

    person: Person
    name: str
    csrf: str
    replacement: str | None = None


@dataclass(frozen=True)
class Bearer:
    """A program; it has no `person` and so can decide nothing."""

    workspace: WorkspaceId
    name: str
    scopes: frozenset[Scope]


Caller = Interactive | Bearer


@dataclass(frozen=True)
class SignedIn:
    """A fresh session: the cookie's value and the token that forms and scripts must send back."""

    token: str
    csrf: str
    operator: Operator


@dataclass(frozen=True)
class Auth:
    """Signs people in and out, and recognises callers. Tokens are stored hashed, compared by the database."""

    database: Database
    passwords: Passwords
    limits: SignInLimits
    key: SecretKey
    lifetime: timedelta
    links_allowed: bool = False

    async def sign_in(self, workspace: WorkspaceId, *, email: str, password: str, peer: str) -> SignedIn:
        """Open a session, or raise `bad_credentials` or `locked_out`; known and unknown addresses look alike."""
        keys = self.limits.keys(email, peer)
        async with self.database.write("sign_in_attempt", fence=fences.of(workspace)) as uow:
            # Counted before the password is looked at, so that many attempts at once count, too.
            await self.limits.count(uow, workspace, keys)
            operator = await uow.operators.by_email(workspace, email)
        usable = operator if operator is not None and operator.disabled_at is None else None
        matches = await self.passwords.matches(usable.password_hash if usable else None, password)
        if usable is None or not matches:
            raise SupportError("bad_credentials", "Address and password do not fit together.")
        async with self.database.write("sign_in", fence=fences.SIGN_IN) as uow:
            await self.limits.clear(uow, workspace, keys)
            return await self._open(uow, usable, Origin.PASSWORD)

    async def sign_in_by_link(self, token: str, *, peer: str) -> SignedIn:
        """Use up a one-time link; only in a demo folder and only from this machine."""
        refused = SupportError(
            "bad_credentials", "This link was used already, is older than five minutes, or is not for you."
        )
        if not (self.links_allowed and is_loopback(peer)):
            raise refused
        async with self.database.write("sign_in", fence=fences.SIGN_IN) as uow:
            operator_id = await uow.operators.use_link(hashed(token))
            operator = await uow.operators.get(operator_id) if operator_id else None
            if operator is None or operator.disabled_at is not None:
                raise refused
            return await self._open(uow, operator, Origin.LINK)

    async def make_link(self, operator: OperatorId) -> str:
        """Return the secret part of a sign-in link that works once, within five minutes."""
        if not self.links_allowed:
            raise SupportError("not_allowed", "Sign-in links exist in a demo folder only.")
        token = secrets.token_urlsafe(32)
        async with self.database.write("sign_in_link", fence=fences.SIGN_IN) as uow:
            await uow.operators.add_link(operator, token_hash=hashed(token), expires_at=await uow.now() + LINK_LIFE)
        return token

    async def glance(self, token: str) -> Interactive | None:
        """Recognise a session cookie that an open page sends by itself: that is no use, so the idle time runs on."""
        session, _ = await self._found(token)
        return None if session is None else Interactive(_person(session), session.operator.name, session.csrf_secret)

    async def session(self, token: str) -> Interactive | None:
        """Recognise a session cookie as its person's act; rotate it when it is due."""
        session, now = await self._found(token)
        if session is None:
            return None
        replacement = None
        if now - session.rotated_at > ROTATE_AFTER:
            replacement = await self._rotate(session, token)
        elif now - session.seen_at > SEEN_EVERY:
            await self._touch(session, now)
        return Interactive(_person(session), session.operator.name, session.csrf_secret, replacement)

    async def sign_out(self, person: Person) -> None:
        """End the session."""
        async with self.database.write("sign_out", fence=fences.of(person.workspace)) as uow:
            await uow.operators.end_session(person.session_id)
            await _audit(uow, person.workspace, "signed_out", person.operator_id)

    async def bearer(self, token: str, *, peer: str) -> Bearer | None:
        """Recognise a bearer token; the command line's own is good on this machine only."""
        if hmac.compare_digest(token.encode(), self.key.local_token.encode()):
            return local_caller() if is_loopback(peer) else None
        async with self.database.read(fences.SIGN_IN) as uow:
            found = await uow.api_tokens.find(hashed(token))
        if found is None:
            return None
        return Bearer(found.workspace, found.name, frozenset(Scope(scope) for scope in found.scopes))

    async def issue_token(
        self, workspace: WorkspaceId, *, name: str, scopes: Iterable[Scope], life: timedelta
    ) -> tuple[UUID, str]:
        """Make a bearer token; its text is returned once and stored hashed."""
        token = _PREFIX + secrets.token_urlsafe(32)
        async with self.database.write("token_issued", fence=fences.of(workspace)) as uow:
            token_id = await uow.api_tokens.add(
                workspace, name=name, token_hash=hashed(token), scopes=scopes, expires_at=await uow.now() + life
            )
            await _audit(uow, workspace, "token_issued", token_id)
        return token_id, token

    async def revoke_token(self, workspace: WorkspaceId, token_id: UUID) -> None:
        """End a bearer token at once."""
        async with self.database.write("token_revoked", fence=fences.of(workspace)) as uow:
            await uow.api_tokens.revoke(token_id)
            await _audit(uow, workspace, "token_revoked", token_id)

    async def add_operator(
        self, workspace: WorkspaceId, *, email: str, name: str, role: Role, password: str | None
    ) -> OperatorId:
        """Add a person; without a password only a sign-in link lets them in."""
        password_hash = await self.passwords.hashed(password) if password is not None else None
        async with self.database.write("operator_added", fence=fences.of(workspace)) as uow:
            operator = await uow.operators.add(
                workspace, email=email, name=name, role=role, password_hash=password_hash
            )
            await _audit(uow, workspace, "operator_added", operator)
        return operator

    async def set_password(self, workspace: WorkspaceId, operator: OperatorId, password: str) -> None:
        """Replace a password and end every session of that person."""
        password_hash = await self.passwords.hashed(password)
        async with self.database.write("password_set", fence=fences.of(workspace)) as uow:
            await uow.operators.set_password(operator, password_hash)
            await _audit(uow, workspace, "password_set", operator)

    async def _open(self, uow: UnitOfWork, operator: Operator, origin: Origin) -> SignedIn:
        token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        now = await uow.now()
        await uow.operators.open_session(
            NewSession(
                operator=operator.id,
                origin=origin,
                token_hash=hashed(token),
                csrf_secret=csrf,
                idle_until=now + min(IDLE, self.lifetime),
                expires_at=now + self.lifetime,
            )
        )
        await _audit(uow, operator.workspace_id, "signed_in", operator.id)
        return SignedIn(token, csrf, operator)

    async def _found(self, token: str) -> tuple[Session | None, datetime]:
        """The live session of a cookie, if there is one, and the database's present."""
        async with self.database.read(fences.SIGN_IN) as uow:
            now = await uow.now()
            return await uow.operators.session(hashed(token), rotated_since=now - OVERLAP), now

    async def _rotate(self, session: Session, token: str) -> str | None:
        fresh = secrets.token_urlsafe(32)
        async with self.database.write("session_rotated", fence=fences.SIGN_IN) as uow:
            won = await uow.operators.rotate_session(session.id, old_hash=hashed(token), new_hash=hashed(fresh))
            await uow.operators.touch_session(session.id, idle_until=await uow.now() + IDLE)
        return fresh if won else None

    async def _touch(self, session: Session, now: datetime) -> None:
        async with self.database.write("session_seen", fence=fences.SIGN_IN) as uow:
            await uow.operators.touch_session(session.id, idle_until=now + IDLE)


def hashed(token: str) -> str:
    """What is stored of a token: it has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def require_csrf(caller: Interactive, given: str | None) -> Person:
    """Return the person when the request proves that it came from our own page."""
    if given is None or not hmac.compare_digest(given.encode("utf-8", "replace"), caller.csrf.encode()):
        raise SupportError("csrf", "Send the session's token as X-CSRF-Token (or the form's csrf field) and try again.")
    return caller.person


def local_caller() -> Bearer:
    """The command line on this machine."""
    return Bearer(DEFAULT_WORKSPACE, "command line", frozenset({Scope.READ}))


def is_loopback(peer: str) -> bool:
    """Whether a peer address is this machine's."""
    try:
        return ip_address(peer).is_loopback
    except ValueError:
        return False


def _person(session: Session) -> Person:
    operator = session.operator
    return Person(
        operator_id=operator.id,
        session_id=session.id,
        workspace=operator.workspace_id,
        role=operator.role,
        email=operator.email,
    )


async def _audit(uow: UnitOfWork, workspace: WorkspaceId, event: str, subject: UUID) -> None:
    await uow.audit.append(workspace=workspace, event=event, subject=subject, actor=str(subject))
