"""Keeps the topics in step with the index: made anew when that changes, in the background; it ranks nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from support_agents.domain.ids import WorkspaceId
from support_agents.domain.knowledge import Passage
from support_agents.knowledge.corpus import Corpus
from support_agents.knowledge.scale import SAME, Scale
from support_agents.knowledge.title_vectors import TitleVectors
from support_agents.knowledge.topics import Topics
from support_agents.ports import PassageStore, VectorStore

_PAGE = 200


@dataclass
class TopicShelf:
    """Gives out what is known of a workspace's articles; a message never waits for it. `scale` is that of the index."""

    passages: PassageStore
    index: VectorStore
    titles: TitleVectors
    scale: Callable[[WorkspaceId], Awaitable[Scale]] | None = None
    _made: dict[WorkspaceId, Topics] = field(default_factory=dict, init=False)
    _making: dict[WorkspaceId, asyncio.Task[Topics]] = field(default_factory=dict, init=False)

    def at_hand(self, workspace: WorkspaceId) -> Topics | None:
        """Return the newest that has been made, None before the first; starts the next where that is out of date."""
        known = self._made.get(workspace)
        if known is None or known.version != self.index.version:
            self._task(workspace)
        return known

    async def current(self, workspace: WorkspaceId) -> Topics:
        """Return the topics at the index's present state, made now if need be."""
        while (known := self._made.get(workspace)) is None or known.version != self.index.version:
            # What a message had begun to make may be of the state before, so one that has ended need not be enough.
            await asyncio.shield(self._task(workspace))
        return known

    def _task(self, workspace: WorkspaceId) -> asyncio.Task[Topics]:
        task = self._making.get(workspace)
        if task is None or task.done():
            task = self._making[workspace] = asyncio.create_task(self._make(workspace))
        return task

    async def _make(self, workspace: WorkspaceId) -> Topics:
        version = self.index.version
        ids = sorted(await self.index.ids(workspace))
        held: list[Passage] = []
        for start in range(0, len(ids), _PAGE):
            held += await self.passages.passages(workspace, ids[start : start + _PAGE])
        corpus = await asyncio.to_thread(Corpus.of, sorted(held, key=lambda passage: passage.article_id))
        scale = SAME if self.scale is None else await self.scale(workspace)
        self._made[workspace] = Topics.of(version, corpus, await self.titles.of(corpus.titles), scale)
        return self._made[workspace]
