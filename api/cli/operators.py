"""`operators`: people who may sign in to the console; a password is read, never shown or passed as an argument."""

import asyncio
import sys
from typing import Annotated

import typer

from support_agents.domain.approval import Role

app = typer.Typer(name="operators", help="People who may sign in.", rich_markup_mode=None)


@app.command("add")
def add(
    email: Annotated[str, typer.Argument(help="The address they sign in with.")],
    *,
    role: Annotated[Role, typer.Option(help="What they may do.")],
    name: Annotated[str, typer.Option(help="How they are shown; the address if empty.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Add a person; asks for the password."""
    from api.cli import operator_work

    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else _asked()
    asyncio.run(operator_work.add(email, name=name or email, role=role, password=password))


@app.command("list")
def list_all() -> None:
    """List everyone with role and state."""
    from api.cli import operator_work

    asyncio.run(operator_work.show_all())


@app.command("disable")
def disable(email: Annotated[str, typer.Argument(help="Who may sign in no more.")]) -> None:
    """End a person's access and sessions; what they decided stays on record."""
    from api.cli import operator_work

    asyncio.run(operator_work.disable(email))


def _asked() -> str:
    if not sys.stdin.isatty():
        raise typer.BadParameter("there is no terminal to ask on; use --password-stdin")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password
