"""Deciding from a page: never sooner than the page can have been read, and then on to the person's next request."""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from api.secret_key import SecretKey
from approvals.authority import require_role
from approvals.canonical import same_digest
from approvals.desk import CLAIM
from approvals.fitting import Fitting
from approvals.order_of_work import by_risk_and_age, place_of
from approvals.ports import Person
from approvals.queue import ApprovalQueue
from db.engine import Database
from db.read_models.desk import Waiting, count_waiting, waiting_for
from db.repositories.approvals import ApprovalRequest
from db.uow import UnitOfWork
from support_agents.domain.approval import DecisionVerdict, Role
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import RequestId

# The next page takes the place of the one that was decided on, its button where the finger still is. This is twice the
# usual time of a double click, and nobody reads an amount and an account in less.
STILL = timedelta(seconds=1)
_PAGE, _PAGES = 50, 40
_TRIES = 5  # others took what was found, in between
_PURPOSE = "page shown"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Left(StrEnum):
    """What waits that a person may decide: nothing, only what others look at just now, or some of it for them."""

    NOTHING = "nothing"
    OTHERS = "others"
    SOME = "some"


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
        return f"{moment}.{_sealed(self.key, person, request, moment)}"

    async def decide(self, person: Person, request: RequestId, answer: PageAnswer) -> None:
        """Store the answer, unless the page came a moment ago; saying again what one has said changes nothing.

        Raises `changed_just_now`, `invalid` for a form that was never shown, and all that `ApprovalQueue.decide` does.
        """
        require_role(person.role, Role.APPROVER)  # whose page has no form has no stamp either: say this first
        shown_at = self._moment(person, request, answer.shown)
        async with self.database.read() as uow:
            came_at = await uow.now()  # before its turn at the request's lock, which may be long in coming

        async def look(uow: UnitOfWork, _request: ApprovalRequest) -> None:
            if shown_at is None:
                raise SupportError("invalid", "this form is not one that you were shown; read the page and decide here")
            if shown_at > came_at - self.still:
                raise SupportError("changed_just_now", "this page came up a moment ago: look at it, then decide")
            if await _said(uow, person, request, answer):
                raise SupportError("already_decided", "you have said so before")

        try:
            await self.queue.decide(
                request, digest=answer.digest, verdict=answer.verdict, person=person, reason=answer.reason, look=look
            )
        except SupportError as error:
            if error.code != "already_decided":
                raise
            async with self.database.read() as uow:
                if not await _said(uow, person, request, answer):
                    raise

    async def go_on(self, person: Person, decided: RequestId) -> RequestId | None:
        """Claim what this person may decide next, after `decided` in the queue's order or from its top; None: nothing.

        The claim is soft and lapses; it keeps two people who go through the queue from meeting at every request.
        """
        for _ in range(_TRIES):
            async with self.database.read() as uow:  # a long queue is looked through while others write
                found = await self._first(uow, person, await uow.approvals.get(decided))
            async with self.database.write("go_on") as uow:
                await uow.card_claims.release(person.workspace, decided, person.operator_id)
                if found is None or await uow.card_claims.take(
                    person.workspace, found, person.operator_id, until=await uow.now() + CLAIM
                ):
                    return found
        return None

    async def left(self, person: Person, *, most: int = _PAGE * _PAGES) -> Left:
        """Whether anything waits that this person may decide; of more than `most` it is taken for granted."""
        async with self.database.read() as uow:
            if await count_waiting(uow, person.workspace, person.operator_id) > most:
                return Left.SOME
            if await self._first(uow, person, also_claimed=True) is None:
                return Left.NOTHING
            return Left.OTHERS if await self._first(uow, person) is None else Left.SOME

    async def _first(
        self, uow: UnitOfWork, person: Person, after: ApprovalRequest | None = None, *, also_claimed: bool = False
    ) -> RequestId | None:
        """The first that fits, from `after` on, then from the top; a page of the queue at a time."""
        operator = await uow.operators.get(person.operator_id)
        fitting = Fitting(self.queue.entitlement)
        fits = fitting.theirs if also_claimed else fitting.fits
        earlier: list[Waiting] = []
        for page in range(_PAGES):
            found = await waiting_for(uow, person.workspace, person.operator_id, limit=_PAGE, offset=page * _PAGE)
            ahead = [each for each in found if after is None or place_of(each) > by_risk_and_age(after)]
            earlier += found[: len(found) - len(ahead)]  # the order is the same
            last = len(found) < _PAGE
            for each in ahead + earlier if last else ahead:
                if await fits(uow, person, operator, each):
                    return each.request
            if last:
                break
        return None

    def _moment(self, person: Person, request: RequestId, shown: str) -> datetime | None:
        moment, _, sealed = shown.partition(".")
        given = sealed.encode("utf-8", "replace")
        keys = (self.key, *self.key.elders)
        if not any(hmac.compare_digest(given, _sealed(key, person, request, moment).encode()) for key in keys):
            return None
        return _EPOCH + int(moment) * _MICROSECOND


def _sealed(key: SecretKey, person: Person, request: RequestId, moment: str) -> str:
    return key.keyed(_PURPOSE, f"{person.session_id} {request} {moment}".encode("utf-8", "replace"))


async def _said(uow: UnitOfWork, person: Person, request: RequestId, answer: PageAnswer) -> bool:
    """Whether the same person's same word on the same bytes is on record: a form that was sent twice."""
    return any(
        decision.operator_id == person.operator_id
        and decision.verdict is answer.verdict
        and same_digest(answer.digest, decision.digest)
        for decision in await uow.approvals.decisions(request)
    )
