"""`demo`: the demo shop on this machine, with a console to click in; nothing leaves loopback."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer


def demo(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Approve a reply and a refund, check the effects, exit.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="Fresh folder to use and keep; a temporary one if not given.")
    ] = None,
    timings: Annotated[bool, typer.Option("--timings", help="Show what the start took, phase by phase.")] = False,
) -> None:
    """A demo shop: 24 signed webhooks answered before your eyes, then a console; Ctrl-C ends and removes it."""
    from api.cli.demo_work import show_demo

    try:
        asyncio.run(show_demo(data, once=once, timings=timings))
    except (KeyboardInterrupt, asyncio.CancelledError):
        if once:
            raise KeyboardInterrupt from None
        typer.echo("the demo is over" if data else "the demo is over, its folder is removed", err=True)
