"""`intents`: trains the intent model from its examples; a running server takes it up at its next start."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(name="intents", help="The intent model.", rich_markup_mode=None)


@app.callback()
def group() -> None:
    """Keep `train` a command of its own."""


@app.command("train")
def train(
    *,
    data: Annotated[Path | None, typer.Option(help="Examples (YAML); the shipped ones if not given.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write to; the shipped model's if not given.")] = None,
) -> None:
    """Train, cross-validate and store the model; prints how good it is."""
    from api.cli.intent_work import train as work

    asyncio.run(work(data, out))
