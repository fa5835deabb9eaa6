"""Keeps articles and passages for `support_agents.knowledge`; each change tells the indexing process."""

from collections.abc import Mapping, Sequence

from db.engine import Database
from support_agents.domain.events import EventName
from support_agents.domain.ids import PassageId, WorkspaceId
from support_agents.domain.knowledge import Passage
from support_agents.ports import ChunkedArticle, StoredState


class SqlPassageStore:
    """Implements the port `PassageStore`, one transaction a call."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def article_hashes(self, workspace: WorkspaceId) -> Mapping[str, str]:
        """Content hash of every stored article by article id."""
        async with self._database.read() as uow:
            return await uow.knowledge.article_hashes(workspace)

    async def replace_articles(self, workspace: WorkspaceId, articles: Sequence[ChunkedArticle]) -> None:
        """Insert these articles or replace them with all their passages."""
        async with self._database.write("knowledge") as uow:
            await uow.knowledge.delete(workspace, [chunked.article.id for chunked in articles])
            for chunked in articles:
                await uow.knowledge.insert(workspace, chunked.article, chunked.passages)
            await uow.outbox.add(EventName.KNOWLEDGE_CHANGED, workspace, workspace=workspace)

    async def delete_articles(self, workspace: WorkspaceId, article_ids: Sequence[str]) -> None:
        """Delete these articles and their passages; unknown ids are ignored."""
        async with self._database.write("knowledge") as uow:
            await uow.knowledge.delete(workspace, article_ids)
            await uow.outbox.add(EventName.KNOWLEDGE_CHANGED, workspace, workspace=workspace)

    async def passage_ids(self, workspace: WorkspaceId) -> frozenset[PassageId]:
        """Ids of all stored passages."""
        async with self._database.read() as uow:
            return await uow.knowledge.passage_ids(workspace)

    async def state(self, workspace: WorkspaceId) -> StoredState:
        """How much is stored, and a digest of the articles' rows."""
        async with self._database.read() as uow:
            return await uow.knowledge.state(workspace)

    async def passages(self, workspace: WorkspaceId, ids: Sequence[PassageId]) -> tuple[Passage, ...]:
        """Return these passages in any order, leaving out unknown ids."""
        async with self._database.read() as uow:
            return await uow.knowledge.passages(workspace, ids)

    async def passages_of(self, workspace: WorkspaceId, article_ids: Sequence[str]) -> tuple[Passage, ...]:
        """Return all passages of these articles, leaving out unknown ids."""
        async with self._database.read() as uow:
            return await uow.knowledge.passages_of(workspace, article_ids)
