"""`kb`: brings a folder of files into the knowledge base, searches it, names its gaps; it edits no article."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(name="kb", help="The knowledge base.", rich_markup_mode=None)


@app.command("sync")
def sync(
    path: Annotated[
        Path,
        typer.Argument(
            exists=True,
            help="Folder of .md .html .pdf .docx .csv .jsonl .json (help-centre export) files; or with --fetch a list.",
        ),
    ],
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Stay, and sync whenever a file changes.")] = False,
    empty: Annotated[
        bool, typer.Option("--empty", help="PATH may hold no article at all: delete every stored one.")
    ] = False,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="PATH is a sitemap or a list of addresses: fetch these pages.")
    ] = False,
    private_host: Annotated[
        list[str] | None, typer.Option(help="With --fetch: a host that may be in a private range.")
    ] = None,
) -> None:
    """Store what is new or changed below PATH and delete what is gone. Safe to stop and to repeat."""
    from api.cli.knowledge_sync import sync_folder, sync_pages, watch_folder

    if fetch:
        asyncio.run(sync_pages(path, frozenset(private_host or ())))
    else:
        asyncio.run(watch_folder(path) if watch else sync_folder(path, empty=empty))


@app.command("vectors")
def vectors(
    path: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Folder of Markdown files.")],
    *,
    out: Annotated[Path, typer.Option(help="File to write (.npz).")],
    macros: Annotated[Path | None, typer.Option(file_okay=False, help="Folder of macros, for their questions.")] = None,
) -> None:
    """Compute a folder's vectors ahead, to ship them with it: SUPPORT_KNOWN_VECTORS then saves the first start."""
    from api.cli.knowledge_vectors import write_vectors

    asyncio.run(write_vectors(path, out, macros))


@app.command("search")
def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    limit: Annotated[int, typer.Option(min=1, max=50, help="How many passages.")] = 5,
) -> None:
    """Show the passages nearest to a query, internal ones too."""
    from api.cli.knowledge_search import show_found

    show_found(query, limit=limit)


@app.command("gaps")
def gaps(
    *,
    days: Annotated[int, typer.Option(min=1, max=3_650, help="How far back to look.")] = 30,
    least: Annotated[int, typer.Option(min=1, help="Questions that make a gap.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """Show what customers asked and articles did not answer: nothing was found, or people rewrote the draft."""
    from api.cli.knowledge_gaps import show_gaps

    asyncio.run(show_gaps(days=days, least=least, as_json=as_json))
