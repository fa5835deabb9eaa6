"""`quarantine`: shows whether effects are held back after a restore, and lets an admin end it; it sends nothing."""

import asyncio
import sys
from typing import Annotated

import typer

app = typer.Typer(name="quarantine", help="Dispatch held back after a restore.", rich_markup_mode=None)


@app.command("show")
def show() -> None:
    """Say whether dispatch is held back, since when and why; exit code 1 if so."""
    from api.cli.quarantine_work import held

    if asyncio.run(held()):
        raise typer.Exit(1)


@app.command("adopt")
def adopt(
    *,
    email: Annotated[str, typer.Option(help="The admin who decides; signs in with their password.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Go on with this database: an admin's decision. Executions that were under way stay in doubt."""
    from api.cli.quarantine_work import adopt as work

    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else str(typer.prompt("Password", hide_input=True))
    asyncio.run(work(email, password))
