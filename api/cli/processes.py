"""`api`, `worker`, `relay` and `scheduler`: the processes that share one installation; what they do is elsewhere."""

from typing import Annotated

import typer

from api.choices import Role
from api.cli.serve import Host, Port, listen


def api(host: Host = None, port: Port = None) -> None:
    """Serve webhooks, REST and console, and leave the work to workers. Needs SUPPORT_BROKER_URL and PostgreSQL."""
    listen(host, port, Role.API)


def worker(
    queues: Annotated[
        str, typer.Option(help="Which kinds of events, comma separated: runs, actions, background.")
    ] = "runs,actions,background",
) -> None:
    """Think about tickets and carry out what was approved, as a relay tells. Ctrl-C ends it in order."""
    from api import processes, settings
    from api.worker.hints import Queue
    from support_agents.domain.errors import SupportError

    names = [name.strip() for name in queues.split(",") if name.strip()]
    if not names or set(names) - set(Queue):
        raise SupportError("settings", f"--queues takes some of {', '.join(Queue)}, comma separated")
    processes.work(settings.load(), [Queue(name) for name in names])


def relay() -> None:
    """Tell workers through the broker what is due. Any number may run; one is enough. Ctrl-C ends it in order."""
    from api import processes, settings

    processes.relay(settings.load())


def scheduler() -> None:
    """Do what falls due by the clock: reminders, expiry, sealing. Of several, one works. Ctrl-C ends it in order."""
    from api import processes, settings

    processes.keep_time(settings.load())
