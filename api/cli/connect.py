"""`connect`: joins this installation to a team messenger step by step; it changes nothing there but a card to you."""

import asyncio
from typing import Annotated

import typer

app = typer.Typer(name="connect", help="Join a team messenger.", rich_markup_mode=None)


@app.callback()
def connect() -> None:
    """Join a team messenger."""


@app.command("slack")
def slack(
    *,
    manifest: Annotated[bool, typer.Option("--manifest", help="Print the app's manifest (JSON) only.")] = False,
    me: Annotated[str, typer.Option(help="Your Slack member id (U…): gets a test card, nobody else does.")] = "",
) -> None:
    """Print the manifest until there is a token; then check token, scopes, channels and signature."""
    from api.cli import connect_work

    if manifest:
        connect_work.show_manifest()
    elif not asyncio.run(connect_work.examine(me)):
        raise typer.Exit(1)
