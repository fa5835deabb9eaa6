"""`tokens`: bearer tokens for programs; they read and cancel, and can never decide."""

import asyncio
import sys
from datetime import timedelta
from typing import Annotated

import typer

app = typer.Typer(name="tokens", help="Bearer tokens for programs.", rich_markup_mode=None)

_LONGEST_DAYS = 366


@app.command("add")
def add(
    *,
    scopes: Annotated[str, typer.Option(help="`read`, `cancel` or `read,cancel`.")] = "read",
    days: Annotated[int, typer.Option(min=1, max=_LONGEST_DAYS, help="How long it is good for.")] = 30,
    name: Annotated[str, typer.Option(help="What it is for.")] = "command line",
) -> None:
    """Make a token and print it, once."""
    from api.cli.token_work import issue

    typer.echo(asyncio.run(issue(name, scopes=scopes, life=timedelta(days=days))))
    typer.echo(f"good for {days} {'day' if days == 1 else 'days'}; it is not shown again", err=True)


@app.command("revoke")
def revoke() -> None:
    """End a token at once; it is asked for, or read from standard input, for a command line is seen by others."""
    from api.cli.token_work import end

    asked = sys.stdin.isatty()
    token = str(typer.prompt("Token", hide_input=True)) if asked else sys.stdin.readline()
    asyncio.run(end(token))
    typer.echo("the token has ended")
