"""The passage index behind SQL: brings it in step, and says how far it is by asking both; it never changes SQL."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from support_agents.domain.ids import PassageId, WorkspaceId
from support_agents.knowledge.indexing import PassageIndexer
from support_agents.ports import PassageStore, VectorStore


@dataclass(frozen=True)
class Standing:
    """How many passages SQL holds, how many of them the index has not, and how many it has that SQL has not.

    `in_step` says more than that nothing is missing: all that is made of the index has been made of this state too.
    `steps` rises with whatever is done on the way there.
    """

    stored: int
    missing: int
    surplus: int
    in_step: bool
    steps: int


@dataclass
class IndexFollower:
    """Follows SQL by passes, one after the other; `prepare` makes what depends on the index."""

    passages: PassageStore
    index: VectorStore
    indexer: PassageIndexer
    prepare: Callable[[WorkspaceId], Awaitable[object]]
    _reached: dict[WorkspaceId, str] = field(default_factory=dict, init=False)
    _stored: dict[WorkspaceId, tuple[str, frozenset[PassageId]]] = field(default_factory=dict, init=False)
    _steps: int = field(default=0, init=False)

    async def refresh(self, workspace: WorkspaceId) -> None:
        """Bring the index in step with SQL, and what is bound to it or known of it, before a customer asks."""
        # Named before any id is read: what is stored meanwhile has another name, whether this pass saw it or not.
        state = await self.passages.state(workspace)
        await self.indexer.refresh(workspace, self._step)
        await self.prepare(workspace)
        self._reached[workspace] = state.version
        self._step()

    async def standing(self, workspace: WorkspaceId) -> Standing:
        """Compare what SQL holds now with the state that the last whole pass was for, and ids where they differ."""
        state = await self.passages.state(workspace)
        if self._reached.get(workspace) == state.version:
            self._stored.pop(workspace, None)
            return Standing(state.passages, missing=0, surplus=0, in_step=True, steps=self._steps)
        stored, held = await self._ids(workspace, state.version), await self.index.ids(workspace)
        both = await asyncio.to_thread(lambda: len(stored & held))  # 40 ms for 100,000, in which messages come in
        return Standing(len(stored), len(stored) - both, len(held) - both, in_step=False, steps=self._steps)

    async def _ids(self, workspace: WorkspaceId, version: str) -> frozenset[PassageId]:
        """The ids of a state, read once for all who ask until it is reached."""
        known = self._stored.get(workspace)
        if known is None or known[0] != version:
            known = self._stored[workspace] = version, await self.passages.passage_ids(workspace)
        return known[1]

    def _step(self, _done: int = 0, _total: int = 0) -> None:
        self._steps += 1
