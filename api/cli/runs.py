"""`runs`: shows the record of one run; it changes nothing."""

import asyncio
from typing import Annotated
from uuid import UUID

import typer

app = typer.Typer(name="runs", help="Runs: what the software made of a message.", rich_markup_mode=None)


@app.command("show")
def show(
    run: Annotated[UUID, typer.Argument(metavar="ID", help="The run's id, as in the console and the log.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole record as JSON.")] = False,
) -> None:
    """Show a run's sections, milliseconds by stage, tokens and versions."""
    from api.cli.output import results
    from api.cli.run_output import loaded, show_record

    record = asyncio.run(loaded(run))
    if as_json:
        typer.echo(record.model_dump_json(indent=2))
    else:
        show_record(record, results())
