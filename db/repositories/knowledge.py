"""Articles and their passages as rows; which of them are indexed is not known here."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from sqlalchemy import Row, String, cast, delete, func, insert, select

from db.base import table_of
from db.models.knowledge import ArticleRow, PassageRow
from db.statements import Statements
from support_agents.domain.ids import PassageId, WorkspaceId, new_id
from support_agents.domain.knowledge import Article, Audience, Passage
from support_agents.ports import StoredState

ARTICLES = table_of(ArticleRow)
PASSAGES = table_of(PassageRow)
_OF_ARTICLE = tuple(ARTICLES.c[name] for name in ("article_id", "title", "audience", "language", "verified_until"))


class Knowledge:
    """Replaces, deletes and reads articles with their passages."""

    def __init__(self, session: Statements) -> None:
        self._session = session

    async def article_hashes(self, workspace: WorkspaceId) -> Mapping[str, str]:
        """Content hash of every article by article id."""
        query = select(ARTICLES.c.article_id, ARTICLES.c.content_hash).where(ARTICLES.c.workspace_id == workspace)
        return {name: value for name, value in await self._session.execute(query)}  # noqa: C416 - rows are not typed as pairs

    async def insert(self, workspace: WorkspaceId, article: Article, passages: Sequence[Passage]) -> None:
        """Insert an article that is not there, with its passages in order."""
        row = new_id()
        values = {"id": row, "workspace_id": workspace, "article_id": article.id, **_article(article)}
        await self._session.execute(insert(ARTICLES), values)
        rows = [_passage(passage, position) | {"article_row_id": row} for position, passage in enumerate(passages)]
        if rows:
            await self._session.execute(insert(PASSAGES), rows)

    async def delete(self, workspace: WorkspaceId, article_ids: Sequence[str]) -> None:
        """Delete articles and their passages; unknown ids are ignored."""
        named = (ARTICLES.c.workspace_id == workspace, ARTICLES.c.article_id.in_(article_ids))
        mine = PASSAGES.c.article_row_id.in_(select(ARTICLES.c.id).where(*named))
        await self._session.execute(delete(PASSAGES).where(mine))
        await self._session.execute(delete(ARTICLES).where(*named))

    async def passage_ids(self, workspace: WorkspaceId) -> frozenset[PassageId]:
        """Ids of all passages."""
        query = select(PASSAGES.c.id).where(PASSAGES.c.workspace_id == workspace)
        return frozenset((await self._session.execute(query)).scalars())

    async def state(self, workspace: WorkspaceId) -> StoredState:
        """Number of passages, and a digest of the rows' ids: an article that is written has a new row.

        The database strings the ids together; reading every passage's takes it some fifteen times as long.
        """
        mine = ARTICLES.c.workspace_id == workspace
        rows = select(cast(ARTICLES.c.id, String).label("id")).where(mine).order_by(ARTICLES.c.id).subquery()
        passages = select(func.count()).select_from(PASSAGES).where(PASSAGES.c.workspace_id == workspace)
        query = select(passages.scalar_subquery(), func.aggregate_strings(rows.c.id, ""))
        count, strung = (await self._session.execute(query)).one()
        return StoredState(count, blake2b((strung or "").encode(), digest_size=16).hexdigest())

    async def passages(self, workspace: WorkspaceId, ids: Sequence[PassageId]) -> tuple[Passage, ...]:
        """These passages in any order, without unknown ids."""
        query = (
            select(PASSAGES, *_OF_ARTICLE)
            .join(ARTICLES, ARTICLES.c.id == PASSAGES.c.article_row_id)
            .where(PASSAGES.c.workspace_id == workspace, PASSAGES.c.id.in_(ids))
        )
        return tuple(_read(row) for row in await self._session.execute(query))

    async def passages_of(self, workspace: WorkspaceId, article_ids: Sequence[str]) -> tuple[Passage, ...]:
        """All passages of these articles, in their order within each."""
        query = (
            select(PASSAGES, *_OF_ARTICLE)
            .join(ARTICLES, ARTICLES.c.id == PASSAGES.c.article_row_id)
            .where(PASSAGES.c.workspace_id == workspace, ARTICLES.c.article_id.in_(article_ids))
            .order_by(ARTICLES.c.article_id, PASSAGES.c.position)
        )
        return tuple(_read(row) for row in await self._session.execute(query))


def _article(article: Article) -> dict[str, object]:
    return {
        "title": article.title,
        "audience": article.audience,
        "language": article.language,
        "updated": article.updated,
        "verified_until": article.verified_until,
        "content_hash": article.content_hash,
    }


def _passage(passage: Passage, position: int) -> dict[str, object]:
    return {
        "id": passage.id,
        "workspace_id": passage.workspace,
        "position": position,
        "heading": passage.heading,
        "text": passage.text,
        "content_hash": passage.content_hash,
    }


def _read(row: Row[*tuple[Any, ...]]) -> Passage:
    return Passage(
        id=row.id,
        workspace=row.workspace_id,
        article_id=row.article_id,
        title=row.title,
        heading=row.heading,
        text=row.text,
        audience=Audience(row.audience),
        language=row.language,
        content_hash=row.content_hash,
        verified_until=row.verified_until,
    )
