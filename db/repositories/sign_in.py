"""What bearer tokens may do, and how often signing in has failed; keys and tokens arrive here hashed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import case, delete, insert, select, update

from db.base import database_now, table_of, upsert
from db.models.operators import ApiTokenRow, SignInFailureRow
from db.statements import Statements
from support_agents.domain.ids import OperatorId, WorkspaceId, new_id

TOKENS = table_of(ApiTokenRow)
FAILURES = table_of(SignInFailureRow)


@dataclass(frozen=True)
class ApiToken:
    """A live bearer token: it reads and cancels within its scopes, it never decides."""

    id: UUID
    workspace: WorkspaceId
    name: str
    scopes: frozenset[str]
    expires_at: datetime


class ApiTokens:
    """Bearer tokens, found by their hash."""

    def __init__(self, session: Statements) -> None:
        self._session = session

    async def add(  # noqa: PLR0913 - a token is made of these
        self,
        workspace: WorkspaceId,
        *,
        name: str,
        token_hash: str,
        scopes: Iterable[str],
        expires_at: datetime,
        created_by: OperatorId | None = None,
    ) -> UUID:
        """Store a token's hash with what it may do."""
        token = new_id()
        row = {"id": token, "workspace_id": workspace, "name": name, "token_hash": token_hash}
        rest = {"scopes": " ".join(sorted(scopes)), "expires_at": expires_at, "created_by": created_by}
        await self._session.execute(insert(TOKENS), row | rest)
        return token

    async def find(self, token_hash: str) -> ApiToken | None:
        """The live token with this hash."""
        live = (TOKENS.c.revoked_at.is_(None), TOKENS.c.expires_at > database_now())
        row = (await self._session.execute(select(TOKENS).where(TOKENS.c.token_hash == token_hash, *live))).first()
        if row is None:
            return None
        return ApiToken(row.id, row.workspace_id, row.name, frozenset(row.scopes.split()), row.expires_at)

    async def used(self, token: UUID) -> None:
        """Note that it was used."""
        await self._session.execute(update(TOKENS).where(TOKENS.c.id == token).values(used_at=database_now()))

    async def revoke(self, token: UUID) -> None:
        """End it."""
        await self._session.execute(update(TOKENS).where(TOKENS.c.id == token).values(revoked_at=database_now()))


class SignInFailures:
    """Counts failures by key – a hashed address, a hashed peer – whether or not we know it."""

    def __init__(self, session: Statements) -> None:
        self._session = session

    async def locked_until(self, workspace: WorkspaceId, keys: Iterable[str]) -> datetime | None:
        """Until when the longest lock among these keys holds; None when none is locked."""
        query = (
            select(FAILURES.c.locked_until)
            .where(FAILURES.c.workspace_id == workspace, FAILURES.c.key_hash.in_(list(keys)))
            .where(FAILURES.c.locked_until > database_now())
            .order_by(FAILURES.c.locked_until.desc())
            .limit(1)
        )
        until: datetime | None = (await self._session.execute(query)).scalar_one_or_none()
        return until

    async def count(self, workspace: WorkspaceId, key: str, *, now: datetime, window: timedelta) -> int:
        """Count one more failure and return how many there were within the window."""
        fresh = FAILURES.c.since <= now - window
        row = {"id": new_id(), "workspace_id": workspace, "key_hash": key, "failures": 1, "since": now}
        statement = (
            upsert(FAILURES)
            .values(row)
            .on_conflict_do_update(
                index_elements=["workspace_id", "key_hash"],
                set_={
                    "failures": case((fresh, 1), else_=FAILURES.c.failures + 1),
                    "since": case((fresh, now), else_=FAILURES.c.since),
                },
            )
            .returning(FAILURES.c.failures)
        )
        failures: int = (await self._session.execute(statement)).scalar_one()
        return failures

    async def lock(self, workspace: WorkspaceId, key: str, *, until: datetime) -> None:
        """Refuse this key until then."""
        mine = (FAILURES.c.workspace_id == workspace, FAILURES.c.key_hash == key)
        await self._session.execute(update(FAILURES).where(*mine).values(locked_until=until))

    async def clear(self, workspace: WorkspaceId, key: str) -> None:
        """Forget a key's failures after a success."""
        mine = (FAILURES.c.workspace_id == workspace, FAILURES.c.key_hash == key)
        await self._session.execute(delete(FAILURES).where(*mine))
