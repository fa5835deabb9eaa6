"""Wires what a messenger is told – cards, summaries, reminders – around one installation; it chooses no messenger."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from api.acting import hours_of
from api.choices import Role
from api.container import Step
from api.settings import Settings
from api.worker.schedule import Duty
from approvals.card_reading import CardReader
from approvals.deliveries import Deliveries
from approvals.messaging import Messenger
from approvals.messenger_routing import MessengerRouting, load_routing
from approvals.notification import Notification
from approvals.reminders import Reminders
from approvals.summaries import Summaries
from db.engine import Database
from support_agents.domain.ids import DEFAULT_WORKSPACE

_EVERY_SECONDS = 60.0


@dataclass(frozen=True)
class MessagingParts:
    """A connected messenger with what paints its cards; nothing where none is connected."""

    messenger: Messenger | None = None
    notification: Notification | None = None
    opening: Sequence[Step] = ()
    closing: Sequence[Step] = ()


def messaging_of(
    settings: Settings, database: Database, messenger: Messenger, cards: CardReader, role: Role
) -> MessagingParts:
    """Return the parts; a routing file that is wrong is refused here, before anything is served."""
    notification = Notification(database=database, messenger=messenger, cards=cards, routing=_routing(settings))
    return MessagingParts(
        messenger=messenger,
        notification=notification,
        # Whoever paints cards looks for those that were missed; a process that only serves pages paints none.
        opening=() if role is Role.API else (partial(notification.catch_up, DEFAULT_WORKSPACE),),
        closing=(messenger.close,),
    )


def reminding_of(settings: Settings, database: Database, messenger: Messenger) -> tuple[Duty, ...]:
    """Return what a messenger is told by the clock rather than by events."""
    hours, url, routing = hours_of(settings), settings.public_url, _routing(settings)
    reminders = Reminders(database=database, messenger=messenger, routing=routing, hours=hours, console_url=url)
    summaries = Summaries(database=database, messenger=messenger, routing=routing, hours=hours, console_url=url)
    return (
        Duty("remind", _EVERY_SECONDS, partial(reminders.send_due, DEFAULT_WORKSPACE)),
        Duty("deliveries", _EVERY_SECONDS * 10, Deliveries(database).forget),
        Duty("summarise", _EVERY_SECONDS, partial(summaries.send_due, DEFAULT_WORKSPACE)),
    )


def _routing(settings: Settings) -> MessengerRouting:
    return load_routing(settings.slack_routing) if settings.slack_routing else MessengerRouting()
