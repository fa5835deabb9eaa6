"""One batch of approved actions under faults, from the decisions to rest; a killed process goes on with it."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from api.worker.dispatcher import InProcessDispatcher
from api.worker.handlers import ExecutionDueHandler, RequestChangedHandler
from api.worker.pace import Pace
from api.worker.relay import Relay
from approvals.ports import Person
from db.engine import Database
from db.repositories.approvals import ApprovalRequest
from support_agents.domain.action import ActionKind
from support_agents.domain.approval import DecisionVerdict, RequestStatus
from support_agents.domain.errors import SupportError
from support_agents.domain.events import EventName, OutboxEvent
from support_agents.domain.ids import DEFAULT_WORKSPACE, ExecutionId
from tests.fixtures.approvals import Shop
from tests.soak import furnishing
from tests.soak.accounts import Books, at_rest, reader
from tests.soak.clock import MovableClock
from tests.soak.faults import plan
from tests.soak.furnishing import BIG, People, amount, arrive, people_in, shop_of
from tests.soak.outside import CrashError, Journal, Outside, current

MOST_ROUNDS = 1_000
AT_ONCE = 16
NO_DIGEST = "0" * 64
# What a person may be told instead of "done"; anything else that comes back from a decision is a defect.
EXPECTED = {"already_decided", "stale", "superseded", "not_allowed", "digest_mismatch", "expired"}


class DefectError(Exception):
    """Something happened that no fault accounts for."""


@dataclass
class Tally:
    """What a batch came to; a list that is not empty is a break."""

    executions: int = 0
    injected: int = 0
    effects: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    unapproved: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


@dataclass
class Batch:
    """A furnished database, its outside, and one seed for everything that people and faults do to it."""

    url: str
    folder: Path
    seed: int
    kills: float
    defects: list[str] = field(default_factory=list)
    _actions: dict[ExecutionId, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.journal = Journal(self.folder / "outside.jsonl")
        ahead = timedelta(seconds=sum(line["seconds"] for line in self.journal.of("time")))
        self.outside = Outside(self.journal, MovableClock(self.url, ahead))
        database = Database.open(self.url, boundary=self.outside.boundary)
        self.shop: Shop = shop_of(self.outside.clock.install(database), self.outside)
        self.reader = reader(self.url)
        self.people: People = people_in(self.folder / "people.jsonl")
        self.executions = self.shop.executions
        # A process that comes back throws other dice, or it would be killed in the same place for ever.
        self.dice = random.Random(f"{self.seed}:{len(self.journal.lines)}")  # noqa: S311 - chance, no secret

    async def run(self) -> Tally:
        """Decide, carry out until nothing moves, and look at the books."""
        cards = self._cards()
        self.outside.plans = {
            action: plan(self._dice(number, request.kind), kills=self.kills)
            for action, (request, number) in cards.items()
        }
        waiting = [card for card in cards.values() if card[0].status is RequestStatus.PENDING]
        self.dice.shuffle(waiting)
        for start in range(0, len(waiting), AT_ONCE):
            deciding = (self._decide(*card) for card in waiting[start : start + AT_ONCE])
            self._judge(await asyncio.gather(*deciding, return_exceptions=True))
        await self._until_rest()
        tally = self._tally()
        await self.shop.database.close()
        self.reader.dispose()
        return tally

    def _dice(self, number: int, about: str) -> random.Random:
        return random.Random(f"{self.seed}:{number}:{about}")  # noqa: S311 - chance, no secret

    def _cards(self) -> dict[str, tuple[ApprovalRequest, int]]:
        """What was put to people at first, with the number of its ticket, by action."""
        books = Books.read(self.reader, ())
        return {
            action: (ApprovalRequest.model_validate(row), int(books.tickets[row["ticket_id"]]["external_id"]))
            for action, row in books.requests.items()
            if row["ticket_revision"] == 1
        }

    async def _decide(self, request: ApprovalRequest, number: int) -> None:
        """What people do with one card; the same again after a crash."""
        dice, current_action = self._dice(number, f"{request.kind} people"), str(request.action_id)
        current.set(current_action)
        mood = dice.random()
        ben, eva = self.people.approver(number), self.people.approver(number + 25)
        if mood < 0.03:
            return
        if mood < 0.06:
            await self._click(request, ben, verdict=DecisionVerdict.REJECT)
            return
        if mood < 0.15:
            await self._click(request, ben, digest=NO_DIGEST)
            await self._click(request, self.people.viewer)
        who = [ben]
        if request.kind is ActionKind.ISSUE_REFUND and amount(number) == BIG:
            who.append(self.people.manager)
        elif mood < 0.3:
            who += [ben, ben] if mood < 0.22 else [eva]
        for _ in range(3):
            clicks = [self._click(request, person) for person in who]
            done = await asyncio.gather(*clicks, return_exceptions=True)
            self._judge(done)
            if not any(isinstance(each, CrashError) for each in done):
                return

    async def _click(
        self, request: ApprovalRequest, person: Person, *, digest: str = "",
        verdict: DecisionVerdict = DecisionVerdict.APPROVE,
    ) -> None:  # fmt: skip
        entitled = not digest and person is not self.people.viewer
        if entitled and verdict is DecisionVerdict.APPROVE:
            self.journal.write(what="click", digest=request.digest, person=str(person.operator_id))
        try:
            await self.shop.queue.decide(
                request.id, digest=digest or request.digest, verdict=verdict, person=person, reason=""
            )
        except SupportError as error:
            if error.code not in EXPECTED:
                raise
            return
        if not entitled:
            raise DefectError(f"{person.role} decided on {digest or 'the digest'}")

    async def _until_rest(self) -> None:
        pace = Pace(concurrency=AT_ONCE, lease=timedelta(seconds=15))
        handlers = dict.fromkeys(EventName, Deliveries(self))
        relay = Relay(self.shop.database, InProcessDispatcher(handlers, self.shop.database, pace), pace)
        for number in range(MOST_ROUNDS):
            await self._disturb(number)
            busy = await relay._round()
            due = await self.executions.due_for_reconcile(AT_ONCE)
            under_way: list[Awaitable[object]] = list(relay._under_way.values())
            tasks = [*under_way, *(self._named(each, self.executions.reconcile(each)) for each in due)]
            self._judge(await asyncio.gather(*tasks, return_exceptions=True))
            if not busy and not due and await self._rests():
                return
            self.outside.pass_time(timedelta(seconds=self.dice.uniform(1, 40) if busy or due else 240))

    async def _named(self, execution: ExecutionId, work: Awaitable[object]) -> None:
        """Let faults know what this task works on."""
        current.set(await self.action_of(execution))
        await work

    async def action_of(self, execution: ExecutionId) -> str:
        """Which action an execution carries out."""
        if execution not in self._actions:
            self._actions[execution] = str((await self.shop.execution(execution)).action_id)
        return self._actions[execution]

    async def _disturb(self, round_: int) -> None:
        """What customers and operators do meanwhile."""
        if self.dice.random() < 0.2:
            await arrive(self.shop, self.dice.randrange(furnishing.TICKETS), self.dice.randrange(1, 1_000))
        if self.dice.random() < 0.2 and self._actions:
            execution = self.dice.choice(list(self._actions))
            try:
                await self.executions.cancel(
                    execution, workspace=DEFAULT_WORKSPACE, actor="soak", reason="changed mind"
                )
            except SupportError as error:
                if error.code != "too_late":
                    raise
        if round_ % 10 == 0:
            await self.shop.queue.sweep_superseded()
            await self.shop.queue.expire_due()

    async def _rests(self) -> bool:
        books = Books.read(self.reader, ())
        for row in books.executions.values():
            asked = row["status"] == "in_doubt" and row["next_check_at"] is not None
            if asked or row["status"] in {"scheduled", "executing"}:
                return False
        async with self.shop.database.read() as uow:
            return await uow.outbox.next_due() is None

    def _judge(self, done: Sequence[object]) -> None:
        for each in done:
            expected = isinstance(each, CrashError) or (isinstance(each, SupportError) and each.retryable)
            if isinstance(each, BaseException) and not expected:
                self.defects.append(f"{type(each).__name__}: {each}")

    def _tally(self) -> Tally:
        books = Books.read(self.reader, self.journal.lines)
        verdict = at_rest(books)
        injured = {line["action"] for line in self.journal.of("fault")}
        return Tally(
            executions=len(books.executions),
            injected=len(injured & set(books.executions)),
            effects=len(books.effects),
            ends=dict(Counter(row["status"] for row in books.executions.values())),
            faults=dict(self.outside.faults),
            unapproved=verdict.unapproved,
            doubled=verdict.doubled,
            lost=verdict.lost,
        )


@dataclass(frozen=True)
class Deliveries:
    """The relay's handler of every event: the product's own handlers, with what they work on told to the faults."""

    batch: Batch

    async def handle(self, event: OutboxEvent) -> None:
        database = self.batch.shop.database
        match event.name:
            case EventName.EXECUTION_DUE:
                execution = ExecutionId(event.subject)
                current.set(await self.batch.action_of(execution))
                await ExecutionDueHandler(database, self.batch.executions).handle(event)
            case EventName.TICKET_RECEIVED:
                begun = await self.batch.shop.store.begin_run(event)
                if begun is not None:
                    await self.batch.shop.finish(begun)
            case _:
                await RequestChangedHandler(database, None).handle(event)

    async def give_up(self, event: OutboxEvent, code: str) -> None:
        await RequestChangedHandler(self.batch.shop.database, None).give_up(event, code)
