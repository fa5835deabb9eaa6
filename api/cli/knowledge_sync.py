"""The work of `kb sync`: stores differences in SQL and, when no server does it, brings the index in step."""

from pathlib import Path

from rich.console import Console

from api.cli.client import running
from api.cli.indexing import index_in_step
from api.cli.installation import configured, opened, recorded
from api.cli.output import progress, remarks, results
from api.settings import Settings
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.knowledge.sync import Synced


async def sync_folder(folder: Path) -> None:
    """Sync and print one line of counts; broken files are named and make the command fail."""
    settings = configured()
    console = remarks()
    if running(settings) is not None:
        synced, rest = await _beside_server(settings, folder, console), "; the server is bringing its index in step"
    else:
        synced, rest = await _alone(settings, folder, console), "; the index is in step"
    results().print(counts(synced) + rest)
    for broken in synced.broken:
        console.print(f"✗ {broken.path}: {broken.reason}", style="red")
    if synced.broken:
        raise SupportError("broken_articles", f"{len(synced.broken)} files were left out; correct them and sync again")


def counts(synced: Synced) -> str:
    """Return what a sync did in one line."""
    return (
        f"{synced.added} added, {synced.changed} changed, {synced.unchanged} unchanged, {synced.removed} removed · "
        f"{synced.passages} passages stored"
    )


async def _beside_server(settings: Settings, folder: Path, console: Console) -> Synced:
    async with recorded(settings) as records:
        with progress("articles", console) as step:
            return await records.knowledge.sync(folder, DEFAULT_WORKSPACE, step)


async def _alone(settings: Settings, folder: Path, console: Console) -> Synced:
    async with opened(settings) as container:
        with progress("articles", console) as step:
            synced = await container.knowledge.sync(folder, DEFAULT_WORKSPACE, step)
        await index_in_step(container)
        return synced
