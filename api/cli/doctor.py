"""`doctor`: what works and what does not, each line with the command that mends it; it mends nothing itself."""

import asyncio

import typer


def doctor() -> None:
    """Check the installation. Exit code 1 when something needs mending."""
    from api.cli.doctor_work import examine

    if not asyncio.run(examine()):
        raise typer.Exit(1)
