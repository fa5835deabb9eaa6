"""Worker, relay and scheduler: the processes beside an installation's APIs, from settings to their clean end."""

import asyncio
import signal
from collections.abc import Callable, Collection, Coroutine, Sequence
from datetime import timedelta

from api import logging
from api.bootstrap import build, build_records
from api.choices import Role
from api.container import Container, Step
from api.heap import settle
from api.separation import check_work
from api.settings import Settings
from api.upkeep import build_upkeep
from api.worker.assembly import at_once, scheduler_of
from api.worker.broker import CeleryDispatcher
from api.worker.brokers import broker_of
from api.worker.consuming import LoopThread, Terms, consume
from api.worker.hints import Hint, Queue
from api.worker.loop import WorkerLoop
from api.worker.schedule import Duty
from api.worker.sending import Sender, SendingPace
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE

_RESEND_SECONDS = 1.0
_GRACE_SECONDS = 1.0


def work(settings: Settings, queues: Collection[Queue]) -> None:
    """Be a worker of these queues until SIGTERM or SIGINT; takes nothing before models and index are ready."""
    logging.configure(settings)
    settings.check_role(Role.WORKER)
    check_work(settings.privilege, Role.WORKER, queues)
    loop = LoopThread()
    loop.start()
    try:
        container = build(settings, Role.WORKER)
        try:
            loop.run(_ready(container))
            _consume(settings, container, loop, queues)
        finally:
            loop.run(_closed(container))
    finally:
        loop.stop()


def _consume(settings: Settings, container: Container, loop: LoopThread, queues: Collection[Queue]) -> None:
    taker = container.taker
    assert taker is not None, "a worker's container has one"  # noqa: S101 - told to the type checker

    async def take(hint: Hint) -> None:
        await taker.take(hint)

    grace = settings.deadline_seconds + _GRACE_SECONDS
    consume(broker_of(settings), Terms(tuple(queues), at_once(settings), grace), take, loop)


async def _ready(container: Container) -> None:
    """Warm: a first customer must not wait for anything to be loaded."""
    await container.open()
    container.worker.start()
    await container.keeper.wait()
    await container.asking.rehearse(DEFAULT_WORKSPACE)
    settle()


async def _closed(container: Container) -> None:
    await container.worker.stop()
    await container.close()


def relay(settings: Settings) -> None:
    """Be a relay until SIGTERM or SIGINT; it loads no model."""
    _be(Role.RELAY, settings, _relay)


async def _relay(settings: Settings) -> None:
    records = build_records(settings)
    dispatcher = CeleryDispatcher(broker_of(settings))
    sender = Sender(records.database, dispatcher, _pace(settings))
    loops = WorkerLoop({"relay": sender}, lambda: sender.steady)
    await _until_signalled(loops, opening=(records.open,), closing=(dispatcher.close, records.close))


def keep_time(settings: Settings) -> None:
    """Be a scheduler until SIGTERM or SIGINT; it loads no model, and of several one works."""
    _be(Role.SCHEDULER, settings, _keep_time)


async def _keep_time(settings: Settings) -> None:
    records = build_records(settings)
    upkeep = build_upkeep(settings, records)
    database, dispatcher = records.database, CeleryDispatcher(broker_of(settings))
    sender = Sender(database, dispatcher, _pace(settings))
    loops = scheduler_of(database, (*upkeep.duties, Duty("resend", _RESEND_SECONDS, sender.sweep)))
    opening = (records.open, *upkeep.opening)
    await _until_signalled(loops, opening=opening, closing=(dispatcher.close, *upkeep.closing, records.close))


def _be(role: Role, settings: Settings, live: Callable[[Settings], Coroutine[None, None, None]]) -> None:
    logging.configure(settings)
    settings.check_role(role)
    check_work(settings.privilege, role)
    asyncio.run(live(settings))


def _pace(settings: Settings) -> SendingPace:
    return SendingPace(settings.broker_queue_length, timedelta(seconds=settings.takeover_seconds))


async def _until_signalled(loops: WorkerLoop, *, opening: Sequence[Step], closing: Sequence[Step]) -> None:
    """Open, run, and close in order; a loop that ends by itself ends the process, so that it is started anew."""
    stopped = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stopped.set)
    try:
        for step in opening:
            await step()
        loops.start()
        logging.get().info("ready")
        waiting = asyncio.create_task(stopped.wait())
        ended = asyncio.create_task(loops.ended())
        await asyncio.wait({waiting, ended}, return_when=asyncio.FIRST_COMPLETED)
        for task in (waiting, ended):
            task.cancel()
        if not stopped.is_set():
            raise SupportError("loop_ended", "a loop ended by itself; see the log")
    finally:
        await loops.stop()
        for step in closing:
            await step()
