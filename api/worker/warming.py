"""Has drafting look at new passages before the first customer asks about them; it changes nothing that is stored."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from api.worker.index_keeper import IndexKeeper
from support_agents.domain.ids import WorkspaceId
from support_agents.domain.knowledge import Passage
from support_agents.ports import PassageStore, VectorStore

BATCH = 50


@dataclass
class Warming:
    """Warms all passages once for each state of the index; messages go first."""

    warm: Callable[[Sequence[Passage]], Awaitable[None]]
    passages: PassageStore
    index: VectorStore
    keeper: IndexKeeper
    _warmed: str = field(default="", init=False)

    async def run(self, workspace: WorkspaceId) -> None:
        """Warm what there is, unless that has been done."""
        await self.keeper.wait()
        version = self.index.version
        if version == self._warmed:
            return
        ids = sorted(await self.passages.passage_ids(workspace))
        for start in range(0, len(ids), BATCH):
            await self.warm(await self.passages.passages(workspace, ids[start : start + BATCH]))
        self._warmed = version
