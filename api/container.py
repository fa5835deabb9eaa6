"""Everything that works together in one process, put together by `api.bootstrap`; it chooses nothing itself."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from api.asking import Asking
from api.auth import Auth
from api.conflicts import ArticleConflicts
from api.correcting import Correcting
from api.deciding import Deciding
from api.editing import Editing
from api.factors import SecondFactors
from api.intake.admission import Admission
from api.intake.protocol import Intake
from api.intake.provider import ProviderIntake
from api.key_records import KeyRecords
from api.opening import Standings, migrate
from api.secret_key import SecretKey
from api.settings import Settings
from api.slack_door import SlackDoor
from api.worker.attachment_reading import AttachmentReader
from api.worker.index_follower import IndexFollower
from api.worker.index_keeper import IndexKeeper
from api.worker.loop import WorkerLoop
from api.worker.taking import Taker
from approvals.bounces import Bounces
from approvals.card_reading import CardReader
from approvals.dispatch import DispatchSwitch
from approvals.execution import Executions
from approvals.fuller import FullerDrafts
from approvals.messaging import Messenger
from approvals.provider_events import ProviderEvents
from approvals.queue import ApprovalQueue
from approvals.seeds import Seeds
from db.engine import Database
from db.passage_store import SqlPassageStore
from db.replica import Reading
from db.ticket_store import TicketStore
from support_agents.knowledge.sync import KnowledgeSync
from support_agents.llm.spending import Spend
from support_agents.ports import Clock
from support_agents.runner import TicketRunner

Step = Callable[[], Awaitable[object]]
# Returns when the broker answers, raises when it does not.
BrokerCheck = Callable[[], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Records:
    """What commands need that only read and write the database."""

    settings: Settings
    key: SecretKey
    database: Database
    reading: Reading
    auth: Auth
    factors: SecondFactors
    passages: SqlPassageStore
    knowledge: KnowledgeSync

    async def ready(self) -> None:
        """Bring the database up to date, and compare the secret keys with those that it needs."""
        await migrate(self.settings)
        await KeyRecords(self.settings, self.database, self.key).load()

    async def open(self) -> None:
        """Bring the database up to date."""
        await self.ready()

    async def close(self) -> None:
        """Let go of everything."""
        self.auth.passwords.close()
        await self.reading.close()
        await self.database.close()


@dataclass(frozen=True, kw_only=True)
class Container(Records):
    """One installation, ready to serve or to think; `opening` and `closing` run in order."""

    clock: Clock
    intakes: Mapping[str, Intake]
    admission: Admission
    provider_intakes: Mapping[str, ProviderIntake]
    provider_events: ProviderEvents
    bounces: Bounces
    ticket_store: TicketStore
    runner: TicketRunner
    spend: Spend
    asking: Asking
    queue: ApprovalQueue
    editing: Editing
    fuller: FullerDrafts
    correcting: Correcting
    deciding: Deciding
    executions: Executions
    standings: Standings
    switch: DispatchSwitch
    conflicts: ArticleConflicts
    seeds: Seeds
    keeper: IndexKeeper
    follower: IndexFollower
    worker: WorkerLoop
    reader: AttachmentReader | None = None
    taker: Taker | None
    broker: BrokerCheck | None
    opening: Sequence[Step]
    closing: Sequence[Step]
    cards: CardReader
    messenger: Messenger | None = None
    slack: SlackDoor | None = None

    async def open(self) -> None:
        """Bring the database up to date and check that it is ours; the worker is started apart from this."""
        await self.ready()
        for step in self.opening:
            await step()

    async def close(self) -> None:
        """Let go of everything; the worker has been stopped before."""
        for step in self.closing:
            await step()
        self.auth.passwords.close()
        await self.reading.close()
        await self.database.close()
