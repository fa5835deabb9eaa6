"""Deciding from a page: never sooner than the page can have been read, and then on to the person's next request."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from api.secret_key import SecretKey
from approvals.authority import require_role
from approvals.canonical import same_digest
from approvals.desk import CLAIM
from approvals.fitting import Fitting
from approvals.order_of_work import by_risk_and_age, place_of
from approvals.ports import Person
from approvals.queue import ApprovalQueue
from db.engine import Database
from db.read_models.desk import Waiting, waiting_for
from db.repositories.approvals import ApprovalRequest
from db.uow import UnitOfWork
from support_agents.domain.approval import DecisionVerdict, Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RequestId

# The next page takes the place of the one that was decided on, its button where the finger still is. This is twice the
# usual time of a double click, and nobody reads an amount and an account in less.
STILL = timedelta(seconds=1)
_PAGE, _PAGES = 50, 40
_PURPOSE = "page shown"
Take = Callable[[Waiting], Awaitable[bool]]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class PageAnswer:
    """What a form on a page says: its verdict on these bytes, and when the page was shown, as `stamp` wrote it."""

    digest: str
    verdict: DecisionVerdict
    shown: str
    reason: str = ""


@dataclass(frozen=True)
class Deciding:
    """Every use case is committed when it returns; `still` is how long a page must have stood."""

    database: Database
    queue: ApprovalQueue
    key: SecretKey
    still: timedelta = STILL

    def stamp(self, person: Person, request: RequestId, at: datetime) -> str:
        """When this session was shown this request, by the database's clock, in a form that only we can write."""
        moment = str((at - _EPOCH) // _MICROSECOND)
        return f"{moment}.{self._sealed(person, request, moment)}"

    async def decide(self, person: Person, request: RequestId, answer: PageAnswer) -> None:
        """Store the answer, unless the page came a moment ago; saying again what one has said changes nothing.

        Raises `changed_just_now`, `invalid` for a form that was never shown, and all that `ApprovalQueue.decide` does.
        """
        require_role(person.role, Role.APPROVER)  # whose page has no form has no stamp either: say this first
        shown_at = self._moment(person, request, answer.shown)

        async def look(uow: UnitOfWork, _request: ApprovalRequest) -> None:
            if shown_at is None:
                raise SupportError("invalid", "this form is not one that you were shown; read the page and decide here")
            if shown_at > await uow.now() - self.still:
                raise SupportError("changed_just_now", "this page came up a moment ago: look at it, then decide")

        try:
            await self.queue.decide(
                request, digest=answer.digest, verdict=answer.verdict, person=person, reason=answer.reason, look=look
            )
        except SupportError as error:
            if error.code != "already_decided" or not await self._said_already(person, request, answer):
                raise

    async def go_on(self, person: Person, decided: RequestId) -> RequestId | None:
        """Claim what this person may decide next, after `decided` in the queue's order or from its top; None: nothing.

        The claim is soft and lapses; it keeps two people who go through the queue from meeting at every request.
        """
        async with self.database.write("go_on") as uow:
            until = await uow.now() + CLAIM

            async def taken(each: Waiting) -> bool:
                return await uow.card_claims.take(person.workspace, each.request, person.operator_id, until=until)

            await uow.card_claims.release(person.workspace, decided, person.operator_id)
            return await self._first(uow, person, await uow.approvals.get(decided), taken)

    async def has_more(self, person: Person) -> bool:
        """Whether anything waits that this person may decide."""
        async with self.database.read() as uow:
            return await self._first(uow, person, None, _any) is not None

    async def _first(
        self, uow: UnitOfWork, person: Person, after: ApprovalRequest | None, take: Take
    ) -> RequestId | None:
        """The first that fits, from `after` on, then from the top; a page of the queue at a time."""
        operator = await uow.operators.get(person.operator_id)
        fitting = Fitting(self.queue.entitlement)
        earlier: list[Waiting] = []
        for page in range(_PAGES):
            found = await waiting_for(uow, person.workspace, person.operator_id, limit=_PAGE, offset=page * _PAGE)
            ahead = [each for each in found if after is None or place_of(each) > by_risk_and_age(after)]
            earlier += found[: len(found) - len(ahead)]  # the order is the same
            last = len(found) < _PAGE
            for each in ahead + earlier if last else ahead:
                if await fitting.fits(uow, person, operator, each) and await take(each):
                    return each.request
            if last:
                break
        return None

    async def _said_already(self, person: Person, request: RequestId, answer: PageAnswer) -> bool:
        """Whether the same person's same word on the same bytes is on record: a form that was sent twice."""
        async with self.database.read() as uow:
            return any(
                decision.operator_id == person.operator_id
                and decision.verdict is answer.verdict
                and same_digest(answer.digest, decision.digest)
                for decision in await uow.approvals.decisions(request)
            )

    def _moment(self, person: Person, request: RequestId, shown: str) -> datetime | None:
        moment, _, sealed = shown.partition(".")
        if not hmac.compare_digest(sealed.encode("utf-8", "replace"), self._sealed(person, request, moment).encode()):
            return None
        return _EPOCH + int(moment) * _MICROSECOND

    def _sealed(self, person: Person, request: RequestId, moment: str) -> str:
        return self.key.keyed(_PURPOSE, f"{person.session_id} {request} {moment}".encode("utf-8", "replace"))


async def _any(_waiting: Waiting) -> bool:
    return True
