"""Second factors and recovery codes as rows; secrets arrive here sealed and codes hashed."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import bindparam, delete, func, insert, select, update

from db.base import database_now, table_of, upsert
from db.models.operators import OperatorRow, SessionRow
from db.models.second_factors import RecoveryCodeRow, SecondFactorRow
from db.statements import Statements
from support_agents.domain.approval import Role
from support_agents.domain.ids import OperatorId, SessionId, WorkspaceId, new_id

_FACTORS = table_of(SecondFactorRow)
_CODES = table_of(RecoveryCodeRow)
_SESSIONS = table_of(SessionRow)
_OPERATORS = table_of(OperatorRow)
# Made once: every decision asks it.
_PRESENCE = (
    select(_SESSIONS.c.origin, _SESSIONS.c.factor_proved_at, _FACTORS.c.confirmed_at, database_now().label("now"))
    .join(_OPERATORS, _OPERATORS.c.id == _SESSIONS.c.operator_id)
    .outerjoin(_FACTORS, _FACTORS.c.operator_id == _OPERATORS.c.id)
    .where(_SESSIONS.c.id == bindparam("session"), _SESSIONS.c.operator_id == bindparam("operator"))
    .where(_SESSIONS.c.ended_at.is_(None), _SESSIONS.c.expires_at > database_now())
    .where(_OPERATORS.c.disabled_at.is_(None), _OPERATORS.c.role == bindparam("role"))
)


class SecondFactor(BaseModel):
    """An operator's factor; it counts once it is confirmed."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    operator_id: OperatorId
    sealed: bytes
    confirmed_at: datetime | None
    last_step: int


class Presence(BaseModel):
    """A live session as the database knows it `now`: where it comes from, and the second factor of its operator."""

    model_config = ConfigDict(frozen=True)

    origin: str
    enrolled: bool
    proved_at: datetime | None
    now: datetime


class SecondFactors:
    """Factors, their recovery codes, and when a session last proved one."""

    def __init__(self, session: Statements) -> None:
        self._session = session

    async def presence(self, operator: OperatorId, session: SessionId, role: Role) -> Presence | None:
        """The session if it lives, belongs to this operator, and the operator has this role now."""
        given = {"operator": operator, "session": session, "role": role}
        row = (await self._session.execute(_PRESENCE, given)).first()
        if row is None:
            return None
        return Presence(
            origin=row.origin, enrolled=row.confirmed_at is not None, proved_at=row.factor_proved_at, now=row.now
        )

    async def get(self, operator: OperatorId, *, lock: bool = False) -> SecondFactor | None:
        """An operator's factor, confirmed or not."""
        query = select(_FACTORS).where(_FACTORS.c.operator_id == operator)
        row = (await self._session.execute(query.with_for_update() if lock else query)).mappings().first()
        return None if row is None else SecondFactor.model_validate(dict(row))

    async def enrolled(self, workspace: WorkspaceId) -> frozenset[OperatorId]:
        """Everybody with a confirmed factor."""
        mine = (_FACTORS.c.workspace_id == workspace, _FACTORS.c.confirmed_at.is_not(None))
        return frozenset((await self._session.execute(select(_FACTORS.c.operator_id).where(*mine))).scalars())

    async def begin(self, workspace: WorkspaceId, operator: OperatorId, sealed: bytes) -> None:
        """Store a secret that has to be confirmed, in the place of one that never was."""
        keys = {"id": new_id(), "workspace_id": workspace, "operator_id": operator}
        statement = upsert(_FACTORS).values(**keys, sealed=sealed, last_step=0)
        unconfirmed = _FACTORS.c.confirmed_at.is_(None)
        await self._session.execute(
            statement.on_conflict_do_update(
                index_elements=["workspace_id", "operator_id"],
                set_={"sealed": sealed, "last_step": 0, "created_at": database_now()},
                where=unconfirmed,
            )
        )

    async def confirm(self, factor: UUID) -> None:
        """Let it count from now on."""
        await self._session.execute(update(_FACTORS).where(_FACTORS.c.id == factor).values(confirmed_at=database_now()))

    async def seal(self, factor: UUID, sealed: bytes) -> None:
        """Put the same secret, sealed under another key, in its place."""
        await self._session.execute(update(_FACTORS).where(_FACTORS.c.id == factor).values(sealed=sealed))

    async def take_step(self, factor: UUID, step: int) -> bool:
        """Use a time step up; False when it, or a later one, was used before."""
        result = await self._session.execute(
            update(_FACTORS)
            .where(_FACTORS.c.id == factor, _FACTORS.c.last_step < step)
            .values(last_step=step)
            .returning(_FACTORS.c.id)
        )
        return result.first() is not None

    async def remove(self, operator: OperatorId) -> None:
        """Take the factor and its codes away; no session of the operator has it proved any more."""
        await self._session.execute(delete(_CODES).where(_CODES.c.operator_id == operator))
        await self._session.execute(delete(_FACTORS).where(_FACTORS.c.operator_id == operator))
        await self._session.execute(
            update(_SESSIONS).where(_SESSIONS.c.operator_id == operator).values(factor_proved_at=None)
        )

    async def set_codes(self, workspace: WorkspaceId, operator: OperatorId, hashes: Iterable[str]) -> None:
        """Put new recovery codes in the place of all earlier ones."""
        await self._session.execute(delete(_CODES).where(_CODES.c.operator_id == operator))
        keys = {"workspace_id": workspace, "operator_id": operator}
        rows = [{"id": new_id(), **keys, "code_hash": code_hash} for code_hash in hashes]
        await self._session.execute(insert(_CODES), rows)

    async def use_code(self, operator: OperatorId, code_hash: str) -> bool:
        """Use a recovery code up; False when it is unknown or used."""
        result = await self._session.execute(
            update(_CODES)
            .where(_CODES.c.operator_id == operator, _CODES.c.code_hash == code_hash, _CODES.c.used_at.is_(None))
            .values(used_at=database_now())
            .returning(_CODES.c.id)
        )
        return result.first() is not None

    async def codes_left(self, operator: OperatorId) -> int:
        """How many recovery codes are unused."""
        unused = (_CODES.c.operator_id == operator, _CODES.c.used_at.is_(None))
        query = select(func.count()).select_from(_CODES).where(*unused)
        return int((await self._session.execute(query)).scalar_one())

    async def proved(self, session: SessionId) -> None:
        """Note that this session has just proved its operator's factor."""
        await self._session.execute(
            update(_SESSIONS).where(_SESSIONS.c.id == session).values(factor_proved_at=database_now())
        )
