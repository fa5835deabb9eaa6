"""The work of `kb sync`: stores differences in SQL and brings the index in step, or waits until a server has."""

import asyncio
from pathlib import Path

from rich.console import Console

from api.cli.client import running
from api.cli.following import Ending, ServerIndex, followed
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
    await store(loaded)


def counts(synced: Synced) -> str:
    """Return what a sync did in one line."""
    return (
        f"{synced.added} added, {synced.changed} changed, {synced.unchanged} unchanged, {synced.removed} removed · "
        f"{synced.passages} passages stored"
    )


async def watch_folder(folder: Path) -> None:
    """Sync now and at every change until stopped; what is wrong with a file, folder or server is named meanwhile."""
    async for _ in changes(folder):
        try:
            await sync_folder(folder)
        except SupportError as error:
            if error.code not in {"broken_articles", "no_articles", "index_behind"}:
                raise
            remarks().print(error.message, style="red")


async def sync_pages(listing: Path, private: frozenset[str]) -> None:
    """Fetch the listed pages and make the stored articles equal to them."""
    with progress("pages", remarks()) as step:
        loaded = await WebPages(page_source(private)).load(listing, step)
    await store(loaded)


async def store(loaded: Loaded) -> None:
    """Store what differs, have the index in step and print the counts; broken files make the command fail."""
    settings, console = configured(), remarks()
    client = running(settings)
    if client is None:
        synced, ending = await _alone(settings, loaded, console), Ending.IN_STEP
    else:
        synced = await _beside_server(settings, loaded, console)
        ending = await _followed(ServerIndex(settings, client), synced, console)
    results().print(f"{counts(synced)}; {ending}")
    for broken in synced.broken:
        console.print(f"✗ {broken.path}: {broken.reason}", style="red")
    if ending is Ending.STILL:
        # An error, for whoever asks next is answered from what was there before, and nothing says that it will change.
        raise SupportError(
            "index_behind",
            "the articles are stored, but the server has long not gone on with its index; "
            "its log says why, and a new start takes it up where it was",
        )
    if synced.broken:
        raise SupportError("broken_articles", f"{len(synced.broken)} files were left out; correct them and sync again")


async def _beside_server(settings: Settings, loaded: Loaded, console: Console) -> Synced:
    async with recorded(settings) as records:
        with progress("articles", console) as step:
            return await records.knowledge.store(loaded, DEFAULT_WORKSPACE, step)


async def _followed(server: ServerIndex, synced: Synced, console: Console) -> Ending:
    """Wait for the server; who stops waiting loses nothing."""
    try:
        with progress("passages", console) as step:
            return await followed(server.look, step)
    except asyncio.CancelledError:
        results().print(f"{counts(synced)}; the server brings its index in step by itself")
        raise


async def _alone(settings: Settings, loaded: Loaded, console: Console) -> Synced:
    async with opened(settings) as container:
        with progress("articles", console) as step:
            synced = await container.knowledge.store(loaded, DEFAULT_WORKSPACE, step)
        await index_in_step(container)
        return synced
