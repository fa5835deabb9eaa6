"""Slack accounts that act for operators, codes that link them, deliveries already taken; codes arrive here hashed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, delete, insert, or_, select, update

from db.base import NOW, database_now, table_of, upsert
from db.models.slack import LinkEnd, SlackDeliveryRow, SlackLinkCodeRow, SlackLinkRow
from db.repositories.operators import OPERATOR_COLUMNS, OPERATORS, SESSIONS, Operator
from db.statements import Statements
from support_agents.domain.approval import Role
from support_agents.domain.ids import OperatorId, SessionId, SlackLinkId, WorkspaceId, new_id

LINKS = table_of(SlackLinkRow)
CODES = table_of(SlackLinkCodeRow)
DELIVERIES = table_of(SlackDeliveryRow)
LIVE = LINKS.c.ended_at.is_(None)


@dataclass(frozen=True)
class SlackAccount:
    """Who someone is in Slack: never a name. `enterprise` is empty outside an Enterprise Grid."""

    team: str
    user: str
    enterprise: str = ""


@dataclass(frozen=True)
class SlackLink:
    """A live link; `alive` says whether its session still is, which a new password or role ends."""

    id: SlackLinkId
    account: SlackAccount
    operator: Operator
    session: SessionId
    linked_at: datetime
    alive: bool


def _links(*where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The live links of some account or operator in a workspace, newest first, with the operator."""
    alive = SESSIONS.c.ended_at.is_(None) & (SESSIONS.c.expires_at > database_now()) & OPERATORS.c.disabled_at.is_(None)
    names = ("team_id", "user_id", "enterprise_id", "session_id", "created_at")
    return (
        select(
            LINKS.c.id.label("link_id"),
            *(LINKS.c[name].label(f"link_{name}") for name in names),
            *OPERATOR_COLUMNS,
            alive.label("alive"),
        )
        .join(OPERATORS, OPERATORS.c.id == LINKS.c.operator_id)
        .join(SESSIONS, SESSIONS.c.id == LINKS.c.session_id)
        .where(LINKS.c.workspace_id == bindparam("workspace"), *where, LIVE)
        .order_by(LINKS.c.created_at.desc(), LINKS.c.id.desc())
    )


# Made once: every click asks for its account.
_IN_TEAM = LINKS.c.team_id == bindparam("team")
_IN_ORGANISATION = or_(_IN_TEAM, LINKS.c.enterprise_id == bindparam("enterprise"))
_OF_TEAM = _links(LINKS.c.user_id == bindparam("user"), _IN_TEAM)
_OF_ORGANISATION = _links(LINKS.c.user_id == bindparam("user"), _IN_ORGANISATION)
_OF_OPERATOR = _links(LINKS.c.operator_id == bindparam("operator"))
_TAKE = (
    upsert(DELIVERIES)
    .on_conflict_do_nothing(index_elements=["workspace_id", "key_hash"])
    .returning(DELIVERIES.c.key_hash)
)


