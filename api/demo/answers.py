"""What became of each message of the demo, read back from the records; it sends nothing."""

import asyncio
from dataclasses import dataclass

from api.demo.shop import ShopMessage
from db.engine import Database
from db.read_models.ticket_timeline import TicketTimeline, ticket_timeline
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import TicketId
from support_agents.domain.runs import Outcome, RunRecord

_LONGEST_SECONDS = 60.0  # all messages are sent at once, and on a busy machine the last waits for all the others
_BETWEEN_LOOKS = 0.02


@dataclass(frozen=True)
class Answered:
    """A message and the record of its run; a duplicate has none of its own."""

    message: ShopMessage
    ticket: TicketId
    record: RunRecord | None
    duplicate: bool = False

    @property
    def seconds(self) -> float:
        """From the webhook's first byte to the end of its run."""
        if self.record is None:
            return 0.0
        return (self.record.finished_at - self.record.received_at).total_seconds()

    @property
    def cited(self) -> tuple[str, ...]:
        """Articles that the draft cites; without a draft, those that were found."""
        sections = self.record.sections if self.record else None
        if sections is None:
            return ()
        if sections.draft is not None:
            found = (cited.article_id for sentence in sections.draft.sentences for cited in sentence.citations)
        else:
            found = (item.passage.article_id for item in (sections.retrieval.passages if sections.retrieval else ()))
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True)
class Answers:
    """Reads records in the demo's own database."""

    database: Database

    async def wait(self, message: ShopMessage, ticket: TicketId) -> Answered:
        """Return the message's record once its run has ended; it is there within seconds or something is broken."""
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                # The server is another process: its commits set no event of ours.
                while not (runs := (await self.timeline(ticket)).runs):  # noqa: ASYNC110 - see above
                    await asyncio.sleep(_BETWEEN_LOOKS)
        except TimeoutError:
            text = f"no run of ticket {message.ticket} ended within {_LONGEST_SECONDS:.0f} s"
            raise SupportError("demo_slow", text) from None
        return Answered(message, ticket, runs[-1])

    async def timeline(self, ticket: TicketId) -> TicketTimeline:
        """Return all that is on record of a ticket."""
        async with self.database.read() as uow:
            return await ticket_timeline(uow, ticket)


@dataclass(frozen=True)
class Tally:
    """Counts over all messages."""

    messages: int
    duplicates: int
    drafts: int
    questions: int
    people: int
    slowest: float

    @classmethod
    def of(cls, answers: tuple[Answered, ...]) -> "Tally":
        """Count."""
        outcomes = [answered.record.outcome for answered in answers if answered.record is not None]
        questions = outcomes.count(Outcome.CLARIFY)
        drafts = sum(outcome.has_draft for outcome in outcomes) - questions
        return cls(
            messages=len(answers),
            duplicates=sum(answered.duplicate for answered in answers),
            drafts=drafts,
            questions=questions,
            people=len(outcomes) - drafts - questions,
            slowest=max((answered.seconds for answered in answers), default=0.0),
        )

    def line(self, *, sent: int) -> str:
        """Return the demo's last word; `sent` counts what really left."""
        return " · ".join(
            (
                f"{self.messages} messages in",
                f"{self.drafts} drafts",
                f"{self.questions} {'question' if self.questions == 1 else 'questions'} back",
                f"{self.people} to a person",
                *([f"{self.duplicates} duplicate recognised"] if self.duplicates else []),
                f"slowest {self.slowest:.2f} s",
                f"{sent} sent" if sent else "nothing sent",
            )
        )
