"""A worker process's outer life: Celery on threads, the work itself on one event loop; it knows no kind of event."""

import asyncio
import signal
import threading
import warnings
from collections.abc import Awaitable, Callable, Collection, Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from celery import signals
from celery.platforms import SecurityWarning
from celery.worker import state

from api import logging
from api.worker.broker import TASK, celery_of
from api.worker.brokers import Broker
from api.worker.gate import GatedConsumer, silence_libraries
from api.worker.hints import Hint, Queue
from support_agents.domain.errors import SupportError

T = TypeVar("T")

Take = Callable[[Hint], Awaitable[None]]


class LoopThread:
    """An event loop on a thread of its own; other threads bring it work and wait."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="work", daemon=True)
        self._under_way: set[Future[None]] = set()

    def start(self) -> None:
        """Begin to turn."""
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Have the loop do `work`, and wait for its end."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """The same for work that `cancel_all` ends; then it just returns."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        self._under_way.add(future)
        try:
            with suppress(CancelledError):
                future.result()
        finally:
            self._under_way.discard(future)

    def cancel_all(self) -> None:
        """End the work that is under way."""
        for future in tuple(self._under_way):
            future.cancel()

    def stop(self) -> None:
        """End the loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@dataclass(frozen=True)
class Terms:
    """Which queues are served, how many events at once, and how many seconds they are given to end."""

    queues: Collection[Queue]
    concurrency: int
    grace: float


def consume(broker: Broker, terms: Terms, take: Take, loop: LoopThread) -> None:
    """Take hints until SIGTERM or SIGINT; then fetch no more, and cancel after the grace what has not ended.

    Called with everything ready: a message may arrive at once. Off the main thread nothing hears the signals.
    """
    silence_libraries()
    app = celery_of(broker)
    app.conf.worker_consumer = GatedConsumer
    _register(app, take, loop)
    signals.setup_logging.connect(_leave_logging, weak=False)
    with warnings.catch_warnings():
        # Who runs it is the operator's affair: nothing but JSON is ever read.
        warnings.simplefilter("ignore", SecurityWarning)
        worker = _worker_class(app.Worker, loop, terms.grace)(
            app=app,
            pool="threads",
            concurrency=terms.concurrency,
            queues=[broker.name_of(queue) for queue in Queue if queue in terms.queues],
            quiet=True,
            without_mingle=True,
            without_gossip=True,
            without_heartbeat=True,
            beat=False,
        )
    logging.get().info("worker_ready", count=terms.concurrency)
    worker.start()
    if state.should_stop is None:
        raise SupportError("worker_ended", "the consumer ended by itself; see the log")


def _register(app: Any, take: Take, loop: LoopThread) -> None:  # noqa: ANN401 - Celery is not typed
    async def awaited(hint: Hint) -> None:
        await take(hint)

    @app.task(name=TASK, ignore_result=True)  # type: ignore[untyped-decorator] # Celery is not typed
    def handle(event: str, attempts: int) -> None:
        loop.do(awaited(Hint.read([event, attempts])))


def _leave_logging(**_: object) -> None:
    """Being connected is enough: Celery then configures no logging of its own."""


def _worker_class(base: Any, loop: LoopThread, grace: float) -> Any:  # noqa: ANN401 - Celery is not typed
    class Worker(base):  # type: ignore[misc]
        """Ends in order on both signals; Celery's own handlers print, and SIGINT would drop what is under way."""

        def install_platform_tweaks(self, worker: object) -> None:  # noqa: ARG002 - Celery's signature
            def stop(*_: object) -> None:
                if state.should_stop is None:
                    state.should_stop = 0
                    late = threading.Timer(grace, loop.cancel_all)
                    late.daemon = True
                    late.start()

            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGTERM, stop)
                signal.signal(signal.SIGINT, stop)

    return Worker