class Slack:
    """Links, codes and deliveries. What lives and what has lapsed is decided by the database's clock."""

    def __init__(self, session: Statements) -> None:
        self._session = session

    async def add_code(self, workspace: WorkspaceId, operator: OperatorId, *, code_hash: str, life: timedelta) -> None:
        """Store a code; earlier ones of the same operator are used up."""
        mine = (CODES.c.workspace_id == workspace) & (CODES.c.operator_id == operator) & CODES.c.used_at.is_(None)
        await self._session.execute(update(CODES).where(mine).values(used_at=database_now()))
        until = (await self._session.execute(NOW)).scalar_one() + life
        row = {"workspace_id": workspace, "operator_id": operator, "code_hash": code_hash, "expires_at": until}
        await self._session.execute(insert(CODES).values(id=new_id(), **row))

    async def use_code(self, workspace: WorkspaceId, code_hash: str) -> OperatorId | None:
        """Use up a code and say whose it was; None when it is unknown, used or too old."""
        statement = (
            update(CODES)
            .where(CODES.c.workspace_id == workspace, CODES.c.code_hash == code_hash)
            .where(CODES.c.used_at.is_(None), CODES.c.expires_at > database_now())
            .values(used_at=database_now())
            .returning(CODES.c.operator_id)
        )
        operator: OperatorId | None = (await self._session.execute(statement)).scalar_one_or_none()
        return operator

    async def link(
        self, workspace: WorkspaceId, operator: OperatorId, session: SessionId, account: SlackAccount
    ) -> SlackLinkId:
        """Let an account act for an operator; earlier links of either in this team must have been ended."""
        link = SlackLinkId(new_id())
        row = {"workspace_id": workspace, "operator_id": operator, "session_id": session}
        who = {"team_id": account.team, "enterprise_id": account.enterprise, "user_id": account.user}
        await self._session.execute(insert(LINKS).values(id=link, **row, **who))
        return link

    async def of_account(self, workspace: WorkspaceId, account: SlackAccount) -> SlackLink | None:
        """The live link of an account: by team and user, or in an Enterprise Grid by organisation and user."""
        who = {"workspace": workspace, "user": account.user, "team": account.team}
        if account.enterprise:
            found = await self._links(_OF_ORGANISATION, who | {"enterprise": account.enterprise})
        else:
            found = await self._links(_OF_TEAM, who)
        return found[0] if found else None

    async def of_operator(self, workspace: WorkspaceId, operator: OperatorId) -> tuple[SlackLink, ...]:
        """The live links of an operator, newest first."""
        return await self._links(_OF_OPERATOR, {"workspace": workspace, "operator": operator})

    async def end(self, link: SlackLink, why: LinkEnd) -> bool:
        """End a link and its session; False when somebody else has ended it."""
        values = {"ended_at": database_now(), "ended_reason": why}
        statement = update(LINKS).where(LINKS.c.id == link.id, LIVE).values(**values).returning(LINKS.c.id)
        ended = (await self._session.execute(statement)).first() is not None
        if ended:
            over = (SESSIONS.c.id == link.session) & SESSIONS.c.ended_at.is_(None)
            await self._session.execute(update(SESSIONS).where(over).values(ended_at=database_now()))
        return ended

    async def take(self, workspace: WorkspaceId, keys: Sequence[str], *, life: timedelta) -> frozenset[str]:
        """Note deliveries by hashed key; return those that had not been taken before, each once."""
        until = (await self._session.execute(NOW)).scalar_one() + life
        rows = [
            {"id": new_id(), "workspace_id": workspace, "key_hash": key, "expires_at": until} for key in sorted({*keys})
        ]
        taken = await self._session.execute(_TAKE, rows)
        return frozenset(taken.scalars())

    async def forget_deliveries(self, *, limit: int = 1_000) -> int:
        """Delete deliveries that could not be replayed any more; returns how many."""
        # The clock is read by itself: compared with what may change from row to row, an index is of no use.
        now = (await self._session.execute(NOW)).scalar_one()
        lapsed = select(DELIVERIES.c.id).where(DELIVERIES.c.expires_at <= now).limit(limit)
        gone = await self._session.execute(
            delete(DELIVERIES).where(DELIVERIES.c.id.in_(lapsed)).returning(DELIVERIES.c.id)
        )
        return len(gone.all())

    async def _links(self, query: Select[*tuple[Any, ...]], given: Mapping[str, object]) -> tuple[SlackLink, ...]:
        return tuple(_link(row) for row in await self._session.execute(query, given))


def _link(row: Row[*tuple[Any, ...]]) -> SlackLink:
    operator = {name: getattr(row, name) for name in Operator.__dataclass_fields__}
    return SlackLink(
        id=row.link_id,
        account=SlackAccount(row.link_team_id, row.link_user_id, row.link_enterprise_id),
        operator=Operator(**operator | {"role": Role(row.role)}),
        session=row.link_session_id,
        linked_at=row.link_created_at,
        alive=bool(row.alive),
    )
