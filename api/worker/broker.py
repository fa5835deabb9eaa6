"""The Celery application, and the dispatcher that hands hints to it; nothing of a ticket travels, no result is kept."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from celery import Celery
from kombu import Connection, Exchange
from kombu import Queue as BrokerQueue
from kombu.exceptions import KombuError, OperationalError

from api.worker.brokers import Broker
from api.worker.envelopes import gate_redis
from api.worker.hints import QUEUE_OF, Hint, Queue
from support_agents.domain.errors import SupportError
from support_agents.domain.events import OutboxEvent

TASK = "support.handle"
_SECONDS = 3.0  # so long may the broker be silent before it counts as away

T = TypeVar("T")


def celery_of(broker: Broker) -> Celery:
    """Return the application: JSON only, no results, no retries, no remote control, no events."""
    gate_redis()
    app = Celery("support", set_as_current=False, fixups=[], broker=broker.url)
    exchange = Exchange(broker.prefix, type="direct", durable=True)
    app.conf.update(
        task_queues=[
            BrokerQueue(broker.name_of(queue), exchange, routing_key=queue.value, durable=True) for queue in Queue
        ],
        task_default_queue=broker.name_of(Queue.BACKGROUND),
        task_default_exchange=broker.prefix,
        task_create_missing_queues=False,
        # Messages need not survive the broker's restart: the table does, and tells again.
        task_default_delivery_mode="transient",
        task_serializer="json",
        accept_content=["json"],
        result_backend=None,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_publish_retry=False,
        task_acks_late=True,
        task_acks_on_failure_or_timeout=True,
        task_send_sent_event=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        # One message for each thread and none in store: what waits, waits where any worker can fetch it.
        worker_prefetch_multiplier=1,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_timeout=_SECONDS,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=_transport(broker),
    )
    return app


def _transport(broker: Broker) -> dict[str, Any]:
    if broker.url.startswith("amqp"):
        return {"confirm_publish": True, "write_timeout": _SECONDS}
    return {
        # A time-out shorter than a task would start it again beside itself.
        "visibility_timeout": int(broker.longest.total_seconds()),
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
        "queue_order_strategy": "priority",
        "priority_steps": [0],
        "socket_connect_timeout": _SECONDS,
        "socket_keepalive": True,
        "retry_on_timeout": False,
    }


class CeleryDispatcher:
    """Publishes one hint for each event. Calls wait for each other: one thread owns the connection."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._app = celery_of(broker)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="broker")
        self._open: Connection | None = None

    async def dispatch(self, event: OutboxEvent) -> None:
        """Hand the event's hint on; `broker_unavailable` when the broker did not take it."""
        await self._call(lambda: self._publish(event))

    async def depth(self, queue: Queue) -> int:
        """How many hints wait in the queue and have not been fetched."""
        return await self._call(lambda: self._depth(queue))

    async def check(self) -> None:
        """Return when the broker answers; raise `broker_unavailable` otherwise."""
        await self.depth(Queue.RUNS)

    async def close(self) -> None:
        """Let go of the connection."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown(wait=False)

    async def _call(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._tried, work)

    def _tried(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except self._errors() as error:
            self._disconnect()
            kind = type(error).__name__  # its words may hold the address with its password
            raise SupportError("broker_unavailable", f"the broker does not answer ({kind})", retryable=True) from None

    def _publish(self, event: OutboxEvent) -> None:
        queue = self._broker.name_of(QUEUE_OF[event.name])
        hint = Hint(event.id, event.attempts)
        with self._connected().Producer(serializer="json", auto_declare=False) as producer:
            self._app.send_task(TASK, args=hint.arguments, queue=queue, producer=producer, retry=False, argsrepr="")

    def _depth(self, queue: Queue) -> int:
        # Declaring what is there tells how much is in it, on every broker; an empty list is nothing at all to Redis.
        channel = self._connected().default_channel
        declared = channel.queue_declare(self._broker.name_of(queue), durable=True, auto_delete=False)
        return int(declared.message_count)

    def _connected(self) -> Connection:
        if self._open is None:
            self._open = connection = self._app.connection_for_write()
            connection.transport_options = {**connection.transport_options, **_limits(self._broker)}
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=_SECONDS)
            for queue in self._app.amqp.queues.values():
                queue(connection.default_channel).declare()
        return self._open

    def _errors(self) -> tuple[type[BaseException], ...]:
        known = (KombuError, OperationalError, OSError)
        return known if self._open is None else (*known, *self._open.connection_errors, *self._open.channel_errors)

    def _disconnect(self) -> None:
        connection, self._open = self._open, None
        if connection is not None:
            connection.release()


def _limits(broker: Broker) -> dict[str, Any]:
    """How long a call of ours waits for an answer; a worker waits for messages as long as there are none."""
    return {"read_timeout": _SECONDS} if broker.url.startswith("amqp") else {"socket_timeout": _SECONDS}
