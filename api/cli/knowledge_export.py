"""The work of `kb sync zendesk-export`: articles into the knowledge base, macros and style into files to finish."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from api.cli.installation import configured, recorded
from api.cli.knowledge_sync import store
from api.cli.output import progress, remarks, results
from api.settings import Settings
from support_agents.domain.errors import SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.domain.knowledge import Passage
from support_agents.knowledge.macro_drafts import ENDING, Draft, Evidence, drafted, write_drafts
from support_agents.knowledge.parsing.wire import RawArticle
from support_agents.knowledge.reply_style import style_of
from support_agents.knowledge.zendesk_export import read_export

STYLE_NAME = "voice.yaml.draft"
_PAGE = 200  # passages that a store is asked for at a time


async def sync_export(path: Path, *, macros: Path | None, solved_replies: bool) -> None:
    """Sync the help centre, if the file has one, then write drafts below `macros`; nothing that exists is replaced."""
    if solved_replies and macros is None:
        raise SupportError("no_folder", "--solved-replies writes a file; say with --macros DIR where to")
    export = await asyncio.to_thread(read_export, path, with_replies=solved_replies)
    if export.articles is not None:
        await store(export.articles)
    if macros is None:
        if export.macros:
            results().print(f"{len(export.macros)} macros left out; --macros DIR writes them as drafts", markup=False)
        return
    settings = configured()
    if export.macros:
        await _macros(export.macros, macros, settings)
    if solved_replies:
        _style(export.replies, macros, settings.language)


async def _macros(found: tuple[RawArticle, ...], folder: Path, settings: Settings) -> None:
    evidence = await asyncio.to_thread(Evidence.of, await _passages(settings))
    drafts: list[Draft] = []
    with progress("macros", remarks()) as step:
        for done, macro in enumerate(found):
            step(done, len(found))
            drafts.append(await asyncio.to_thread(drafted, macro, evidence, settings.language))
    with _writing(folder):
        written, kept = write_drafts(drafts, folder)
    borne_out, left = sum(one.borne_out for one in drafts), sum(one.open for one in drafts)
    results().print(
        f"{written} macros written as drafts, {kept} were there already; {borne_out} sentences rest on an article, "
        f"{left} on nothing yet",
        markup=False,
    )
    results().print(
        f"to use one: add questions and what its sentences rest on, and take {ENDING.removeprefix('.md')} off its name",
        markup=False,
    )


async def _passages(settings: Settings) -> list[Passage]:
    found: list[Passage] = []
    async with recorded(settings) as records:
        ids = sorted(await records.passages.passage_ids(DEFAULT_WORKSPACE))
        for start in range(0, len(ids), _PAGE):
            found += await records.passages.passages(DEFAULT_WORKSPACE, ids[start : start + _PAGE])
    return found


def _style(replies: tuple[RawArticle, ...], folder: Path, language: str) -> None:
    """Write what the replies have in common as the part `voice` of a policy file."""
    voice = style_of(replies, language)
    path = folder / STYLE_NAME
    if not voice:
        results().print(f"{len(replies)} solved replies: too few that are alike to tell a style from", markup=False)
    elif path.exists():
        results().print(f"{path} was there already and is kept", markup=False)
    else:
        with _writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.safe_dump({"voice": voice}, allow_unicode=True, sort_keys=False), encoding="utf-8")
        results().print(f"{path}: the style of {len(replies)} replies, to copy into SUPPORT_POLICY", markup=False)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SupportError(
            "out_unwritable", f"cannot write below {folder}: {error.strerror}; check the path"
        ) from error
