"""A Redis transport that survives what is no message at all; on RabbitMQ the protocol itself keeps such things out."""

from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as kombu_redis

from api import logging

_SCHEMES = ("redis", "rediss")


class _Channel(kombu_redis.Channel):  # type: ignore[misc] # kombu is not typed
    """Whatever anybody pushed onto a queue's list is read as JSON; what is none would end the consumer."""

    def _brpop_read(self, **options: Any) -> Any:  # noqa: ANN401 - kombu's signature
        try:
            return super()._brpop_read(**options)
        except (ValueError, TypeError, LookupError, AttributeError):
            logging.get().error("message_refused", code="not_an_envelope")
            raise Empty from None


class GatedTransport(kombu_redis.Transport):  # type: ignore[misc] # kombu is not typed
    """kombu's transport with that channel."""

    Channel = _Channel


def gate_redis() -> None:
    """Use it for every connection to Redis that this process makes from now on."""
    for scheme in _SCHEMES:
        TRANSPORT_ALIASES[scheme] = f"{GatedTransport.__module__}:{GatedTransport.__qualname__}"
