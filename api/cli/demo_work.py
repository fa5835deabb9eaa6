"""The work of `demo`: starts the server's process before anything is loaded, runs the demo, prints what it shows."""

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path

from api.demo.folder import fresh_folder
from api.demo.phases import Phases
from api.demo.server_process import ServerProcess


async def show_demo(data: Path | None, *, once: bool, timings: bool) -> None:
    """Run the demo to its end: Ctrl-C, or with `once` when all effects have been checked."""
    _end_by_signal()
    phases = Phases()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(fresh_folder(data))
        server = await ServerProcess.start(folder / "server.log")
        stack.push_async_callback(server.stop)
        # Loaded only now, beside the server's process, which has as much to load.
        from api.cli.demo_show import show

        await show(folder, server, phases, once=once, timings=timings)


def _end_by_signal() -> None:
    """A stop from outside, or a terminal that is closed, ends the demo as Ctrl-C does: its folder does not stay."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - called within a task
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
