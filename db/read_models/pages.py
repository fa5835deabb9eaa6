"""Keyset pagination: a page and the opaque cursor of the next; no page counts its whole."""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_

from support_agents.domain.errors import SupportError

Item = TypeVar("Item")
LARGEST_PAGE = 100


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Items in order; `next` is None at the end."""

    items: tuple[Item, ...]
    next: str | None


@dataclass(frozen=True)
class Place:
    """Where a page ended: sort key and id of its last item."""

    at: datetime
    id: UUID

    @property
    def cursor(self) -> str:
        """As handed out."""
        return base64.urlsafe_b64encode(f"{self.at.isoformat()}|{self.id}".encode()).decode().rstrip("=")

    @classmethod
    def read(cls, cursor: str) -> "Place":
        """As handed in; `bad_cursor` when it is none of ours."""
        try:
            text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
            at, _, identity = text.partition("|")
            moment = datetime.fromisoformat(at)
            place = cls(moment.astimezone(UTC), UUID(identity))
        except (ValueError, OverflowError, binascii.Error) as error:
            raise SupportError("bad_cursor", "this is not a cursor of ours") from error
        if moment.tzinfo is None:
            raise SupportError("bad_cursor", "this is not a cursor of ours")
        return place


def within(limit: int) -> int:
    """The asked-for page size, made reasonable."""
    return max(1, min(limit, LARGEST_PAGE))


def before(
    at: ColumnElement[datetime], identity: ColumnElement[UUID], cursor: str | None
) -> tuple[ColumnElement[bool], ...]:
    """The condition for items after `cursor` when the newest come first."""
    if cursor is None:
        return ()
    place = Place.read(cursor)
    return (or_(at < place.at, and_(at == place.at, identity < place.id)),)


def after(
    at: ColumnElement[datetime], identity: ColumnElement[UUID], cursor: str | None
) -> tuple[ColumnElement[bool], ...]:
    """The condition for items after `cursor` when the oldest come first."""
    if cursor is None:
        return ()
    place = Place.read(cursor)
    return (or_(at > place.at, and_(at == place.at, identity > place.id)),)


def cut(items: list[Item], limit: int, places: list[Place]) -> Page[Item]:
    """A page of `limit` from one item more than that, with each item's place."""
    following = places[limit - 1].cursor if len(items) > limit else None
    return Page(tuple(items[:limit]), following)
