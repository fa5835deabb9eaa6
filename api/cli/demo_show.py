"""What `demo` prints: the table, the last line, then a console link or – with `--once` – the effects it checked."""

from pathlib import Path

from rich.console import Console

from api.cli.output import results
from api.demo.answers import Answered
from api.demo.approving import Approver, Checking
from api.demo.phases import Phases
from api.demo.running import Demo, deliver_all, loopback, started, tally_line, until_stopped
from api.demo.server_process import ServerProcess

_SHORT_UNDO = 1.0


async def show(folder: Path, server: ServerProcess, phases: Phases, *, once: bool, timings: bool) -> None:
    """Run everything that comes after the server's process has begun to load."""
    console = results()
    phases.done("code loaded")
    console.print(
        "a demo shop on this machine: articles, orders, policy, one server, one mailbox; nothing leaves loopback"
    )
    async with started(folder, server, phases, undo_seconds=_SHORT_UNDO if once else None) as demo:
        answered = await deliver_all(demo, console)
        console.print()
        console.print(await tally_line(demo, answered))
        if timings:
            console.print("\n".join(phases.lines()), style="dim")
        if once:
            await _approve(demo, answered, console)
        else:
            await _stay(demo, console)


async def _approve(demo: Demo, answered: tuple[Answered, ...], console: Console) -> None:
    async with loopback(demo.url) as http:
        approver = await Approver.signed_in(http, demo.operator)
        effects = await Checking(demo.answers, demo.mailbox, demo.ledger).approve_first(answered, approver)
    console.print(effects.line, markup=False)


async def _stay(demo: Demo, console: Console) -> None:
    link = await demo.link()
    console.print()
    console.print("The console, signed in once, within five minutes, from this machine:")
    console.print(link, style="bold cyan", markup=False, soft_wrap=True)
    console.print("Ctrl-C ends the demo and removes its folder.", style="dim")
    await until_stopped(demo)
