"""What customers, orders and instruments were granted, as rows: claimed under a lock, given back, added up."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.sql.elements import ColumnElement

from db.base import database_now, table_of, upsert
from db.models.money_claims import MoneyClaimRow, MoneySubjectRow
from db.statements import Statements
from support_agents.domain.ids import RequestId, WorkspaceId, new_id

_SUBJECTS = table_of(MoneySubjectRow)
_CLAIMS = table_of(MoneyClaimRow)
_S, _C = _SUBJECTS.c, _CLAIMS.c
_NEW_SUBJECT = upsert(_SUBJECTS).on_conflict_do_nothing()
_SUBJECT = (
    select(_S.id)
    .where(
        _S.workspace_id == bindparam("workspace_id"), _S.per == bindparam("per"), _S.holder == bindparam("holder"),
        _S.currency == bindparam("currency"),
    )
    .with_for_update(key_share=True)
)  # fmt: skip
_CLAIM = insert(_CLAIMS)
_HELD = (_C.request_id == bindparam("wanted"), _C.released_at.is_(None))
_CLAIMS_OF = select(_CLAIMS, _S.per, _S.currency).join(_SUBJECTS, _S.id == _C.subject_id).where(*_HELD)
_RELEASE = update(_CLAIMS).where(*_HELD).values(released_at=database_now())
_HOLD = update(_CLAIMS).where(_C.request_id == bindparam("wanted")).values(released_at=None)


class MoneySubject(BaseModel):
    """Whose money is added up; `holder` is what tells one customer, order or instrument from another."""

    model_config = ConfigDict(frozen=True)

    workspace_id: WorkspaceId
    per: str
    holder: str
    currency: str


class NewClaim(BaseModel):
    """A request's amount in minor units, and the business day that it counts in."""

    model_config = ConfigDict(frozen=True)

    request_id: RequestId
    minor: int
    day: date
    claimed_at: datetime


class Claim(NewClaim):
    """A claim as stored, with whose it is."""

    id: UUID
    subject_id: UUID
    per: str
    currency: str


class MoneyClaims:
    """Claims of requests on what is granted."""

    def __init__(self, session: Statements) -> None:
        self._session = session

    async def lock(self, subject: MoneySubject) -> UUID:
        """Return the subject's row, made when there is none, locked until the end of the transaction."""
        key = subject.model_dump()
        await self._session.execute(_NEW_SUBJECT, {"id": new_id(), **key})
        locked: UUID = (await self._session.execute(_SUBJECT, key)).scalar_one()
        return locked

    async def add(self, subject_id: UUID, workspace: WorkspaceId, claim: NewClaim) -> None:
        """Claim; once for each request and subject."""
        values = {"id": new_id(), "workspace_id": workspace, "subject_id": subject_id, **claim.model_dump()}
        await self._session.execute(_CLAIM, values)

    async def taken_in_day(self, subject_id: UUID, day: date, *, until: datetime | None = None) -> int:
        """Minor units claimed in one business day and not given back; up to an instant, if one is given."""
        return await self._sum(subject_id, _CLAIMS.c.day == day, *_until(until))

    async def taken_since(self, subject_id: UUID, since: datetime, *, until: datetime | None = None) -> int:
        """Minor units claimed after an instant and not given back; up to another, if one is given."""
        return await self._sum(subject_id, _CLAIMS.c.claimed_at > since, *_until(until))

    async def of(self, request_id: RequestId) -> tuple[Claim, ...]:
        """A request's claims that hold."""
        found = await self._session.execute(_CLAIMS_OF, {"wanted": request_id})
        return tuple(Claim.model_validate(dict(row)) for row in found.mappings())

    async def release(self, request_id: RequestId) -> None:
        """Give back what was claimed for something that will not happen."""
        await self._session.execute(_RELEASE, {"wanted": request_id})

    async def hold(self, request_id: RequestId) -> None:
        """Claim again what was given back too early: it has happened after all."""
        await self._session.execute(_HOLD, {"wanted": request_id})

    async def _sum(self, subject_id: UUID, *when: ColumnElement[bool]) -> int:
        mine = (_CLAIMS.c.subject_id == subject_id, _CLAIMS.c.released_at.is_(None))
        query = select(func.coalesce(func.sum(_CLAIMS.c.minor), 0)).where(*mine, *when)
        return int((await self._session.execute(query)).scalar_one())


def _until(instant: datetime | None) -> tuple[ColumnElement[bool], ...]:
    return () if instant is None else (_CLAIMS.c.claimed_at <= instant,)
