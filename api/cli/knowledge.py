"""`kb`: brings a folder of files into the knowledge base, searches it, names what is missing or wrong in it."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

_EXPORT = "zendesk-export"

app = typer.Typer(name="kb", help="The knowledge base.", rich_markup_mode=None)


@app.command("sync")
def sync(  # noqa: PLR0913 - the options of one command
    path: Annotated[
        Path,
        typer.Argument(
            help="Folder of .md .html .pdf .docx .csv .jsonl .json (help-centre export) files; with --fetch a list; "
            "or the word `zendesk-export`.",
        ),
    ],
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="Behind `zendesk-export`: JSON with articles and macros."),
    ] = None,
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
    macros: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="With zendesk-export: folder to write its macros to, as drafts to finish."),
    ] = None,
    solved_replies: Annotated[
        bool, typer.Option("--solved-replies", help="With zendesk-export: write the style of solved replies there too.")
    ] = False,
) -> None:
    """Store what is new or changed below PATH and delete what is gone. Safe to stop and to repeat."""
    from api.cli.knowledge_export import sync_export
    from api.cli.knowledge_sync import sync_folder, sync_pages, watch_folder

    if file is None:
        _check_path(path, of_an_export=macros is not None or solved_replies)
    elif str(path) != _EXPORT or watch or empty or fetch:
        raise typer.BadParameter(f"FILE stands behind the word {_EXPORT}, without --watch, --empty or --fetch")
    if file is not None:
        asyncio.run(sync_export(file, macros=macros, solved_replies=solved_replies))
    elif fetch:
        asyncio.run(sync_pages(path, frozenset(private_host or ())))
    else:
        asyncio.run(watch_folder(path) if watch else sync_folder(path, empty=empty))


def _check_path(path: Path, *, of_an_export: bool) -> None:
    """Refuse a path that is not there, and options that need an export."""
    if of_an_export:
        raise typer.BadParameter(f"--macros and --solved-replies belong to `kb sync {_EXPORT} FILE`")
    if not path.exists():
        wanted = f"name the file behind {_EXPORT}" if str(path) == _EXPORT else f"path '{path}' does not exist"
        raise typer.BadParameter(wanted)


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


@app.command("conflicts")
def conflicts(*, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False) -> None:
    """Name sentences of articles that say something else than the policy in force; exit code 1 if there are any."""
    from api.cli.knowledge_conflicts import show_conflicts

    if asyncio.run(show_conflicts(as_json=as_json)):
        raise typer.Exit(1)
