"""The work of `kb sync`: stores differences in SQL and, when no server does it, brings the index in step."""

import asyncio
from pathlib import Path

from rich.console import Console

from api.cli.client import running
from api.cli.indexing import index_in_step
from api.cli.installation import configured, opened, recorded
from api.cli.output import progress, remarks, results
from api.engines import page_source
from api.settings import Settings
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.knowledge.loaders import Loaded
from support_agents.knowledge.sync import Synced, read_folder
from support_agents.knowledge.watching import changes
from support_agents.knowledge.web import WebPages


async def sync_folder(folder: Path, *, empty: bool = False) -> None:
    """Sync and print one line of counts; broken files are named and make the command fail.

    A folder without any article is more often a wrong path or a disk that is not there than a wish to delete all.
    """
    loaded = await asyncio.to_thread(read_folder, folder)
    if not (empty or loaded.articles or loaded.broken):
        raise SupportError(
            "no_articles", f"{folder} holds no article; nothing was changed (--empty deletes all stored)"
        )
    await _synced(loaded)


def counts(synced: Synced) -> str:
    """Return what a sync did in one line."""
    return (
        f"{synced.added} added, {synced.changed} changed, {synced.unchanged} unchanged, {synced.removed} removed · "
        f"{synced.passages} passages stored"
    )


async def watch_folder(folder: Path) -> None:
    """Sync now and at every change until stopped; a broken file or an empty folder is named and the watch goes on."""
    async for _ in changes(folder):
        try:
            await sync_folder(folder)
        except SupportError as error:
            if error.code not in {"broken_articles", "no_articles"}:
                raise
            remarks().print(error.message, style="red")


async def sync_pages(listing: Path, private: frozenset[str]) -> None:
    """Fetch the listed pages and make the stored articles equal to them."""
    with progress("pages", remarks()) as step:
        loaded = await WebPages(page_source(private)).load(listing, step)
    await _synced(loaded)


async def _synced(loaded: Loaded) -> None:
    settings, console = configured(), remarks()
    if running(settings) is not None:
        synced, rest = await _beside_server(settings, loaded, console), "; the server is bringing its index in step"
    else:
        synced, rest = await _alone(settings, loaded, console), "; the index is in step"
    results().print(counts(synced) + rest)
    for broken in synced.broken:
        console.print(f"✗ {broken.path}: {broken.reason}", style="red")
    if synced.broken:
        raise SupportError("broken_articles", f"{len(synced.broken)} files were left out; correct them and sync again")


async def _beside_server(settings: Settings, loaded: Loaded, console: Console) -> Synced:
    async with recorded(settings) as records:
        with progress("articles", console) as step:
            return await records.knowledge.store(loaded, DEFAULT_WORKSPACE, step)


async def _alone(settings: Settings, loaded: Loaded, console: Console) -> Synced:
    async with opened(settings) as container:
        with progress("articles", console) as step:
            synced = await container.knowledge.store(loaded, DEFAULT_WORKSPACE, step)
        await index_in_step(container)
        return synced
