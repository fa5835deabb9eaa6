"""Has the outlier statistics learn from the record now and then; no run waits for it, and nothing stored changes."""

from dataclasses import dataclass

from api.worker.index_keeper import IndexKeeper
from db.engine import Database
from support_agents.domain.ids import WorkspaceId
from support_agents.monitoring.outliers import Outliers

NEWEST = 1_000


@dataclass(frozen=True)
class OutlierLearning:
    """The newest thousand runs say what is usual."""

    database: Database
    outliers: Outliers
    keeper: IndexKeeper

    async def run(self, workspace: WorkspaceId) -> bool:
        """Learn anew once messages can be answered; False when there are too few runs."""
        await self.keeper.wait()
        async with self.database.read() as uow:
            marks = await uow.runs.outliers(workspace, limit=NEWEST)
        return await self.outliers.learn(marks)
