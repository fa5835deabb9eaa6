"""`intents`: trains intent models and says which one is in use; a running server takes it up at its next start."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(name="intents", help="The intent models.", rich_markup_mode=None)


@app.callback()
def group() -> None:
    """Keep every command one of its own."""


@app.command("train")
def train(
    *,
    data: Annotated[
        Path | None,
        typer.Option(help="Labelled messages (JSON lines) or examples (YAML); the shipped ones if not given."),
    ] = None,
    name: Annotated[str, typer.Option(help="What to call the version that JSON lines become.")] = "own",
    valid: Annotated[Path | None, typer.Option(help="Labelled messages that set temperature and threshold.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for a model from YAML; the shipped model's if not given.")
    ] = None,
    with_corrections: Annotated[
        bool, typer.Option("--with-corrections", help="Add what people corrected; makes a version, whatever the data.")
    ] = False,
) -> None:
    """Train a model and print how good it is on messages it was not shown; `promote` puts one of JSON lines to use."""
    from api.cli.intent_work import train as shipped
    from api.cli.intent_work import train_corrected, train_labelled

    if with_corrections:
        asyncio.run(train_corrected(data, name, valid))
    elif data is not None and data.suffix != ".yaml":
        asyncio.run(train_labelled(data, name, valid))
    else:
        asyncio.run(shipped(data, out))


@app.command("export")
def export(
    *,
    shape: Annotated[str, typer.Option("--format", help="`jsonl`, `alpaca` or `sharegpt`.")] = "jsonl",
    out: Annotated[Path | None, typer.Option(help="A file to write; standard output if not given.")] = None,
) -> None:
    """Write what people corrected, one JSON object a line; personal identifiers were masked when it was kept."""
    from api.cli.intent_work import export as work

    asyncio.run(work(shape, out))


@app.command("list")
def versions() -> None:
    """List the stored versions, their figures, and which one is in use."""
    from api.cli.intent_work import versions as work

    work()


@app.command("promote")
def promote(version: Annotated[str, typer.Argument(help="As `intents list` shows it.")]) -> None:
    """Use a version from the server's next start on."""
    from api.cli.intent_work import promote as work

    work(version)


@app.command("rollback")
def rollback() -> None:
    """Go back to what was in use before."""
    from api.cli.intent_work import rollback as work

    work()
