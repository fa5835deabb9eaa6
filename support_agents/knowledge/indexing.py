"""Bring the passage index to what SQL holds, in small batches; it never changes SQL."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from support_agents.domain.ids import PassageId, WorkspaceId
from support_agents.knowledge.chunking import searchable
from support_agents.ports import Embedder, PassageStore, VectorStore

BATCH = 16

Progress = Callable[[int, int], None]


def silent(_done: int, _total: int) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True)
class Indexed:
    """What one pass did."""

    added: int
    removed: int


class PassageIndexer:
    """Embeds what is missing from the index and deletes what SQL no longer has.

    A passage's id changes with its content, so the difference of ids is the whole work: a pass that was cut off is
    taken up by the next one. `embedder` is the background one, which lets messages go first.
    """

    def __init__(self, *, passages: PassageStore, embedder: Embedder, index: VectorStore) -> None:
        self._passages = passages
        self._embedder = embedder
        self._index = index
        self._one_at_a_time = asyncio.Lock()

    async def refresh(self, workspace: WorkspaceId, progress: Progress = silent) -> Indexed:
        """Add first and remove then, so that a changed article can be found all the while."""
        async with self._one_at_a_time:
            wanted = await self._passages.passage_ids(workspace)
            held = await self._index.ids(workspace)
            missing, surplus = sorted(wanted - held), sorted(held - wanted)
            for start in range(0, len(missing), BATCH):
                progress(start, len(missing))
                await self._add(workspace, missing[start : start + BATCH])
            await self._index.delete(workspace, surplus)
            progress(len(missing), len(missing))
            return Indexed(added=len(missing), removed=len(surplus))

    async def _add(self, workspace: WorkspaceId, ids: Sequence[PassageId]) -> None:
        passages = await self._passages.passages(workspace, ids)
        if passages:
            vectors = await self._embedder.embed([searchable(passage) for passage in passages])
            await self._index.upsert(passages, vectors)
