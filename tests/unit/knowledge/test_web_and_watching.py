"""Listed pages as articles, a folder of many kinds, and a watch that notices changes."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from support_agents.domain.errors import Failed, Ok, SupportError
from support_agents.domain.ids import DEFAULT_WORKSPACE
from support_agents.knowledge.indexing import silent
from support_agents.knowledge.loaders import load_folder
from support_agents.knowledge.sync import KnowledgeSync, read_folder
from support_agents.knowledge.watching import changes
from support_agents.knowledge.web import WebPages
from support_agents.testing.knowledge import MemoryPassageStore


@dataclass(frozen=True)
class Pages:
    """`PageSource` of a few pages."""

    held: Mapping[str, bytes]

    async def fetch(self, url: str) -> Ok[bytes] | Failed:
        """Look up."""
        return Ok(self.held[url]) if url in self.held else Failed("status", "answered 404")


def page(title: str, text: str) -> bytes:
    return f"<html lang='en'><body><main><h1>{title}</h1><p>{text}</p></main></body></html>".encode()


async def test_listed_pages_become_articles_and_a_missing_one_is_reported(tmp_path: Path) -> None:
    listing = tmp_path / "list.txt"
    listing.write_text("https://shop.example/a\nhttps://shop.example/gone\n", encoding="utf-8")
    loaded = await WebPages(Pages({"https://shop.example/a": page("Returns", "Within 30 days.")})).load(listing, silent)
    assert [(one.id, one.title) for one in loaded.articles] == [("https://shop.example/a", "Returns")]
    reason = "answered 404; list the address that the page is at now, or none"
    assert [(one.path, one.reason) for one in loaded.broken] == [("https://shop.example/gone", reason)]


async def test_pages_and_files_leave_one_another_alone(tmp_path: Path) -> None:
    listing = tmp_path / "list.txt"
    listing.write_text("https://shop.example/a\n", encoding="utf-8")
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "own.md").write_text("Our own text.", encoding="utf-8")
    store = MemoryPassageStore()
    sync = KnowledgeSync(store)
    pages = WebPages(Pages({"https://shop.example/a": page("Returns", "Within 30 days.")}))
    await sync.sync(tmp_path / "kb", DEFAULT_WORKSPACE)
    await sync.store(await pages.load(listing, silent), DEFAULT_WORKSPACE)
    again = await sync.sync(tmp_path / "kb", DEFAULT_WORKSPACE)
    assert (again.unchanged, again.removed) == (1, 0)
    assert set(await store.article_hashes(DEFAULT_WORKSPACE)) == {"own", "https://shop.example/a"}


async def test_a_list_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SupportError, match="cannot read"):
        await WebPages(Pages({})).load(tmp_path / "none", silent)


def test_a_folder_of_many_kinds(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Markdown\nText.", encoding="utf-8")
    (tmp_path / "b.html").write_bytes(page("Page", "Text of a page."))
    (tmp_path / "c.csv").write_text("question,answer\nHow long?,Two days.\n", encoding="utf-8")
    (tmp_path / "d.pdf").write_bytes(b"no PDF")
    loaded = load_folder(tmp_path)
    assert [one.title for one in loaded.articles] == ["Markdown", "Page", "How long?"]
    assert [(one.path, one.article_id) for one in loaded.broken] == [("d.pdf", "d.pdf")]


async def test_nothing_is_deleted_while_a_file_of_many_articles_is_broken(tmp_path: Path) -> None:
    store = MemoryPassageStore()
    faq = tmp_path / "faq.csv"
    faq.write_text("question,answer\nHow long?,Two days.\nHow much?,Nothing.\n", encoding="utf-8")
    await KnowledgeSync(store).sync(tmp_path, DEFAULT_WORKSPACE)
    faq.write_text("question\n", encoding="utf-8")
    synced = await KnowledgeSync(store).store(read_folder(tmp_path), DEFAULT_WORKSPACE)
    assert (synced.removed, len(synced.broken)) == (0, 1)
    assert len(await store.article_hashes(DEFAULT_WORKSPACE)) == 2


def test_front_matter_that_multiplies_itself_is_refused(tmp_path: Path) -> None:
    rows = "\n".join(f"l{at}: &l{at} [{', '.join([f'*l{at - 1}'] * 9)}]" for at in range(1, 9))
    (tmp_path / "bomb.md").write_text(f"---\nl0: &l0 lol\n{rows}\ntitle: *l8\n---\nText.", encoding="utf-8")
    (broken,) = load_folder(tmp_path).broken
    assert "alias" in broken.reason


async def test_a_watch_notices_what_is_added_changed_and_removed(tmp_path: Path) -> None:
    noticed: asyncio.Queue[None] = asyncio.Queue()

    async def watch() -> None:
        async for _ in changes(tmp_path, every=0.01):
            noticed.put_nowait(None)

    watching = asyncio.create_task(watch())
    await noticed.get()
    article = tmp_path / "a.md"
    for change in (lambda: article.write_text("One."), lambda: article.write_text("Two, longer."), article.unlink):
        change()
        async with asyncio.timeout(30):
            await noticed.get()
    assert noticed.empty()
    watching.cancel()
