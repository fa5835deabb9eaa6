"""Reminds people of requests whose time limit runs out, in business hours only, each share once; it decides nothing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from approvals.business_hours import BusinessHours
from approvals.card import Reminder
from approvals.messaging import Messenger, Place, Posted
from approvals.messenger_routing import Duty, MessengerRouting
from approvals.wording import KINDS, counted, span
from db.engine import Database
from db.read_models.notices import Waiting, sent_notices, waiting_requests
from db.repositories.operators import Operator
from db.uow import UnitOfWork
from support_agents.domain.ids import WorkspaceId

_KIND = "reminder"
_LOOKED_AT = 1_000
_MOST_DELEGATES = 3
# More than so many at once become one line.
_MOST_SINGLE = 3


@dataclass(frozen=True)
class Due:
    """A request that has used up a share of its time."""

    waiting: Waiting
    share: int

    @property
    def key(self) -> str:
        """Each share of each request is told once."""
        return f"{self.waiting.request}:{self.share}"


@dataclass(frozen=True, kw_only=True)
class Reminders:
    """At so many per cent of the time limit, whoever is on duty; then the second group."""

    database: Database
    messenger: Messenger
    routing: MessengerRouting
    hours: BusinessHours
    console_url: str = ""

    async def send_due(self, workspace: WorkspaceId) -> int:
        """Send what is due now; returns how many messages. Nothing is due while the business is closed."""
        async with self.database.read() as uow:
            now = await uow.now()
            if not self.hours.is_open(now):
                return 0
            waiting = await waiting_requests(uow, workspace, limit=_LOOKED_AT)
            due = due_of(waiting, self.routing, self.hours, now)
            sent = await sent_notices(uow, workspace, _KIND, [each.key for each in due])
            called = await self._on_duty(uow, workspace, now)
        fresh = [each for each in due if each.key not in sent]
        groups = grouped(fresh, self.routing)
        return sum([await self._send(workspace, group, called, now) for group in groups.values()])

    async def _send(self, workspace: WorkspaceId, group: Sequence[Due], called: str, now: datetime) -> int:
        """Send a group one by one, or as one line when it is large; what the messenger did not take stays due."""
        place = Place(_place(group[0], self.routing))
        if not place.id:
            return 0
        escalating = self.routing.escalates(group[0].share)
        mention = (self.routing.escalation.mention if escalating else "") or called
        parts = [[each] for each in group] if len(group) <= _MOST_SINGLE else [list(group)]
        count = 0
        for part in parts:
            reminder = self._reminder(part, mention, now)
            if isinstance(await self.messenger.post(place, reminder), Posted):
                await self._note(workspace, part, place)
                count += 1
        return count

    def _reminder(self, part: Sequence[Due], mention: str, now: datetime) -> Reminder:
        first = part[0].waiting
        left = span(self.hours.open_between(now, first.expires_at))
        headline = (
            f"{KINDS[first.kind]}: {first.subject}" if len(part) == 1 else f"{counted(len(part), 'request')} wait"
        )
        single = f"{self.console_url}/console/requests/{first.request}"
        return Reminder(
            request_id=first.request,
            headline=headline,
            left=f"{left} of business hours",
            share=part[0].share,
            mention=mention,
            console_url=(single if len(part) == 1 else f"{self.console_url}/console") if self.console_url else "",
        )

    async def _note(self, workspace: WorkspaceId, part: Iterable[Due], place: Place) -> None:
        async with self.database.write("reminded") as uow:
            await uow.notices.all_sent(workspace, kind=_KIND, keys=[each.key for each in part], place=place.id)

    async def _on_duty(self, uow: UnitOfWork, workspace: WorkspaceId, now: datetime) -> str:
        """Who is called: as the file says, or the Slack account of the operator it names, or of who stands in."""
        duty = self.routing.on_duty(now, self.hours.zone, holiday=self.hours.is_holiday(now))
        if duty is None or duty.mention:
            return duty.mention if duty else ""
        return await _account(uow, workspace, duty, now)


def due_of(
    waiting: Sequence[Waiting], routing: MessengerRouting, hours: BusinessHours, now: datetime
) -> tuple[Due, ...]:
    """Those that have reached a share of their time limit that calls for a reminder; only the largest share of each."""
    found = []
    for each in waiting:
        whole = hours.open_between(each.created_at, each.expires_at)
        used = hours.open_between(each.created_at, now)
        share = routing.share_reached(100 * used / whole) if whole and each.expires_at > now else None
        if share is not None:
            found.append(Due(each, share))
    return tuple(found)


def grouped(due: Iterable[Due], routing: MessengerRouting) -> Mapping[tuple[str, int], Sequence[Due]]:
    """By place and share, those that expire first, first."""
    groups: dict[tuple[str, int], list[Due]] = defaultdict(list)
    for each in due:
        groups[_place(each, routing), each.share].append(each)
    return groups


def _place(due: Due, routing: MessengerRouting) -> str:
    escalation = routing.escalation.channel if routing.escalates(due.share) else ""
    return escalation or routing.channel or due.waiting.place


async def _account(uow: UnitOfWork, workspace: WorkspaceId, duty: Duty, now: datetime) -> str:
    """The messenger account of an operator, of their delegate while they are away; their name where there is none."""
    operator = await uow.operators.by_email(workspace, duty.operator)
    operator = await standing_in(uow, operator, now) if operator else None
    if operator is None:
        return duty.operator
    links = await uow.slack.of_operator(workspace, operator.id)
    return links[0].account.user if links else operator.name or operator.email


async def standing_in(uow: UnitOfWork, operator: Operator, now: datetime) -> Operator:
    """Whoever is there in a person's place: their delegate while they are away, at most three persons on."""
    present = operator
    for _ in range(_MOST_DELEGATES):
        if not present.away(now) or present.delegate_id is None:
            return present
        following = await uow.operators.get(present.delegate_id)
        if following is None or following.disabled_at is not None:
            return present
        present = following
    return present
