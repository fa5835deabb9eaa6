"""`python -m tests.peers.far_worker DATABASE BROKER PREFIX FOLDER`: the product's consumer with an obedient handler."""

import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from api.worker.brokers import Broker
from api.worker.consuming import LoopThread, Terms, consume
from api.worker.dispatcher import InProcessDispatcher
from api.worker.hints import Hint, Queue
from api.worker.pace import Pace
from api.worker.taking import Taker
from db.engine import Database
from support_agents.domain.errors import SupportError
from support_agents.domain.events import EventName, OutboxEvent

LEASE = timedelta(seconds=5)


@dataclass
class Hands:
    """A handler that fails as often as the file `failures` says, and writes down what it was given."""

    database: Database
    folder: Path

    async def handle(self, event: OutboxEvent) -> None:
        self._note(f"handle {event.attempts}")
        failures = self.folder / "failures"
        if failures.exists() and len(self.seen) <= int(failures.read_text()):
            raise SupportError("busy", "words of a customer", retryable=True)
        async with self.database.write("test") as uow:
            await uow.outbox.done(event.id)

    async def give_up(self, event: OutboxEvent, code: str) -> None:
        self._note(f"give up {code}")
        async with self.database.write("test") as uow:
            await uow.outbox.bury(event.id, code)

    @property
    def seen(self) -> list[str]:
        """What it was given, in order, by whatever process."""
        notes = self.folder / "seen"
        return notes.read_text().splitlines() if notes.exists() else []

    def _note(self, line: str) -> None:
        with (self.folder / "seen").open("a") as notes:
            notes.write(f"{line}\n")


def in_process(database: Database, hands: Hands) -> InProcessDispatcher:
    """The product's dispatcher around the handler; it gives up after two attempts."""
    return InProcessDispatcher({EventName.TICKET_RECEIVED: hands}, database, Pace(most_attempts=2))


def main() -> None:
    """Consume until SIGTERM."""
    database_url, url, prefix, folder = sys.argv[1:]
    database, loop = Database.open(database_url), LoopThread()
    taker = Taker(database, in_process(database, Hands(database, Path(folder))), LEASE)

    async def take(hint: Hint) -> None:
        await taker.take(hint)

    loop.start()
    try:
        consume(Broker(url, prefix, timedelta(seconds=60)), Terms(tuple(Queue), 2, 1.0), take, loop)
    finally:
        loop.run(database.close())
        loop.stop()


if __name__ == "__main__":
    main()
