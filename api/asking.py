"""One message through the pipeline without a ticket, for trying things out; it stores and proposes nothing."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from support_agents.domain.budget import Budget
from support_agents.domain.deadline import Deadline
from support_agents.domain.ids import RunId, TicketId, WorkspaceId, new_id
from support_agents.domain.knowledge import RetrievedPassage
from support_agents.domain.runs import Run, RunRecord
from support_agents.domain.ticket import Attachment, Author, Channel, Message, Requester, TicketSnapshot
from support_agents.ports import Clock, Embedder, VectorStore
from support_agents.runner import TicketRunner


@dataclass(frozen=True)
class Question:
    """A message as a customer might have written it."""

    text: str
    subject: str = ""
    requester: Requester = field(default_factory=lambda: Requester(email="customer@example.com", name=""))
    channel: Channel = Channel.EMAIL
    order_id: str | None = None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Runs the pipeline, and searches, outside any ticket."""

    runner: TicketRunner
    embedder: Embedder
    index: VectorStore
    clock: Clock
    deadline_seconds: float
    prepare: Callable[[WorkspaceId], Awaitable[object]] | None = None

    async def ask(self, question: Question, workspace: WorkspaceId) -> RunRecord:
        """Return the record of a run that nobody will see in the queue."""
        now = self.clock.now()
        message = Message(
            external_id="ask",
            text=question.text,
            author=Author.CUSTOMER,
            created_at=now,
            attachments=question.attachments,
        )
        ticket = TicketSnapshot(
            workspace=workspace,
            id=TicketId(new_id()),
            source="ask",
            external_id="ask",
            revision=1,
            subject=question.subject,
            requester=question.requester,
            channel=question.channel,
            order_id=question.order_id,
            messages=(message,),
            received_at=now,
        )
        monotonic = self.clock.monotonic
        deadline = Deadline(at=monotonic() + self.deadline_seconds, now=monotonic)
        run = Run(id=RunId(new_id()), workspace=workspace, deadline=deadline, budget=Budget())
        return await self.runner.run(ticket, run)

    async def rehearse(self, workspace: WorkspaceId) -> None:
        """Take one message through everything, so that nothing is loaded within a customer's two seconds."""
        if self.prepare is not None:
            await self.prepare(workspace)
        await self.ask(Question(text="Hello, where is my order? Wo ist meine Bestellung?"), workspace)

    async def search(self, query: str, workspace: WorkspaceId, *, limit: int) -> tuple[RetrievedPassage, ...]:
        """Return the passages nearest to a query, whatever the relevance floor says."""
        vectors = await self.embedder.embed([query])
        return await self.index.search(workspace, query, vectors[0], limit=limit)
