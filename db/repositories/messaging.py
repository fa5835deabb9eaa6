"""Rows of what a messenger shows of requests, soft claims and notices; leases keep two workers from one message."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Result, bindparam, case, delete, or_, select, update

from db.base import NOW, database_now, table_of, upsert
from db.models.messaging import CardClaimRow, NoticeRow, PostedCardRow
from db.models.operators import OperatorRow
from db.repositories.outbox import Outbox
from db.statements import Statements
from support_agents.domain.ids import OperatorId, RequestId, WorkspaceId, new_id

CARDS = table_of(PostedCardRow)
CLAIMS = table_of(CardClaimRow)
NOTICES = table_of(NoticeRow)
OPERATORS = table_of(OperatorRow)


@dataclass(frozen=True)
class PostedCard:
    """One message that shows one request; `ref` is None until it was posted, `version` counts its renderings.

    `leased_until` tells one lease from another.
    """

    id: UUID
    workspace_id: WorkspaceId
    request_id: RequestId
    place: str
    ref: str | None
    fingerprint: str | None
    version: int
    rendered_at: datetime | None
    failures: int
    retired_at: datetime | None
    leased_until: datetime | None


CARD_COLUMNS = tuple(CARDS.c[name] for name in PostedCard.__dataclass_fields__)
_OF = CARDS.c.request_id == bindparam("request"), CARDS.c.retired_at.is_(None)
_SHOWN = select(CARDS.c.id).where(*_OF).limit(1)
_SHOWING = select(*CARD_COLUMNS).where(*_OF).order_by(CARDS.c.id)
_LEASES = select(CARDS.c.id, CARDS.c.leased_until).where(*_OF).with_for_update()
_LEASE = update(CARDS).where(*_OF).values(leased_until=bindparam("until"))
_AT = select(*CARD_COLUMNS).where(
    CARDS.c.workspace_id == bindparam("workspace"),
    CARDS.c.place == bindparam("at"),
    CARDS.c.ref == bindparam("message"),
)


@dataclass(frozen=True)
class CardClaim:
    """Who looks at a request, until when."""

    request_id: RequestId
    operator_id: OperatorId
    name: str
    claimed_until: datetime


class PostedCards:
    """Messages that show requests."""

    def __init__(self, session: Statements) -> None:
        self._session = session

    async def of(self, request: RequestId) -> tuple[PostedCard, ...]:
        """Every message that shows this request and can still be painted."""
        return _cards(await self._session.execute(_SHOWING, {"request": request}))

    async def at(self, workspace: WorkspaceId, *, place: str, ref: str) -> PostedCard | None:
        """The message that was clicked, with what it shows and since when."""
        found = _cards(await self._session.execute(_AT, {"workspace": workspace, "at": place, "message": ref}))
        return found[0] if found else None

    async def want(self, workspace: WorkspaceId, request: RequestId, place: str) -> None:
        """Have the request shown in a place; it is, or will be, once."""
        row = {"id": new_id(), "workspace_id": workspace, "request_id": request, "place": place}
        await self._session.execute(upsert(CARDS).values(row).on_conflict_do_nothing())

    async def show(  # noqa: PLR0913 - a message is made of these
        self, workspace: WorkspaceId, request: RequestId, *, place: str, ref: str, fingerprint: str, at: datetime
    ) -> None:
        """Note that a message now shows this request: a new message, one adopted, or one that showed another."""
        await self._session.execute(
            delete(CARDS).where(
                CARDS.c.workspace_id == workspace,
                CARDS.c.request_id == request,
                CARDS.c.place == place,
                or_(CARDS.c.ref.is_(None), CARDS.c.ref != ref),
            )
        )
        shown = {"request_id": request, "fingerprint": fingerprint, "rendered_at": at, "retired_at": None}
        row = {"id": new_id(), "workspace_id": workspace, "place": place, "ref": ref, "version": 1}
        insertion = upsert(CARDS).values(row | shown)
        again = {**shown, "version": CARDS.c.version + 1, "failures": 0, "error": None, "leased_until": None}
        key = ["workspace_id", "place", "ref"]
        await self._session.execute(insertion.on_conflict_do_update(index_elements=key, set_=again))

    async def lease(self, request: RequestId, *, lease: timedelta) -> tuple[PostedCard, ...] | None:
        """Lease every message of the request; None when another worker is at one of them."""
        now = (await self._session.execute(NOW)).scalar_one()
        rows = (await self._session.execute(_LEASES, {"request": request})).all()
        if any(row.leased_until is not None and row.leased_until > now for row in rows):
            return None
        if not rows:
            return ()
        await self._session.execute(_LEASE, {"request": request, "until": now + lease})
        return await self.of(request)

    async def rendered(self, message: PostedCard, *, ref: str, fingerprint: str) -> bool:
        """Store that the messenger accepted a rendering; the lease is given back.

        False when the lease had lapsed and somebody else has painted since: then nobody knows which one is on show.
        """
        mine = CARDS.c.leased_until == message.leased_until
        values = {
            "ref": ref, "version": CARDS.c.version + 1, "rendered_at": database_now(),
            "fingerprint": case((mine, fingerprint), else_=None),
            "leased_until": case((mine, None), else_=CARDS.c.leased_until), "failures": 0, "error": None,
        }  # fmt: skip
        statement = update(CARDS).where(CARDS.c.id == message.id).values(values).returning(CARDS.c.fingerprint)
        return (await self._session.execute(statement)).scalar_one() is not None

    async def release(self, card: UUID) -> None:
        """Give the lease back without a rendering: nothing had changed."""
        await self._update(card, {"leased_until": None})

    async def failed(self, card: UUID, *, error: str) -> None:
        """Count a failure by its code and give the lease back."""
        await self._update(card, {"failures": CARDS.c.failures + 1, "error": error[:100], "leased_until": None})

    async def retire(self, card: UUID, *, error: str) -> None:
        """The message is gone for good: paint it no more."""
        await self._update(card, {"retired_at": database_now(), "error": error[:100], "leased_until": None})

    async def _update(self, card: UUID, values: dict[str, Any]) -> None:
        await self._session.execute(update(CARDS).where(CARDS.c.id == card).values(values))


def _cards(rows: Result[*tuple[Any, ...]]) -> tuple[PostedCard, ...]:
    return tuple(PostedCard(*row) for row in rows)


class CardClaims:
    """Soft claims: they keep nobody from deciding. Where others see the card, each is painted when made and lapsed."""

    def __init__(self, session: Statements, outbox: Outbox) -> None:
        self._session = session
        self._outbox = outbox

    async def take(self, workspace: WorkspaceId, request: RequestId, operator: OperatorId, *, until: datetime) -> bool:
        """Claim for a person unless somebody else's claim still holds."""
        row = {"id": new_id(), "workspace_id": workspace, "request_id": request, "operator_id": operator}
        free = or_(CLAIMS.c.claimed_until <= database_now(), CLAIMS.c.operator_id == operator)
        statement = (
            upsert(CLAIMS)
            .values(row | {"claimed_until": until})
            .on_conflict_do_update(
                index_elements=["workspace_id", "request_id"],
                set_={"operator_id": operator, "claimed_until": until},
                where=free,
            )
            .returning(CLAIMS.c.id)
        )
        taken = (await self._session.execute(statement)).first() is not None
        if taken and await self._is_shown(request):
            await self._outbox.request_changed(request, workspace=workspace)
            await self._outbox.request_changed(request, workspace=workspace, not_before=until)
        return taken

    async def release(self, workspace: WorkspaceId, request: RequestId, operator: OperatorId) -> None:
        """Let go of a claim of one's own."""
        await self._session.execute(
            delete(CLAIMS).where(CLAIMS.c.request_id == request, CLAIMS.c.operator_id == operator)
        )
        if await self._is_shown(request):
            await self._outbox.request_changed(request, workspace=workspace)

    async def _is_shown(self, request: RequestId) -> bool:
        """Whether a message tells others of the claim; what is whispered does not."""
        return (await self._session.execute(_SHOWN, {"request": request})).first() is not None

    async def on(self, requests: Sequence[RequestId]) -> dict[RequestId, CardClaim]:
        """The claims that hold now, by request."""
        query = (
            select(
                CLAIMS.c.request_id, CLAIMS.c.operator_id, OPERATORS.c.name, OPERATORS.c.email, CLAIMS.c.claimed_until
            )
            .join(OPERATORS, OPERATORS.c.id == CLAIMS.c.operator_id)
            .where(CLAIMS.c.request_id.in_(requests), CLAIMS.c.claimed_until > database_now())
        )
        return {
            row.request_id: CardClaim(row.request_id, row.operator_id, row.name or row.email, row.claimed_until)
            for row in await self._session.execute(query)
        }


