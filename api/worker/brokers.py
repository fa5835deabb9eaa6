"""Which broker an installation uses and what its queues are called there; it connects to nothing."""

from dataclasses import dataclass, field
from datetime import timedelta

from api.settings import Settings
from api.worker.hints import Queue
from support_agents.domain.errors import SupportError

_MARGIN = timedelta(seconds=60)


@dataclass(frozen=True)
class Broker:
    """Which broker, how this installation's queues begin there, and how long the longest task may take."""

    url: str = field(repr=False)
    prefix: str
    longest: timedelta

    def name_of(self, queue: Queue) -> str:
        """Return the queue's name in the broker."""
        return f"{self.prefix}.{queue}"


def broker_of(settings: Settings) -> Broker:
    """Return the broker of the settings; refused without one."""
    if settings.broker_url is None:
        raise SupportError("settings", "set SUPPORT_BROKER_URL")
    calls = (settings.call_seconds, settings.mail_seconds, settings.step_seconds, settings.deadline_seconds)
    # Every call, one after the other: no event needs that long.
    longest = timedelta(seconds=sum(calls)) + _MARGIN
    return Broker(settings.broker_url.get_secret_value(), settings.broker_prefix, longest)
