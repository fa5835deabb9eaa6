"""One line an hour into each channel while people work: counts only, each hour once; it decides nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from approvals.business_hours import BusinessHours
from approvals.card import Summary
from approvals.messaging import Messenger, Place, Posted
from approvals.messenger_routing import MessengerRouting
from db.engine import Database
from db.read_models.notices import tally
from support_agents.domain.ids import WorkspaceId

_KIND = "summary"


@dataclass(frozen=True, kw_only=True)
class Summaries:
    """The hour's line; an hour that Slack was away for is not made up for."""

    database: Database
    messenger: Messenger
    routing: MessengerRouting
    hours: BusinessHours
    console_url: str = ""

    async def send_due(self, workspace: WorkspaceId) -> int:
        """Send this hour's line where it has not been sent; returns how many were."""
        if not self.routing.summary or not self.routing.channel:
            return 0
        place = Place(self.routing.channel)
        async with self.database.write("summary_due") as uow:
            now = await uow.now()
            if not self.hours.is_open(now):
                return 0
            due = await uow.notices.due(workspace, kind=_KIND, key=_hour(now), place=place.id)
            counts = await tally(uow, workspace, since=now - timedelta(hours=1))
        quiet = not (counts.waiting or counts.decided or counts.in_doubt)
        if not due or quiet:
            return 0
        oldest = int((now - counts.oldest).total_seconds() // 60) if counts.oldest else 0
        summary = Summary(
            waiting=counts.waiting,
            oldest_minutes=oldest,
            decided=counts.decided,
            needs_person=counts.needs_person,
            in_doubt=counts.in_doubt,
            missed=counts.missed,
            console_url=self.console_url,
        )
        if not isinstance(await self.messenger.post(place, summary), Posted):
            return 0
        async with self.database.write("summary_sent") as uow:
            await uow.notices.sent(workspace, kind=_KIND, key=_hour(now), place=place.id)
        return 1


def _hour(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H")
