"""`audit`: says whether the record of what happened is as it was sealed; it changes nothing."""

import asyncio

import typer

app = typer.Typer(name="audit", help="The record of what happened.", rich_markup_mode=None)


@app.callback()
def audit() -> None:
    """The record of what happened, sealed in a chain."""


@app.command("verify")
def verify() -> None:
    """Check every entry, seal and record against each other and the anchor; exit code 1 if anything does not hold."""
    from api.cli.parts_work import verified

    if not asyncio.run(verified()):
        raise typer.Exit(1)
