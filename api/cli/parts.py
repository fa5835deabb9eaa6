"""`db parts`: lists the parts by month of PostgreSQL's tables, makes coming ones, takes old ones off; it drops none."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer

app = typer.Typer(name="parts", help="Parts by month of messages, sections and the audit.", rich_markup_mode=None)


@app.command("list")
def list_parts() -> None:
    """Show each part with its time and size, and what is on record of those that were taken off."""
    from api.cli.parts_work import listed

    asyncio.run(listed())


@app.command("make")
def make() -> None:
    """Make the parts of coming months now; the scheduler, or `serve`, does so by itself."""
    from api.cli.parts_work import made

    asyncio.run(made())


@app.command("detach")
def detach(
    *,
    before: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Parts that end on or before this day; or SUPPORT_DATABASE_KEEP_MONTHS."
        ),
    ] = None,
    open_tickets: Annotated[
        str,
        typer.Option(metavar="stay|go", help="`go`: take off what belongs to tickets that are still open, too."),
    ] = "stay",
) -> None:
    """Take off old parts, as the database's owner. Each stays as a table of its own and leaves a sealed manifest."""
    from api.cli.parts_work import taken_off

    asyncio.run(taken_off(None if before is None else before.replace(tzinfo=UTC), open_tickets))
