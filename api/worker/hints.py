"""What workers are told through a broker: which outbox row is due, and for which attempt; ids and a number, no more."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from support_agents.domain.errors import SupportError
from support_agents.domain.events import EventName
from support_agents.domain.ids import OutboxId

_MOST_ATTEMPTS = 1_000


class Queue(StrEnum):
    """Queues by kind, in the order in which they are served."""

    RUNS = "runs"
    ACTIONS = "actions"
    BACKGROUND = "background"


QUEUE_OF: Mapping[EventName, Queue] = {
    EventName.TICKET_RECEIVED: Queue.RUNS,
    EventName.EXECUTION_DUE: Queue.ACTIONS,
    EventName.INSIDE_STEP_DUE: Queue.ACTIONS,
    EventName.REQUEST_CHANGED: Queue.BACKGROUND,
    EventName.KNOWLEDGE_CHANGED: Queue.BACKGROUND,
    # Only those who serve runs hold a model's key and may write a run's sections.
    EventName.FULLER_DRAFT_DUE: Queue.RUNS,
    # Whoever fetches from outside may neither decide nor act.
    EventName.ATTACHMENTS_DUE: Queue.RUNS,
}


@dataclass(frozen=True)
class Hint:
    """That an event waits for the attempt after its `attempts`-th; old by the time it is read, or a repetition."""

    event: OutboxId
    attempts: int

    @classmethod
    def read(cls, arguments: object) -> "Hint":
        """Return the hint that a message's arguments are; whatever else they are is refused without being quoted."""
        match arguments:
            case [str(event), int(attempts)] if 0 <= attempts <= _MOST_ATTEMPTS and not isinstance(attempts, bool):
                try:
                    return cls(OutboxId(UUID(event)), attempts)
                except ValueError:
                    pass
        raise SupportError("not_a_hint", "a message is not an event's id and a number")

    @property
    def arguments(self) -> tuple[str, int]:
        """The same as a message carries it."""
        return str(self.event), self.attempts
