"""`executions`: lists what was approved and whose outcome is unknown; settling it takes a person in the console."""

import asyncio
from typing import Annotated

import typer

app = typer.Typer(name="executions", help="Approved actions.", rich_markup_mode=None)


@app.callback()
def group() -> None:
    """Keep `list` a command of its own."""


@app.command("list")
def list_in_doubt(
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="How many, oldest first.")] = 50,
    *,
    in_doubt: Annotated[bool, typer.Option("--in-doubt", help="The default, and all that there is.")] = True,  # noqa: ARG001 - spoken for clarity
) -> None:
    """List executions in doubt: nobody knows whether their effect happened."""
    from api.cli.execution_work import show_in_doubt

    asyncio.run(show_in_doubt(limit))
