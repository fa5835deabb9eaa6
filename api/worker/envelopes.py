"""A Redis transport that survives what is no message, and acknowledgements that fail; RabbitMQ needs neither."""

from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, _transport_cache
from kombu.transport import redis as kombu_redis

from api import logging

_SCHEMES = ("redis", "rediss")


class _Credit(kombu_redis.QoS):  # type: ignore[misc] # kombu is not typed
    """Has a message that is over count no more, even if Redis could not be told.

    Else a worker whose every place was taken when Redis went away never asked again: with no credit kombu watches no
    socket, so it does not see either that the connection is lost. Redis gives such a message out again in its time, and
    whoever takes the hint finds the attempt gone.
    """

    def ack(self, delivery_tag: str) -> None:
        """Tell Redis, and count it no more."""
        try:
            super().ack(delivery_tag)
        except BaseException:
            self._quick_ack(delivery_tag)
            raise

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002 - kombu's signature
        """The same for what is not wanted."""
        try:
            super().reject(delivery_tag, requeue=requeue)
        except BaseException:
            self._quick_ack(delivery_tag)
            raise


class _Channel(kombu_redis.Channel):  # type: ignore[misc] # kombu is not typed
    """Whatever anybody pushed onto a queue's list is read as JSON; what is none would end the consumer."""

    QoS = _Credit

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
        # kombu keeps the class that a scheme meant at its first connection.
        _transport_cache.pop(scheme, None)