class Notices:
    """Summaries, reminders and escalations, each once."""

    def __init__(self, session: Statements) -> None:
        self._session = session

    async def due(self, workspace: WorkspaceId, *, kind: str, key: str, place: str) -> bool:
        """Note that it is to be sent; False when it was sent already."""
        row = {"id": new_id(), "workspace_id": workspace, "kind": kind, "key": key, "place": place}
        await self._session.execute(upsert(NOTICES).values(row).on_conflict_do_nothing())
        mine = _notice(workspace, kind=kind, key=key, place=place)
        return (await self._session.execute(select(NOTICES.c.sent_at).where(*mine))).scalar_one() is None

    async def sent(self, workspace: WorkspaceId, *, kind: str, key: str, place: str) -> None:
        """Note that the messenger took it."""
        mine = _notice(workspace, kind=kind, key=key, place=place)
        await self._session.execute(update(NOTICES).where(*mine).values(sent_at=database_now()))

    async def all_sent(self, workspace: WorkspaceId, *, kind: str, keys: Sequence[str], place: str) -> None:
        """Note that the messenger took one message that tells of all of these."""
        now = (await self._session.execute(NOW)).scalar_one()
        rows = [
            {"id": new_id(), "workspace_id": workspace, "kind": kind, "key": key, "place": place, "sent_at": now}
            for key in keys
        ]
        key = ["workspace_id", "kind", "key", "place"]
        statement = upsert(NOTICES).on_conflict_do_update(index_elements=key, set_={"sent_at": now})
        await self._session.execute(statement, rows)


def _notice(workspace: WorkspaceId, *, kind: str, key: str, place: str) -> tuple[ColumnElement[bool], ...]:
    columns = NOTICES.c
    return (columns.workspace_id == workspace, columns.kind == kind, columns.key == key, columns.place == place)
