"""`operators`: people who may sign in to the console; a password is read, never shown or passed as an argument."""

import asyncio
import sys
from datetime import timedelta
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


@app.command("reset-factor")
def reset_factor(email: Annotated[str, typer.Argument(help="Who has lost phone and recovery codes.")]) -> None:
    """Take a person's second factor away and end their sessions, on record; for when no other admin can."""
    from api.cli import operator_work

    asyncio.run(operator_work.reset_factor(email))


@app.command("desk")
def desk(
    email: Annotated[str, typer.Argument(help="Whose desk it is.")],
    *,
    languages: Annotated[str, typer.Option(help="Languages they read: `de,en`; empty: any.")] = "",
    skills: Annotated[str, typer.Option(help="Intents they take: `refund_request,order_status`; empty: any.")] = "",
    away_days: Annotated[int, typer.Option(min=0, max=366, help="Away from now on for so many days; 0: there.")] = 0,
    delegate: Annotated[str, typer.Option(help="Address of who stands in while they are away.")] = "",
) -> None:
    """Say what a person reads and takes, and who stands in; replaces what was said before."""
    from api.cli import operator_work

    given = operator_work.Desk(_codes(languages), _codes(skills), timedelta(days=away_days), delegate)
    asyncio.run(operator_work.set_desk(email, given))


def _codes(text: str) -> str:
    return " ".join(part.strip().lower() for part in text.split(",") if part.strip())


def _asked() -> str:
    if not sys.stdin.isatty():
        raise typer.BadParameter("there is no terminal to ask on; use --password-stdin")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password
